//! What a reload does to WebSockets that are open.

use std::io::Write as _;

use rstest::rstest;

use super::{Echo, closed, handshake, head, logged, open, ping};
use crate::support::gateway::{Gateway, Setup};
use crate::support::raw::Socket;

const WHY: &str = "its handshake would be refused now";

/// Rows for customers, for callers on the internal listener, and for everybody.
async fn gateway(echo: &Echo) -> Gateway {
    let address = echo.address;
    let setup = format!(
        "upstreams:\n  app: {{url: 'http://{address}'}}\n  other: {{url: 'http://127.0.0.1:1'}}\n\
         filters:\n  customers: {{type: identity-creation, domain: main}}\n\
         \x20 services: {{type: identity-creation, domain: main, level: 2, internal-callers: anybody}}\n\
         \x20 office: {{type: ip-list, allow: [192.0.2.0/24]}}\n\
         \x20 often: {{type: rate-limit, per: session, burst: 1, every: 1h}}\n\
         routes:\n  - {{name: feed, path: /feed/*, methods: [GET], filters: [customers, often], upstream: app, websocket: true}}\n\
         \x20 - {{name: calls, path: /calls/*, methods: [GET], on: [internal], filters: [services], upstream: app, websocket: {{origins: [none]}}}}\n\
         \x20 - {{name: news, path: /news/*, methods: [GET], filters: [], upstream: app, websocket: {{origins: [none], lifetime: 5s}}}}\n\
         \x20 - {{name: plain, path: /plain/*, methods: [GET], filters: [office], upstream: other}}\n"
    );
    Setup::default().user("jeff").append(setup).start().await
}

pub(super) fn opened(mut socket: Socket, path: &str, fields: &[(&str, &str)]) -> Socket {
    socket.write_all(handshake(path, fields).as_bytes()).unwrap();
    let head = head(&mut socket);
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    socket
}

/// What was changed is served, and with it this one is closed.
async fn is_closed(gateway: &Gateway, mut socket: Socket) {
    gateway.reloaded("done", 1).await;
    closed(&mut socket).await;
    logged(gateway, WHY).await;
}

#[rstest]
#[case::row("path: /feed/*", "path: /fed/*")]
#[case::level("domain: main}", "domain: main, level: 2}")]
#[case::realm("  password:  ", "  words:  ")]
#[case::filter("[customers, often]", "[office, customers]")]
#[case::destination("[customers, often], upstream: app", "[customers, often], upstream: other")]
#[case::pages("websocket: true", "websocket: {origins: ['https://other.example']}")]
#[case::none("upstream: app, websocket: true", "upstream: app")]
#[case::nobody("[customers, often]", "[]")]
#[tokio::test]
async fn one_whose_handshake_would_be_refused_now_is_closed(#[case] from: &str, #[case] to: &str) {
    let echo = Echo::start();
    let gateway = gateway(&echo).await;
    let (mut socket, _) = open(&gateway, Socket::plain(gateway.address("public"))).await;
    ping(&mut socket, b"as it was");
    gateway.reconfigure(from, to);
    is_closed(&gateway, socket).await;
}

#[tokio::test]
async fn one_of_an_internal_caller_whose_bearer_was_replaced_is_closed() {
    let echo = Echo::start();
    let gateway = gateway(&echo).await;
    let token = std::fs::read_to_string(gateway.data().join("internal.token")).unwrap();
    let bearer = format!("Bearer {}", token.trim());
    let mut socket =
        opened(Socket::plain(gateway.address("internal")), "/calls/a", &[("Authorization", bearer.as_str())]);
    ping(&mut socket, b"as it was");
    std::fs::remove_file(gateway.data().join("internal.token")).unwrap();
    is_closed(&gateway, socket).await;
}

#[tokio::test]
async fn one_that_would_be_opened_as_well_stays_open_and_is_not_counted_again() {
    let echo = Echo::start();
    let gateway = gateway(&echo).await;
    let (mut first, phone) = open(&gateway, Socket::plain(gateway.address("public"))).await;
    gateway.reconfigure("path: /plain/*", "path: /bare/*");
    gateway.reloaded("done", 1).await;
    // It is open for longer than there is between two looks at the first.
    let mut other = opened(Socket::plain(gateway.address("public")), "/news/a", &[]);
    closed(&mut other).await;
    ping(&mut first, b"as it was");
    phone.client().post("/auth/logout").send().await.expect(200);
    closed(&mut first).await;
    logged(&gateway, "its session has ended").await;
    assert!(!gateway.log().contains(WHY));
}
