//! What a gateway that takes over does to WebSockets: it waits for none.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::Arc;

use super::{Echo, closed, echo, gateway, handshake, open, ping};
use crate::support::gateway::Gateway;
use crate::support::raw::Socket;
use crate::support::wait;

impl Echo {
    /// One that answers a handshake when the WebSocket before it is closed.
    fn one_by_one() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), heads: Arc::default() };
        let heads = server.heads.clone();
        std::thread::spawn(move || listener.incoming().flatten().for_each(|tcp| echo(tcp, &heads)));
        server
    }
}

async fn is_taken_over(gateway: &mut Gateway) {
    assert_eq!(gateway.upgrade().await, Some(0));
    let log = gateway.log();
    assert!(!log.contains("open requests are cut"), "it took limits.stop: {log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_gateway_that_takes_over_waits_for_none() {
    let echo = Echo::start();
    let mut gateway = gateway(&echo, "true").await;
    let (mut socket, _) = open(&gateway, Socket::plain(gateway.address("public"))).await;
    ping(&mut socket, b"as it was");
    is_taken_over(&mut gateway).await;
    closed(&mut socket).await;
}

/// The first is closed by the hand-over, so that the second is opened after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_for_one_that_a_server_opens_when_the_others_are_closed() {
    let echo = Echo::one_by_one();
    let mut gateway = gateway(&echo, "true").await;
    let (mut first, phone) = open(&gateway, Socket::plain(gateway.address("public"))).await;
    let own = gateway.public().base().to_owned();
    let request = handshake("/feed/b", &[("Cookie", phone.session()), ("Origin", &own)]);
    let mut second = Socket::plain(gateway.address("public"));
    second.write_all(request.as_bytes()).unwrap();
    wait::until("both are open requests, beside the question", wait::BOUND, async || {
        (gateway.metric("sidegate_open_requests").await == 3).then_some(())
    })
    .await;
    is_taken_over(&mut gateway).await;
    closed(&mut first).await;
    closed(&mut second).await;
    assert!(echo.heads()[1].starts_with("get /feed/b "), "{:?}", echo.heads());
}
