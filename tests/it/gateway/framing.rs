//! An upstream that says in two ways where its answer ends would answer the next request on the client's connection too,
//! whatever path that names.

use std::io::Write;

use super::clients::{connect, h2, request, rest, status};
use super::front::{Front, quick};
use super::origin::Origin;

/// Heads of HTTP/1.1 or 1.0, without their last line end, and what stands behind: a second answer for the unwary.
pub(super) const AMBIGUOUS: &[(&str, &str)] = &[
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", CHUNKED),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", CHUNKED),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n", CHUNKED),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", CHUNKED),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked,\r\n", CHUNKED),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: \"chunked\"\r\n", CHUNKED),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked;a=b\r\n", CHUNKED),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\nContent-Length: 2\r\n", "ok"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: \r\nContent-Length: 2\r\n", "ok"),
    ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n", CHUNKED),
    ("HTTP/1.1 200 OK\r\nContent-Length: 2, 6\r\n", "ok"),
    ("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n", "ok"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n", "ok"),
];
const CHUNKED: &str = "2\r\nok\r\n0\r\n\r\n";
/// What is read as one answer of two bytes by everybody, once it has passed.
pub(super) const PLAIN: &[(&str, &str)] = &[
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n", CHUNKED),
    ("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n", "ok"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n", "ok"),
    ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n", "ok"),
    ("HTTP/1.1 103 Early Hints\r\nContent-Length: 40\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n", "ok"),
    (
        "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nProxy-Connection: a\r\nTE: b\r\nUpgrade: h2c\r\nContent-Length: 2\r\n",
        "ok",
    ),
];

/// What the client reads of this target, and then of a path of ours, on one connection.
fn read(front: &Front, target: &str) -> String {
    let mut stream = connect(front.plain);
    let first = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    let second = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all([&first, second].concat().as_bytes()).unwrap();
    rest(&mut stream)
}

#[test]
fn an_answer_whose_end_is_not_clear_is_502_and_nothing_of_it_passes() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    for (index, (head, _)) in AMBIGUOUS.iter().enumerate() {
        let target = format!("/up/ambiguous/{index}");
        let answers = read(&front, &target);
        assert!(status(&answers) == 502 && !answers.contains("EVIL"), "{head}: {answers}");
        let answer = h2(front.plain, request(front.plain, "GET", &target, vec![])).unwrap();
        assert_eq!(answer.status.as_u16(), 502, "{head}");
    }
}

#[test]
fn an_answer_that_passes_says_once_where_it_ends_and_nothing_of_the_upstreams_connection() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    for (index, (head, _)) in PLAIN.iter().enumerate() {
        let answers = read(&front, &format!("/up/plain/{index}"));
        assert!(!answers.contains("EVIL") && !answers.contains("HTTP/1.0"), "{head}: {answers}");
        assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 2, "{head}: {answers}");
        let lower = answers.to_ascii_lowercase();
        let (first, _) = lower[lower.find("http/1.1 200").unwrap()..].split_once("\r\n\r\n").unwrap();
        let said = |name: &str| first.lines().filter(|line| line.starts_with(name)).count();
        assert_eq!(said("content-length: 2") + said("transfer-encoding: chunked"), 1, "{head}: {first}");
        assert_eq!((said("content-length"), said("connection: keep-alive")), (said("content-length: 2"), 1), "{first}");
        for name in ["keep-alive", "proxy-connection", "te:", "upgrade"] {
            assert_eq!(said(name), 0, "{head}: {first}");
        }
        assert!(!lower.contains("content-length: 40"), "{answers}");
    }
}

#[test]
fn a_client_who_knows_no_chunks_gets_none_and_reads_to_the_end_of_the_connection() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    for target in ["/up/unmeasured/0", "/up/unmeasured/1", "/up/chunked/1"] {
        let answer = |version: &str, connection: &str| {
            let mut stream = connect(front.plain);
            let request = format!("GET {target} HTTP/{version}\r\nHost: a\r\nConnection: {connection}\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            rest(&mut stream).to_ascii_lowercase()
        };
        for connection in ["close", "keep-alive"] {
            let old = answer("1.0", connection);
            let (head, body) = old.split_once("\r\n\r\n").unwrap();
            assert!(status(&head.to_ascii_uppercase()) == 200 && body == "hello", "{target}: {old}");
            assert!(!head.contains("transfer-encoding") && head.contains("connection: close"), "{target}: {old}");
        }
        let new = answer("1.1", "close");
        assert!(new.contains("transfer-encoding: chunked") && new.contains("5\r\nhello\r\n"), "{target}: {new}");
    }
}
