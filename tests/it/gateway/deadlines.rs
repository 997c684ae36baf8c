//! Slow clients are cut, on every protocol and in every phase; the limits are those of [`quick`].
//!
//! A client that is not cut is never done, so a test that ends has seen the limit at work.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use super::clients::{connect, connect_tls, rest, status};
use super::front::{Front, eventually, quick};
use super::origin::Origin;
use sidegate::gateway::Limits;

use crate::support::frames::{self, DATA, Frame, HEADERS, RST_STREAM, frame};
use crate::support::raw::Socket;
use crate::support::wait;

const HEAD: &[u8] =
    b"GET /hello HTTP/1.1\r\nHost: a\r\nX-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n\r\n";
/// Between two bytes: well below the idle limit, and long enough that nothing here is complete before it is cut.
const STEP: Duration = Duration::from_millis(500);

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

/// Reads until the gateway closes, which it does before a client's patience is at its end.
pub(super) fn until_closed(stream: &mut impl Read) {
    if let Err(error) = stream.read_to_end(&mut Vec::new()) {
        assert_ne!(error.kind(), ErrorKind::WouldBlock, "still open");
    }
}

/// A gateway that cuts by the limit in question alone: a connection may be idle for longer than anybody waits here.
fn front() -> Front {
    Front::start(Limits { idle: Duration::from_secs(3600), ..quick() }, None)
}

/// The client had the second that is its due.
fn assert_cut(took: Duration) {
    assert!(took > Duration::from_millis(900), "{took:?}");
}

#[test]
fn slow_heads_are_cut_thirty_at_once() {
    let front = front();
    let (plain, tls) = (front.plain, front.tls);
    let attack = |over_tls: bool| {
        std::thread::spawn(move || {
            let mut socket = if over_tls { Socket::tls(tls, "http/1.1") } else { Socket::plain(plain) };
            socket.dribble(HEAD, STEP)
        })
    };
    let attackers: Vec<_> = (0..30).map(|index| attack(index % 2 == 0)).collect();
    for attacker in attackers {
        let (took, answer) = attacker.join().unwrap();
        assert_cut(took);
        assert_eq!(status(&answer), 408, "{answer}");
    }
    eventually("all are gone", || front.metrics.open_connections() == 0);
}

#[test]
fn a_slow_head_is_cut_on_a_later_request_too() {
    let front = front();
    let mut socket = Socket::plain(front.plain);
    socket.write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let first = socket.read_for(Duration::from_secs(10)).unwrap();
    assert!(first.starts_with(b"HTTP/1.1 200 "));
    let (took, answer) = socket.dribble(HEAD, STEP);
    assert_cut(took);
    assert!(answer.contains("HTTP/1.1 408 "), "{answer}");
}

#[test]
fn a_slow_frame_is_cut_over_http2() {
    let front = front();
    let headers = [&[0, 0, 60, 1, 5, 0, 0, 0, 1][..], &[0x82; 60]].concat();
    let cut = |mut socket: Socket| {
        socket.write_all(&frames::greeting()).unwrap();
        assert_cut(socket.dribble(&headers, STEP).0);
    };
    std::thread::scope(|scope| {
        scope.spawn(|| cut(Socket::plain(front.plain)));
        scope.spawn(|| cut(Socket::tls(front.tls, "h2")));
        scope.spawn(|| assert_cut(Socket::tls(front.tls, "h2").dribble(&frames::greeting(), STEP).0));
        scope.spawn(|| {
            let begun = Instant::now();
            until_closed(&mut connect_tls(front.tls, b"\x02h2"));
            assert_cut(begun.elapsed());
        });
    });
    eventually("all are gone", || front.metrics.open_connections() == 0);
}

/// The head of a POST whose body never comes in time, and what is sent of that.
const BODIES: [(&str, &str); 2] = [("/count", "Content-Length: 60000\r\n"), ("/up/", "Transfer-Encoding: chunked\r\n")];

/// Dribbles a body over HTTP/1.1: the status of the answer.
pub(super) fn dribbled(mut socket: Socket, (path, framing): (&str, &str)) -> (Duration, String) {
    let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{framing}\r\n186A0\r\n");
    socket.write_all(head.as_bytes()).unwrap();
    let (took, answer) = socket.dribble(b"x", STEP);
    (took, status(&answer).to_string())
}

/// The same over HTTP/2: the status, or why its stream was reset.
fn dribbled_h2(mut socket: Socket, path: &str) -> (Duration, String) {
    let data = &frame(DATA, 0, 1, &[b'x'; 10_000])[..9];
    socket.write_all(&[&frames::greeting(), &frames::post(1, path), data].concat()).unwrap();
    let ends = |said: &[u8]| frames_of(said).find(Frame::is_last);
    let (took, said) = socket.dribble_until(b"x", STEP, |said| ends(said).is_some());
    let answer = frames_of(&said).find(|frame| [HEADERS, RST_STREAM].contains(&frame.kind)).unwrap();
    (took, if answer.kind == HEADERS { answer.status().to_string() } else { answer.code().to_owned() })
}

fn frames_of(mut said: &[u8]) -> impl Iterator<Item = Frame> {
    std::iter::from_fn(move || Frame::read(&mut said))
}

#[test]
fn slow_bodies_are_cut_thirty_at_once() {
    let origin = Origin::start();
    let limits = Limits { idle: Duration::from_secs(3600), ..quick() };
    let front = Front::start(limits, Some(origin.address));
    let (plain, tls) = (front.plain, front.tls);
    let attack = |index: usize| {
        let body = BODIES[index % 2];
        std::thread::spawn(move || match index % 3 {
            0 => (dribbled(Socket::plain(plain), body), "408"),
            1 => (dribbled(Socket::tls(tls, "http/1.1"), body), "408"),
            _ => (dribbled_h2(Socket::tls(tls, "h2"), body.0), if body.0 == "/up/" { "CANCEL" } else { "408" }),
        })
    };
    let attackers: Vec<_> = (0..30).map(attack).collect();
    for attacker in attackers {
        let ((took, answer), expected) = attacker.join().unwrap();
        assert_cut(took);
        assert_eq!(answer, expected);
    }
    eventually("all are gone", || front.metrics.open_requests() == 0 && front.metrics.open_connections() == 0);
    assert!(origin.got().is_empty(), "{:?}", origin.got());
}

#[test]
fn idle_connections_are_closed() {
    let front = Front::start(quick(), None);
    let idle = |mut stream: Box<dyn Stream>, first: &[u8]| {
        let begun = Instant::now();
        stream.write_all(first).unwrap();
        until_closed(&mut stream);
        assert!(begun.elapsed() > Duration::from_millis(2900), "{:?}", begun.elapsed());
    };
    std::thread::scope(|scope| {
        scope.spawn(|| idle(Box::new(connect(front.plain)), b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"));
        scope.spawn(|| idle(Box::new(connect(front.plain)), &frames::greeting()));
        scope.spawn(|| idle(Box::new(connect_tls(front.tls, b"\x02h2")), &frames::greeting()));
    });
}

#[test]
fn a_tls_handshake_that_does_not_come_is_cut() {
    let front = front();
    for (address, bytes) in [(front.tls, &[0x16, 3, 1][..]), (front.tls, b""), (front.mutual, &[0x16, 3, 1])] {
        let begun = Instant::now();
        let mut stream = connect(address);
        stream.write_all(bytes).unwrap();
        eventually("it is counted", || front.metrics.open_connections() == 1);
        until_closed(&mut stream);
        assert_cut(begun.elapsed());
        eventually("it is gone", || front.metrics.open_connections() == 0);
    }
}

#[test]
fn a_body_that_stands_still_is_408() {
    let front = front();
    let mut socket = Socket::plain(front.plain);
    let head = "POST /count HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
    socket.write_all(head.as_bytes()).unwrap();
    let (took, answer) = socket.dribble(b"some of it", STEP);
    assert_cut(took);
    assert_eq!(status(&answer), 408, "{answer}");
}

#[test]
fn a_body_that_stands_still_is_408_over_http2() {
    let front = front();
    let address = front.plain;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let status = runtime.block_on(async {
        let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
        let (client, connection) = h2::client::handshake(tcp).await.unwrap();
        tokio::spawn(connection);
        let mut request = http::Request::post(format!("http://{address}/count")).body(()).unwrap();
        request.headers_mut().insert("content-type", "application/json".parse().unwrap());
        let (response, mut stream) = client.ready().await.unwrap().send_request(request, false).unwrap();
        stream.send_data(bytes::Bytes::from_static(b"{"), false).unwrap();
        response.await.unwrap().status().as_u16()
    });
    assert_eq!(status, 408);
}

/// Each piece is enough for a window, and there are many in one, however loaded the machine is. That windows have passed
/// is seen by clients that stand still: one after the other they are cut.
#[test]
fn patient_clients_are_left_alone() {
    const PIECE: usize = 300;
    let (window, pause) = (Duration::from_secs(3), Duration::from_millis(200));
    let limits = Limits { head: Duration::from_secs(60), body_window: window, body_rate: PIECE / 3, ..quick() };
    let front = Front::start(limits, None);
    let mut stream = connect(front.plain);
    let head = "POST /count HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    for piece in head.as_bytes().chunks(40) {
        stream.write_all(piece).unwrap();
    }
    let (begun, mut sent) = (Instant::now(), 0);
    for _ in 0..2 {
        let mut still = Socket::plain(front.plain);
        still.write_all(head.as_bytes()).unwrap();
        while still.read_for(pause).is_some() {
            stream.write_all(format!("{PIECE:x}\r\n{}\r\n", "x".repeat(PIECE)).as_bytes()).unwrap();
            sent += PIECE;
            assert!(begun.elapsed() < wait::BOUND, "nobody is cut");
        }
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let answer = rest(&mut stream);
    assert!(answer.ends_with(&format!("\r\n\r\n{sent}")), "{answer}");
}
