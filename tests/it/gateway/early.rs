//! Answers that come before the body was read: the client sees them, on both protocols.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use super::clients::{connect, curl, exchange, h2, request, rest, status};
use super::front::{Front, eventually, quick};

const LIMIT: usize = 64 * 1024;
const LARGE: usize = 10 * 1024 * 1024;

fn posted(path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The same body in chunks of 1,000 bytes.
fn chunked(path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    );
    let mut bytes = head.into_bytes();
    for piece in body.chunks(1000) {
        bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

#[test]
fn bodies_up_to_the_limit_arrive_whole_and_longer_ones_are_413() {
    let front = Front::start(quick(), None);
    for (size, expected) in [(1, 200), (LIMIT - 1, 200), (LIMIT, 200), (LIMIT + 1, 413), (LARGE, 413)] {
        let body = vec![b'x'; size];
        for bytes in [posted("/count", &body), chunked("/count", &body)] {
            let answer = exchange(front.plain, &bytes);
            assert_eq!(status(&answer), expected, "{size}: {answer}");
            assert!(expected != 200 || answer.ends_with(&format!("\r\n\r\n{size}")), "{size}: {answer}");
        }
        let answer = h2(front.plain, request(front.plain, "POST", "/count", body)).unwrap();
        assert_eq!(answer.status.as_u16(), expected, "{size} over HTTP/2");
        assert!(expected != 200 || answer.body == size.to_string(), "{size}: {answer:?}");
    }
}

#[test]
fn curl_sees_a_401_and_a_413_for_10_mib() {
    let front = Front::start(quick(), None);
    let file = front.data.join("large");
    std::fs::write(&file, vec![b'x'; LARGE]).unwrap();
    let data = format!("@{}", file.display());
    for protocol in ["--http1.1", "--http2"] {
        for (path, expected) in [("closed", 401), ("count", 413)] {
            let url = format!("https://localhost:{}/{path}", front.tls.port());
            let arguments = [protocol, "-H", "Content-Type: application/json", "--data-binary", &data, &url];
            let (status, body) = curl(&arguments);
            assert_eq!(status, expected, "{protocol} {path}: {body}");
            assert!(body.contains(&format!("\"status\":{expected}")), "{protocol} {path}: {body}");
        }
    }
}

#[test]
fn a_401_reaches_a_client_that_still_sends() {
    let front = Front::start(quick(), None);
    let body = vec![b'x'; LARGE];
    let answer = exchange(front.plain, &posted("/closed", &body));
    assert!(status(&answer) == 401 && answer.contains("log in first"), "{answer}");
    let answer = h2(front.plain, request(front.plain, "POST", "/closed", body)).unwrap();
    assert_eq!(answer.status.as_u16(), 401);
}

#[test]
fn media_types_come_before_the_body() {
    let front = Front::start(quick(), None);
    let head = |fields: &str| {
        format!("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\nConnection: close\r\n{fields}\r\n")
    };
    let ask = |fields: &str| status(&exchange(front.plain, head(fields).as_bytes()));
    assert_eq!(ask("Content-Type: text/plain\r\nAccept: text/plain\r\n"), 415);
    assert_eq!(ask("Content-Type: application/json\r\nAccept: text/plain\r\n"), 406);
    assert_eq!(ask("Content-Type: application/json\r\n"), 413);
}

#[test]
fn a_waiting_client_is_told_to_send_and_only_if_the_body_is_wanted() {
    let front = Front::start(quick(), None);
    let head = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        )
    };
    let mut stream = connect(front.plain);
    stream.write_all(head("/count").as_bytes()).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"{}").unwrap();
    let answer = rest(&mut stream);
    assert!(status(&answer) == 200 && answer.ends_with("\r\n\r\n2"), "{answer}");

    let mut stream = connect(front.plain);
    stream.write_all(head("/closed").as_bytes()).unwrap();
    assert_eq!(status(&rest(&mut stream)), 401);
    let strange = head("/count").replace("100-continue", "something");
    assert_eq!(status(&exchange(front.plain, strange.as_bytes())), 417);
}

#[test]
fn an_early_answer_does_not_keep_a_small_request_open() {
    let front = Front::start(quick(), None);
    let took = |size| {
        let asked = Instant::now();
        let answer = h2(front.plain, request(front.plain, "POST", "/closed", vec![b'x'; size])).unwrap();
        assert_eq!(answer.status.as_u16(), 401);
        eventually("nothing is open", || front.metrics.open_requests() == 0);
        asked.elapsed()
    };
    for size in [10, 60_000] {
        // A gateway that waits for more does so each time, and for a second; a machine that is busy is not always as slow.
        assert!((0..20).any(|_| took(size) < Duration::from_millis(800)), "{size}");
    }
}
