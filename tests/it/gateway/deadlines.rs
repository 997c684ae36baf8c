//! Slow clients are cut, on every protocol and in every phase; the limits are those of [`quick`].

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::clients::{connect, connect_tls, rest, status};
use super::front::{Front, eventually, quick};

const HEAD: &[u8] =
    b"GET /hello HTTP/1.1\r\nHost: a\r\nX-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n\r\n";
const STEP: Duration = Duration::from_millis(100);

/// Sends a byte each tenth of a second until the gateway closes; how long that took, and what it said.
fn dribble(stream: &mut (impl Read + Write), bytes: &[u8]) -> (Duration, String) {
    let begun = Instant::now();
    for byte in bytes {
        if stream.write_all(&[*byte]).and_then(|()| stream.flush()).is_err() {
            break;
        }
        std::thread::sleep(STEP);
        if begun.elapsed() > Duration::from_millis(1500) {
            break;
        }
    }
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    (begun.elapsed(), String::from_utf8_lossy(&all).into_owned())
}

fn assert_cut(took: Duration) {
    assert!(took > Duration::from_millis(900) && took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn slow_heads_are_cut_thirty_at_once() {
    let front = Front::start(quick(), None);
    let (plain, tls) = (front.plain, front.tls);
    let attack = |over_tls: bool| {
        std::thread::spawn(move || {
            if over_tls {
                dribble(&mut connect_tls(tls, b"\x08http/1.1"), HEAD)
            } else {
                dribble(&mut connect(plain), HEAD)
            }
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
    let front = Front::start(quick(), None);
    let mut stream = connect(front.plain);
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut first = [0; 2048];
    let length = stream.read(&mut first).unwrap();
    assert!(first[..length].starts_with(b"HTTP/1.1 200 "));
    let (took, answer) = dribble(&mut stream, HEAD);
    assert_cut(took);
    assert!(answer.contains("HTTP/1.1 408 "), "{answer}");
}

/// The client's side of an HTTP/2 connection up to where a HEADERS frame may begin.
fn preface() -> Vec<u8> {
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat()
}

#[test]
fn a_slow_frame_is_cut_over_http2() {
    let front = Front::start(quick(), None);
    let headers = [&[0, 0, 60, 1, 5, 0, 0, 0, 1][..], &[0x82; 60]].concat();
    let mut plain = connect(front.plain);
    plain.write_all(&preface()).unwrap();
    assert_cut(dribble(&mut plain, &headers).0);
    let mut tls = connect_tls(front.tls, b"\x02h2");
    tls.write_all(&preface()).unwrap();
    assert_cut(dribble(&mut tls, &headers).0);
    let mut before = connect_tls(front.tls, b"\x02h2");
    assert_cut(dribble(&mut before, &preface()).0);
    assert_cut(dribble(&mut connect_tls(front.tls, b"\x02h2"), b"").0);
    eventually("all are gone", || front.metrics.open_connections() == 0);
}

#[test]
fn idle_connections_are_closed() {
    let front = Front::start(quick(), None);
    let idle = |address: SocketAddr, first: &[u8]| {
        let mut stream = connect(address);
        stream.write_all(first).unwrap();
        let begun = Instant::now();
        let _ = rest(&mut stream);
        begun.elapsed()
    };
    let used = idle(front.plain, b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(used > Duration::from_millis(2900) && used < Duration::from_secs(6), "{used:?}");
    let http2 = idle(front.plain, &preface());
    assert!(http2 > Duration::from_millis(2900) && http2 < Duration::from_secs(6), "{http2:?}");
    let mut tls = connect_tls(front.tls, b"\x02h2");
    tls.write_all(&preface()).unwrap();
    let begun = Instant::now();
    let _ = rest(&mut tls);
    let tls = begun.elapsed();
    assert!(tls > Duration::from_millis(2900) && tls < Duration::from_secs(6), "{tls:?}");
}

#[test]
fn a_tls_handshake_that_does_not_come_is_cut() {
    let front = Front::start(quick(), None);
    for (address, bytes) in [(front.tls, &[0x16, 3, 1][..]), (front.tls, b""), (front.mutual, &[0x16, 3, 1])] {
        let mut stream = connect(address);
        stream.write_all(bytes).unwrap();
        let begun = Instant::now();
        eventually("it is counted", || front.metrics.open_connections() == 1);
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        assert_cut(begun.elapsed());
        eventually("it is gone", || front.metrics.open_connections() == 0);
    }
}

#[test]
fn a_body_that_stands_still_is_408() {
    let front = Front::start(quick(), None);
    let mut stream = connect(front.plain);
    let head = "POST /count HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let (took, answer) = dribble(&mut stream, b"some of it");
    assert_cut(took);
    assert_eq!(status(&answer), 408, "{answer}");
}

#[test]
fn a_body_that_stands_still_is_408_over_http2() {
    let front = Front::start(quick(), None);
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

#[test]
fn patient_clients_are_left_alone() {
    let front = Front::start(quick(), None);
    let mut stream = connect(front.plain);
    let head = "POST /count HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 6000\r\nConnection: close\r\n\r\n";
    for piece in head.as_bytes().chunks(40) {
        stream.write_all(piece).unwrap();
        std::thread::sleep(STEP);
    }
    for _ in 0..20 {
        stream.write_all(&[b'x'; 300]).unwrap();
        std::thread::sleep(STEP);
    }
    let answer = rest(&mut stream);
    assert!(answer.ends_with("6000"), "{answer}");
}
