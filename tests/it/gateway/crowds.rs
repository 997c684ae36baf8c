//! More connections than a listener has room for, and more requests.

use std::io::Write;
use std::time::Duration;

use super::clients::{connect, connect_h2, exchange, h2, request, rest, status};
use super::front::{Front, eventually, quick};
use super::origin::Origin;
use crate::support::frames::{self, DATA, Frame, HEADERS, RST_STREAM, SETTINGS, frame};
use sidegate::gateway::Limits;

const HELLO: &[u8] = b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

#[test]
fn a_connection_too_many_is_closed_at_once_and_counted() {
    let front =
        Front::start(Limits { connections: 2, connections_share: 100, idle: Duration::from_secs(60), ..quick() }, None);
    let mut held = [connect(front.plain), connect(front.plain)];
    eventually("both are open", || front.metrics.open_connections() == 2);
    assert_eq!(exchange(front.plain, b""), "");
    let refused = "sidegate_connections_refused_total{listener=\"public\",reason=\"full\"} 1";
    eventually("it is counted", || front.metrics().contains(refused));
    assert_eq!(front.metrics.open_connections(), 2);

    // Another listener has room of its own, and who was there first is served.
    let other = connect(front.tls);
    eventually("the other listener takes it", || front.metrics.open_connections() == 3);
    drop(other);
    held[0].write_all(HELLO).unwrap();
    assert_eq!(status(&rest(&mut held[0])), 200);
    eventually("there is room again", || front.metrics.open_connections() < 2);
    eventually("it is taken", || status(&exchange(front.plain, HELLO)) == 200);
    assert!(front.metrics().contains(refused.trim_end_matches(" 1")));
}

#[test]
fn one_network_does_not_get_all_connections() {
    let front = Front::start(Limits { connections: 8, idle: Duration::from_secs(60), ..quick() }, None);
    let mut held = [connect(front.plain), connect(front.plain)];
    eventually("both are open", || front.metrics.open_connections() == 2);
    assert_eq!(exchange(front.plain, b""), "", "a quarter of eight");
    let refused = "sidegate_connections_refused_total{listener=\"public\",reason=\"share\"} 1";
    eventually("it is counted", || front.metrics().contains(refused));
    held[0].write_all(HELLO).unwrap();
    assert_eq!(status(&rest(&mut held[0])), 200);
    eventually("there is room again", || status(&exchange(front.plain, HELLO)) == 200);
}

/// RFC 9113 7.
const CANCEL: &[u8] = &[0, 0, 0, 8];

/// Bodies are waited for as long as a test takes.
fn patient() -> Limits {
    let long = Duration::from_secs(3600);
    Limits { body_window: long, idle: long, ..quick() }
}

/// Opens requests whose bodies never come until one more is refused.
fn fill(front: &Front, allowed: i64, reason: &str) {
    let mut held = [connect_h2(front.plain), connect_h2(front.plain)];
    for open in 1..=allowed {
        // On one connection and the other: requests count, wherever they come.
        let number = u32::try_from(open).unwrap();
        held[number as usize % 2].write_all(&frames::post(2 * number + 1, "/count")).unwrap();
        eventually("it is open", || front.metrics.open_requests() == open);
    }
    held[0].write_all(&frames::post(101, "/count")).unwrap();
    let reset = std::iter::from_fn(|| Frame::read(&mut held[0])).find(|frame| frame.kind == RST_STREAM);
    assert_eq!(reset.unwrap().code(), "REFUSED_STREAM");
    let refused = format!("sidegate_requests_refused_total{{listener=\"public\",reason=\"{reason}\"}} 1");
    assert!(front.metrics().contains(&refused), "{}", front.metrics());
    assert_eq!(front.metrics.open_requests(), allowed);

    held[1].write_all(&frame(RST_STREAM, 0, 3, CANCEL)).unwrap();
    eventually("there is room again", || front.metrics.open_requests() == allowed - 1);
    assert_eq!(h2(front.plain, request(front.plain, "GET", "/hello", vec![])).unwrap().body, "hello");
    // A connection without streams has its own seat.
    assert_eq!(status(&exchange(front.plain, HELLO)), 200);
}

#[test]
fn one_network_does_not_get_all_requests_over_http2() {
    fill(&Front::start(Limits { requests: 16, ..patient() }, None), 4, "share");
}

#[test]
fn a_listener_has_so_many_requests_over_http2() {
    fill(&Front::start(Limits { requests: 5, connections_share: 100, ..patient() }, None), 5, "full");
}

#[test]
fn a_stream_that_stood_still_does_not_stay_for_want_of_a_window() {
    // Nothing but the answer's own patience ends it.
    let front = Front::start(Limits { write: Duration::from_secs(3600), ..quick() }, None);
    let mut stream = connect_h2(front.plain);
    let no_window = [0, 4, 0, 0, 0, 0];
    stream.write_all(&frame(SETTINGS, 0, 0, &no_window)).unwrap();
    stream.write_all(&frames::post(1, "/count")).unwrap();
    let came: Vec<_> =
        std::iter::from_fn(|| Frame::read(&mut stream)).take_while(|frame| frame.kind != RST_STREAM).collect();
    assert!(came.iter().any(|frame| frame.kind == HEADERS), "a status");
    assert!(came.iter().all(|frame| frame.kind != DATA || frame.payload.is_empty()), "there was room for a body");
    eventually("it is gone", || front.metrics.open_requests() == 0);
}

#[test]
fn a_client_without_a_window_holds_its_answer_no_longer_than_one_that_does_not_read() {
    let origin = Origin::start();
    let limits = Limits { write: Duration::from_secs(1), idle: Duration::from_secs(3600), ..quick() };
    let front = Front::start(limits, Some(origin.address));
    for (stream, path) in [(1, "/hello"), (3, "/up/")] {
        let no_window = [0, 4, 0, 0, 0, 0];
        let mut client = connect_h2(front.plain);
        client.write_all(&frame(SETTINGS, 0, 0, &no_window)).unwrap();
        client.write_all(&frames::get(stream, path)).unwrap();
        let status = std::iter::from_fn(|| Frame::read(&mut client)).find(|frame| frame.kind == HEADERS);
        assert!(status.is_some(), "{path}");
        eventually("it is gone", || front.metrics.open_requests() == 0);
    }
    let cut = front.metrics();
    let cut: Vec<_> =
        cut.lines().filter(|line| line.starts_with("sidegate_requests_cut_total{by=\"client\"")).collect();
    assert_eq!(cut.len(), 2, "{cut:?}");
}
