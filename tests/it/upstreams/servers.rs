//! Several servers behind one name: turns, servers that fail, and what is sent again.

use std::net::{SocketAddr, TcpListener};

use http::Method;
use rstest::rstest;

use super::scripted::{Script, Scripted};
use crate::support::gateway::{Gateway, Setup};
use crate::support::{ports, wait};

/// A gateway before these servers.
async fn before(servers: &[SocketAddr]) -> Gateway {
    patient(servers, "60s").await
}

/// One that waits so long for an answer.
async fn patient(servers: &[SocketAddr], patience: &str) -> Gateway {
    let servers = servers.iter().map(|server| format!("'http://{server}'")).collect::<Vec<_>>().join(", ");
    let row = "  - {name: app, path: /app/*, methods: [GET, POST, PUT, PATCH, DELETE], bodies-of: [GET], filters: [], upstream: app}\n";
    let upstream = format!("{{servers: [{servers}], read-timeout: {patience}}}");
    Setup::default().append(format!("upstreams:\n  app: {upstream}\nroutes:\n{row}")).start().await
}

/// How many lines of the log say this of this server.
fn told(gateway: &Gateway, what: &str, server: SocketAddr) -> usize {
    let server = format!("\"server\":\"{server}\"");
    gateway.log().lines().filter(|line| line.contains(what) && line.contains(&server)).count()
}

/// The status of a POST with a body.
async fn post(gateway: &Gateway) -> u16 {
    gateway.public().post("/app/").body("once").send().await.status
}

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], ports::free()))
}

#[tokio::test]
async fn servers_take_turns() {
    let servers = [(); 3].map(|()| Scripted::start(Script::Answer));
    let gateway = before(&servers.each_ref().map(|server| server.address)).await;
    for _ in 0..6 {
        gateway.public().get("/app/a").send().await.expect(200);
    }
    for server in servers {
        let got = server.got();
        let host = format!("host: {}\n", server.address);
        assert!(got.len() == 2 && got.iter().all(|head| head.to_ascii_lowercase().contains(&host)), "{got:?}");
    }
}

#[tokio::test]
async fn what_one_server_refuses_another_gets_once() {
    let (down, up) = (nobody(), Scripted::start(Script::Answer));
    let gateway = before(&[down, up.address]).await;
    for _ in 0..4 {
        assert_eq!(post(&gateway).await, 200);
    }
    assert_eq!(up.got().len(), 4);
    wait::until("the server that is down is named", wait::BOUND, async || {
        let log = gateway.log();
        let line = log.lines().find(|line| line.contains("is left out for so many seconds"))?;
        (line.contains(&format!("\"server\":\"{down}\"")) && line.contains("\"upstream\":\"app\"")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_hangs_is_left_out_after_three_requests_in_a_row() {
    let (hanging, up) = (Scripted::start(Script::Hang), Scripted::start(Script::Answer));
    let gateway = patient(&[hanging.address, up.address], "1s").await;
    wait::until("the server that hangs is left out", 3 * wait::BOUND, async || {
        post(&gateway).await;
        let left_out = "\"kind\":\"ReadTimedout\",\"pause\":1";
        (told(&gateway, left_out, hanging.address) > 0).then_some(())
    })
    .await;
    assert!(hanging.got().len() >= 3 && !up.got().is_empty());
}

#[tokio::test]
async fn the_only_server_is_named_when_it_fails_and_when_it_answers_again() {
    let down = nobody();
    let gateway = before(&[down]).await;
    for _ in 0..3 {
        assert_eq!(post(&gateway).await, 502);
    }
    let _up = Scripted::on(down, Script::Answer);
    for _ in 0..2 {
        assert_eq!(post(&gateway).await, 200);
    }
    let back = async || (told(&gateway, "a server answers again", down) > 0).then_some(());
    wait::until("it is back", wait::BOUND, back).await;
    assert_eq!(told(&gateway, "the only server failed and is asked all the same", down), 1);
}

#[tokio::test]
async fn with_all_down_each_request_tries_them_all() {
    let servers = [nobody(), nobody()];
    let gateway = before(&servers).await;
    for _ in 0..3 {
        assert_eq!(post(&gateway).await, 502);
    }
    let up = Scripted::on(servers[1], Script::Answer);
    assert_eq!(post(&gateway).await, 200, "whichever is left out for how long");
    assert_eq!(up.got().len(), 1);
}

#[rstest]
#[case::post(Method::POST, "once")]
#[case::put(Method::PUT, "once")]
#[case::put_nothing(Method::PUT, "")]
#[case::patch(Method::PATCH, "once")]
#[case::delete(Method::DELETE, "")]
#[case::get_with_a_body(Method::GET, "once")]
#[tokio::test]
async fn what_arrived_is_not_sent_again(#[case] method: Method, #[case] body: &'static str) {
    let (closing, up) = (Scripted::start(Script::Close), Scripted::start(Script::Answer));
    let gateway = before(&[closing.address, up.address]).await;
    let mut sent = 0;
    while closing.got().is_empty() {
        let seen = up.got().len();
        let answer = gateway.public().call(method.clone(), "/app/").body(body).send().await;
        sent += 1;
        if answer.status != 200 {
            answer.problem(502);
            assert_eq!(up.got().len(), seen, "the other server saw nothing of it");
        }
    }
    assert_eq!((closing.got().len(), closing.got().len() + up.got().len()), (1, sent));
}

#[tokio::test]
async fn what_a_stopping_server_took_and_dropped_is_asked_of_another() {
    let (closing, up) = (Scripted::start(Script::Close), Scripted::start(Script::Answer));
    let gateway = before(&[closing.address, up.address]).await;
    for _ in 0..5 {
        gateway.public().get("/app/").send().await.expect(200);
    }
    assert_eq!(up.got().len(), 5);
    assert!(!closing.got().is_empty());

    let closing = [Scripted::start(Script::Close), Scripted::start(Script::Close), Scripted::start(Script::Close)];
    let gateway = before(&closing.each_ref().map(|server| server.address)).await;
    gateway.public().get("/app/").send().await.problem(502);
    let got: usize = closing.iter().map(|server| server.got().len()).sum();
    assert_eq!(got, 2, "a request that makes servers close has two of them");
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_costs_only_what_cannot_be_repeated() {
    let server = Scripted::start(Script::CloseKept { together: 1 });
    let gateway = before(&[server.address]).await;
    let mut sent = 0;
    wait::until("a kept connection is closed under a GET", wait::BOUND, async || {
        gateway.public().get("/app/").send().await.expect(200);
        sent += 1;
        (server.closed() > 0).then_some(())
    })
    .await;
    let got = server.got();
    assert_eq!(got.len(), sent + server.closed());
    let last = got.iter().filter(|head| head.to_ascii_lowercase().contains("connection: close\n"));
    assert_eq!(last.count(), server.closed(), "what is sent again is the last on its connection");

    let before = (server.got().len(), server.closed());
    let (mut sent, mut failed) = (0, 0);
    wait::until("the same under a POST", wait::BOUND, async || {
        failed += usize::from(post(&gateway).await == 502);
        sent += 1;
        (server.closed() > before.1).then_some(())
    })
    .await;
    assert_eq!((server.got().len() - before.0, failed), (sent, 1), "none was sent twice");
}

#[tokio::test]
async fn all_kept_connections_of_a_server_may_be_closed_at_once() {
    const KEPT: usize = 4;
    let server = Scripted::start(Script::CloseKept { together: KEPT });
    let gateway = before(&[server.address]).await;
    let get = async || gateway.public().get("/app/").send().await.expect(200);
    tokio::join!(get(), get(), get(), get());
    wait::until("each of them was used once more", wait::BOUND, async || {
        get().await;
        (server.closed() == KEPT).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_end_its_handshake_is_504() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream =
        format!("{{url: 'https://localhost:{}', connect-timeout: 300ms}}", silent.local_addr().unwrap().port());
    let row = "  - {name: app, path: /app/*, methods: [GET], filters: [], upstream: app}\n";
    let gateway = Setup::default().append(format!("upstreams:\n  app: {upstream}\nroutes:\n{row}")).start().await;
    gateway.public().get("/app/").send().await.problem(504);
}
