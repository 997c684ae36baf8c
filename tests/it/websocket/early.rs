//! A server that is faster than Pingora notices the end of the request (`src/gateway/forward/tunnel/held.rs`).

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::Arc;

use super::{ACCEPTED, Echo, carry, gateway, head_of, open, ping};
use crate::support::raw::Socket;

/// How many are opened: without the wait about every second one is closed at once.
const MANY: usize = 20;

impl Echo {
    /// One whose answer is there before it was asked.
    fn early() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), heads: Arc::default() };
        let heads = server.heads.clone();
        std::thread::spawn(move || {
            for mut tcp in listener.incoming().flatten() {
                tcp.write_all(ACCEPTED.as_bytes()).unwrap();
                let heads = heads.clone();
                std::thread::spawn(move || {
                    let mut stream = std::io::BufReader::new(tcp);
                    heads.lock().unwrap().extend(head_of(&mut stream));
                    carry(stream);
                });
            }
        });
        server
    }
}

#[tokio::test]
async fn one_that_a_server_opens_before_it_was_asked_stays_open() {
    let echo = Echo::early();
    let gateway = gateway(&echo, "true").await;
    let (mut first, phone) = open(&gateway, Socket::plain(gateway.address("public"))).await;
    ping(&mut first, b"hello");
    for _ in 1..MANY {
        let mut next = super::open_as(&gateway, Socket::plain(gateway.address("public")), &phone);
        ping(&mut next, b"hello");
    }
    assert_eq!(echo.heads().len(), MANY);
}
