//! Malformed heads are refused with a proper answer, and nothing behind them is read as a request.

use std::io::Write;

use super::clients::{connect, connect_tls, exchange, h2, request, rest, status};
use super::front::{Front, eventually, quick};

#[test]
fn malformed_heads_get_a_problem_and_the_end_of_the_connection() {
    let front = Front::start(quick(), None);
    let smuggled = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    for (head, expected) in [
        ("GET /hello HTTP/1.1\nHost: a\n\n", 400),
        ("\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /hello x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /hel\0lo HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
        ("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", 400),
        ("POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        ("TRACE /hello HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ] {
        let answer = exchange(front.plain, format!("{head}{smuggled}").as_bytes());
        assert_eq!(status(&answer), expected, "{head:?}: {answer}");
        assert_eq!(answer.lines().filter(|line| line.starts_with("HTTP/1.1 ")).count(), 1, "{head:?}: {answer}");
        assert!(answer.contains("application/problem+json") && !answer.contains("hello"), "{head:?}: {answer}");
    }
    let line = r#"sidegate_requests_total{listener="public",method="-",route="-",status="4xx"} 12"#;
    eventually("refused heads are counted", || front.metrics().contains(line));
}

#[test]
fn the_same_holds_on_a_later_request_and_over_tls() {
    let front = Front::start(quick(), None);
    let twice = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\nHost: a\n\n";
    let mut plain = connect(front.plain);
    plain.write_all(twice).unwrap();
    let mut tls = connect_tls(front.tls, b"\x08http/1.1");
    tls.write_all(twice).unwrap();
    for answers in [rest(&mut plain), rest(&mut tls)] {
        assert!(answers.starts_with("HTTP/1.1 200 ") && answers.contains("HTTP/1.1 400 "), "{answers}");
    }
}

#[test]
fn too_many_fields_and_too_long_heads_are_431() {
    let front = Front::start(quick(), None);
    let head = |fields: &str| format!("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n");
    assert_eq!(status(&exchange(front.plain, head(&"X: y\r\n".repeat(98)).as_bytes())), 200);
    assert_eq!(status(&exchange(front.plain, head(&"X: y\r\n".repeat(99)).as_bytes())), 431);
    let long = format!("X: {}\r\n", "y".repeat(40_000));
    assert_eq!(status(&exchange(front.plain, head(&long).as_bytes())), 431);

    let mut many = request(front.plain, "GET", "/hello", vec![]);
    for _ in 0..100 {
        many.headers_mut().append("x-field", "y".parse().unwrap());
    }
    assert_eq!(h2(front.plain, many).unwrap().status.as_u16(), 431);
    let mut long = request(front.plain, "GET", "/hello", vec![]);
    long.headers_mut().insert("x-field", "y".repeat(40_000).parse().unwrap());
    assert_ne!(h2(front.plain, long).map_or(431, |answer| answer.status.as_u16()), 200);
}

#[test]
fn http2_requests_are_held_to_the_same() {
    let front = Front::start(quick(), None);
    let ask = |path: &str| h2(front.plain, request(front.plain, "GET", path, vec![])).unwrap().status.as_u16();
    assert_eq!(ask("/a/../hello"), 400);
    assert_eq!(ask("/hello%00"), 400);
    assert_eq!(ask("/hello?a=%2e%2e"), 200);
    let mut two = request(front.plain, "GET", "/hello", vec![]);
    two.headers_mut().append("host", "a".parse().unwrap());
    assert_ne!(h2(front.plain, two).map_or(400, |answer| answer.status.as_u16()), 200);
}
