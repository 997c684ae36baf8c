//! A server that refuses a handshake by closing the connection is up, and one that is down is not.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};

use super::{Echo, customer, handshake, head, open_as};
use crate::support::gateway::{Gateway, Setup};
use crate::support::logs::lines;
use crate::support::phone::Phone;
use crate::support::raw::Socket;
use crate::support::{ports, wait};

impl Echo {
    /// One that closes every connection at the head of its first request.
    fn refusing() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), heads: Default::default() };
        let heads = server.heads.clone();
        std::thread::spawn(move || {
            for tcp in listener.incoming().flatten() {
                heads.lock().unwrap().extend(super::head_of(&mut std::io::BufReader::new(tcp)));
            }
        });
        server
    }
}

/// A gateway with a row `/feed/*` for customers before these servers.
async fn before(servers: &[SocketAddr]) -> Gateway {
    let servers = servers.iter().map(|server| format!("'http://{server}'")).collect::<Vec<_>>().join(", ");
    let setup = format!(
        "upstreams:\n  app: {{servers: [{servers}]}}\n\
         filters:\n  customers: {{type: identity-creation, domain: main}}\n\
         routes:\n  - {{name: feed, path: /feed/*, methods: [GET], filters: [customers], upstream: app, websocket: true}}\n"
    );
    Setup::default().user("jeff").append(setup).start().await
}

/// The answer to a handshake that is refused.
fn refused(gateway: &Gateway, phone: &Phone) -> String {
    let mut socket = Socket::plain(gateway.address("public"));
    let own = gateway.public().base().to_owned();
    let request = handshake("/feed/a", &[("Cookie", phone.session()), ("Origin", &own)]);
    socket.write_all(request.as_bytes()).unwrap();
    head(&mut socket)
}

/// How many lines there are that a server failed, once so many requests to the row ended.
async fn failures(gateway: &Gateway, requests: usize) -> usize {
    wait::until("the access lines", wait::BOUND, async || {
        let lines = lines(gateway);
        let ended = lines.iter().filter(|line| line["target"] == "access" && line["route"] == "feed").count();
        let failed =
            lines.iter().filter(|line| line["message"].as_str().is_some_and(|text| text.contains(" failed and is ")));
        (ended == requests).then(|| failed.count())
    })
    .await
}

#[tokio::test]
async fn a_server_that_refuses_a_handshake_by_closing_has_not_failed_and_no_other_is_asked() {
    let servers = [Echo::refusing(), Echo::refusing()];
    let gateway = before(&servers.each_ref().map(|server| server.address)).await;
    let phone = customer(&gateway).await;
    for number in 1..=4 {
        let head = refused(&gateway, &phone);
        assert!(head.starts_with("http/1.1 502 "), "{head}");
        assert_eq!(servers.iter().map(|server| server.heads().len()).sum::<usize>(), number);
    }
    assert_eq!(failures(&gateway, 4).await, 0, "{}", gateway.log());
}

#[tokio::test]
async fn a_server_that_is_down_is_left_out_and_another_opens_it() {
    let (down, echo) = (SocketAddr::from(([127, 0, 0, 1], ports::free())), Echo::start());
    let gateway = before(&[down, echo.address]).await;
    let phone = customer(&gateway).await;
    for number in 1..=2 {
        drop(open_as(&gateway, Socket::plain(gateway.address("public")), &phone));
        assert_eq!(echo.heads().len(), number);
    }
    assert_eq!(failures(&gateway, 2).await, 1, "{}", gateway.log());
}
