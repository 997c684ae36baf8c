//! An issuer's server of its JWK set, one request a connection.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

pub(super) struct Server {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    answer: Mutex<String>,
    asked: AtomicUsize,
    came: Notify,
    /// Without a permit no answer goes out.
    gate: Semaphore,
}

impl Server {
    pub(super) async fn start(set: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (answer, gate) = (Mutex::new(good(set)), Semaphore::new(Semaphore::MAX_PERMITS));
        let state = Arc::new(State { answer, asked: AtomicUsize::new(0), came: Notify::new(), gate });
        let (address, served) = (listener.local_addr().unwrap(), state.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, served.clone()));
            }
        });
        Self { address, state }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    /// How often it was asked.
    pub(super) fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// Waits until it was asked so often.
    pub(super) async fn comes(&self, times: usize) {
        while self.asked() < times {
            self.state.came.notified().await;
        }
    }

    pub(super) fn say(&self, set: &str) {
        self.say_raw(&good(set));
    }

    pub(super) fn say_raw(&self, answer: &str) {
        answer.clone_into(&mut self.state.answer.lock().unwrap());
    }

    pub(super) fn fail(&self) {
        self.say_raw("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
    }

    /// Keeps answers back.
    pub(super) fn hold(&self) {
        self.state.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Lets them go.
    pub(super) fn let_go(&self) {
        self.state.gate.add_permits(1000);
    }
}

fn good(set: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{set}", set.len())
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let (mut head, mut piece) = (Vec::new(), [0; 1024]);
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut piece).await {
            Ok(length) if length > 0 => head.extend_from_slice(&piece[..length]),
            _ => return,
        }
    }
    state.asked.fetch_add(1, Ordering::SeqCst);
    state.came.notify_one();
    let _permit = state.gate.acquire().await;
    let answer = state.answer.lock().unwrap().clone();
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}
