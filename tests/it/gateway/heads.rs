//! Heads that are refused, beside those of [`super::raw`]: what is counted of them, and how much a head may be.

use super::clients::{exchange, h2, request, status};
use super::front::{Front, eventually, quick};

#[test]
fn refused_heads_are_counted() {
    let front = Front::start(quick(), None);
    let heads = [("GET /hello HTTP/1.1\r\n\r\n", 400), ("TRACE /hello HTTP/1.1\r\nHost: a\r\n\r\n", 405)];
    for (head, expected) in heads {
        assert_eq!(status(&exchange(front.plain, head.as_bytes())), expected);
    }
    let line = r#"sidegate_requests_total{listener="public",method="-",route="-",status="4xx"} 2"#;
    eventually("refused heads are counted", || front.metrics().contains(line));
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
