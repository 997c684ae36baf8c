//! Servers behind the gateway that tell what arrived, and fail as they are told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::wait;

/// What it does with a request that arrived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    Answer,
    /// Closes the connection.
    Close,
    /// Answers the first of a connection, and closes it at the second. The first ones of all wait until there are so many.
    CloseKept {
        together: usize,
    },
    /// Says nothing, for as long as the other side is there.
    Hang,
}

/// A server; its threads end with the process.
pub(super) struct Scripted {
    pub(super) address: SocketAddr,
    got: Arc<Mutex<Vec<String>>>,
    closed: Arc<AtomicUsize>,
}

impl Scripted {
    pub(super) fn start(script: Script) -> Self {
        Self::on("127.0.0.1:0".parse().unwrap(), script)
    }

    pub(super) fn on(address: SocketAddr, script: Script) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (got, closed) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (all, cuts) = (got.clone(), closed.clone());
        std::thread::spawn(move || {
            for tcp in listener.incoming().flatten() {
                let (all, cuts) = (all.clone(), cuts.clone());
                std::thread::spawn(move || serve(tcp, script, &all, &cuts));
            }
        });
        Self { address, got, closed }
    }

    /// Every request that arrived whole: its head and its trailers.
    pub(super) fn got(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }

    /// How many of them it closed the connection on.
    pub(super) fn closed(&self) -> usize {
        self.closed.load(Ordering::SeqCst)
    }
}

fn serve(tcp: TcpStream, script: Script, all: &Mutex<Vec<String>>, closed: &AtomicUsize) {
    let mut stream = BufReader::new(tcp);
    let mut first = true;
    while let Some(got) = read(&mut stream) {
        all.lock().unwrap().push(got);
        if script == Script::Close || (matches!(script, Script::CloseKept { .. }) && !first) {
            closed.fetch_add(1, Ordering::SeqCst);
            return;
        }
        if script == Script::Hang {
            return drop(std::io::copy(&mut stream, &mut std::io::sink()));
        }
        first = false;
        if let Script::CloseKept { together } = script {
            wait::blocking(wait::BOUND, || (all.lock().unwrap().len() >= together).then_some(()));
        }
        if stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err() {
            return;
        }
    }
}

/// A head, and whatever stands behind a chunked body; `None` when the other side is gone.
fn read(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let head = block(stream)?;
    let lower = head.to_ascii_lowercase();
    if !lower.contains("transfer-encoding: chunked") {
        let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        std::io::copy(&mut stream.take(length.unwrap_or(0)), &mut std::io::sink()).ok()?;
        return Some(head);
    }
    loop {
        match u64::from_str_radix(&line(stream)?, 16).ok()? {
            0 => return Some(head + &block(stream)?),
            size => drop(std::io::copy(&mut stream.take(size + 2), &mut std::io::sink()).ok()?),
        }
    }
}

fn block(stream: &mut impl BufRead) -> Option<String> {
    let mut block = String::new();
    loop {
        let line = line(stream)?;
        if line.is_empty() {
            return Some(block);
        }
        block.push_str(&line);
        block.push('\n');
    }
}

fn line(stream: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    (stream.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
}
