//! The embedded server of a house of its own, over HTTP/1.1 by hand: one request a connection, answered while its door is
//! open.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sidegate_filters::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::fido::{AnswerAt, Arrival, FidoError};
use crate::oob::testing::{House, asker, internal};
use crate::store::operation::OperationKind;

/// What becomes of a question in place of its answer.
pub(super) enum Fate {
    /// It is served, and the connection ends without a word of it.
    Lost,
    /// It is not served, and this code is said.
    Code(u16),
}

pub(super) struct Behind {
    pub(super) house: Arc<House>,
    pub(super) address: SocketAddr,
    open: watch::Sender<bool>,
    asked: Arc<watch::Sender<usize>>,
    fates: Arc<Mutex<VecDeque<Fate>>>,
    server: JoinHandle<()>,
}

impl Behind {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (house, open, asked) = (Arc::new(House::new()), watch::Sender::new(true), Arc::new(watch::Sender::new(0)));
        let fates: Arc<Mutex<VecDeque<Fate>>> = Arc::default();
        let (serving, door, count, script) = (house.clone(), open.subscribe(), asked.clone(), fates.clone());
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (serving, mut door, count, script) = (serving.clone(), door.clone(), count.clone(), script.clone());
                tokio::spawn(async move {
                    let (mut stream, path, body) = read(stream).await;
                    let fate = script.lock().unwrap().pop_front();
                    let answer = match fate {
                        Some(Fate::Code(code)) => json!({"statusCode": code}),
                        _ => serve(&serving, &path, &body).await,
                    };
                    let answer = if matches!(fate, Some(Fate::Lost)) { String::new() } else { answer.to_string() };
                    count.send_modify(|count| *count += 1);
                    let _ = door.wait_for(|open| *open).await;
                    if answer.is_empty() {
                        return;
                    }
                    let head =
                        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len());
                    let _ = stream.write_all(format!("{head}{answer}").as_bytes()).await;
                });
            }
        });
        Self { house, address, open, asked, fates, server }
    }

    /// What becomes of the next questions.
    pub(super) fn then(&self, fates: impl IntoIterator<Item = Fate>) {
        self.fates.lock().unwrap().extend(fates);
    }

    /// How many questions there were.
    pub(super) fn questions(&self) -> usize {
        *self.asked.borrow()
    }

    /// Nobody listens any more.
    pub(super) async fn leave(self) {
        self.server.abort();
        let _ = self.server.await;
    }

    /// Questions are taken and not answered from now on; how many there were.
    pub(super) fn close(&self) -> usize {
        self.open.send_replace(false);
        *self.asked.borrow()
    }

    pub(super) fn open(&self) {
        self.open.send_replace(true);
    }

    pub(super) async fn asked_again(&self, before: usize) {
        self.asked.subscribe().wait_for(|count| *count > before).await.unwrap();
    }
}

async fn read(mut stream: TcpStream) -> (TcpStream, String, Value) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.split_once("content-length: ").unwrap().1.lines().next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let path = head.strip_prefix("post /uaf/").unwrap().split(' ').next().unwrap().to_owned();
    (stream, path, serde_json::from_slice(&body).unwrap())
}

async fn serve(house: &House, path: &str, body: &Value) -> Value {
    let context = body["context"].as_str();
    let response = || body["uafResponse"].as_str().unwrap();
    let (kind, at) = match path {
        "request/registration" => (Some(OperationKind::Reg), AnswerAt::Registration),
        "request/authentication" => (Some(OperationKind::Auth), AnswerAt::Authentication),
        "request/deregistration" => (Some(OperationKind::Dereg), AnswerAt::Authentication),
        "registration" => (None, AnswerAt::Registration),
        _ => (None, AnswerAt::Authentication),
    };
    match kind {
        Some(kind) => match house.requests.request(&asker(&internal(&[Role::ActFor])), kind, context).await {
            Ok(request) => serde_json::to_value(request.into_reply()).unwrap(),
            Err(_) => json!({"statusCode": 1404}),
        },
        None => match house.fido.open(&Arrival { at, uaf_response: response(), context, from: None }).take().await {
            Ok(_) => json!({"statusCode": 1200}),
            Err(FidoError::Refused(code)) => json!({"statusCode": code}),
            Err(fault) => panic!("{fault}"),
        },
    }
}
