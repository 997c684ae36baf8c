//! Ordinary requests, over everything that is spoken.

use std::path::{Path, PathBuf};

use super::clients::{certificate, connect_tls, curl, exchange, h2, request, status};
use super::front::{Front, eventually, quick};
use super::origin::Origin;
use sidegate::gateway::Limits;

#[test]
fn a_hello_comes_back_over_every_protocol() {
    let front = Front::start(quick(), None);
    let answer = exchange(front.plain, b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhello"), "{answer}");
    let lower = answer.to_ascii_lowercase();
    assert!(lower.contains("x-request-id: ") && lower.contains("x-content-type-options: nosniff"), "{answer}");
    assert!(!lower.contains("strict-transport-security"), "{answer}");

    let url = format!("https://localhost:{}/hello", front.tls.port());
    for protocol in ["--http1.1", "--http2"] {
        let (status, text) = curl(&["-i", protocol, &url]);
        assert!(status == 200 && text.ends_with("hello"), "{protocol}: {text}");
        assert!(text.to_ascii_lowercase().contains("strict-transport-security: max-age="), "{protocol}: {text}");
    }
    let (_, text) = curl(&["--http2", "-w", " over %{http_version}\n%{http_code}", &url]);
    assert!(text.ends_with("over 2"), "{text}");

    let answer = h2(front.plain, request(front.plain, "GET", "/hello", vec![])).unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"hello"[..]));
    assert!(answer.headers.contains_key("x-request-id"));
}

#[test]
fn a_client_with_the_wrong_protocol_is_told_so() {
    let front = Front::start(Limits::default(), None);
    for address in [front.tls, front.mutual] {
        let answer = exchange(address, b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(status(&answer) == 400 && answer.ends_with("\r\n\r\nThis port speaks TLS: use https.\n"), "{answer}");
        assert_eq!(exchange(address, b"\x00\x01binary"), "");
    }
    // The greeting of TLS, without a line end anywhere, from a client that waits for the other half of the handshake.
    let answer = exchange(front.plain, &[&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[0xab; 500]].concat());
    assert_eq!(status(&answer), 400, "{answer}");
    eventually("no connection is open", || front.metrics.open_connections() == 0);
}

#[test]
fn the_addresses_are_written_down() {
    let front = Front::start(quick(), None);
    let text = std::fs::read_to_string(front.data.join("addresses.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value[0]["address"], front.plain.to_string());
    assert_eq!(value[1]["tls"], true);
}

#[test]
fn head_is_get_without_the_body() {
    let front = Front::start(quick(), None);
    let answer = exchange(front.plain, b"HEAD /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("content-length: 5\r\n"), "{answer}");
    let answer = h2(front.plain, request(front.plain, "HEAD", "/hello", vec![])).unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
}

#[test]
fn nothing_is_served_by_accident() {
    let front = Front::start(quick(), None);
    let ask = |line: &str| exchange(front.plain, format!("{line}\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes());
    let missing = ask("GET /other HTTP/1.1");
    assert!(status(&missing) == 404 && missing.contains("application/problem+json"), "{missing}");
    let id = missing.split("x-request-id: ").nth(1).or(missing.split("X-Request-Id: ").nth(1)).unwrap();
    assert!(missing.contains(&format!("\"instance\":\"{}\"", &id[..36])), "{missing}");
    let method = ask("DELETE /hello HTTP/1.1");
    assert!(status(&method) == 405 && method.to_ascii_lowercase().contains("allow: get, head\r\n"), "{method}");
    assert_eq!(status(&ask("GET /a/../hello HTTP/1.1")), 400);
    assert_eq!(status(&ask("GET /%2e%2e/hello HTTP/1.1")), 400);
    assert_eq!(status(&ask("GET //hello HTTP/1.1")), 400);
    assert_eq!(status(&ask("GET http://b/hello HTTP/1.1")), 400);
    assert_eq!(status(&ask("GET http://a/hello HTTP/1.1")), 200);
    let answer = h2(front.plain, request(front.plain, "TRACE", "/hello", vec![])).unwrap();
    assert_eq!(answer.status.as_u16(), 405);
}

#[test]
fn a_panic_costs_one_request() {
    let front = Front::start(quick(), None);
    for path in ["/panic", "/broken"] {
        let answer = h2(front.plain, request(front.plain, "GET", path, vec![])).unwrap();
        assert_eq!(answer.status.as_u16(), 500, "{path}");
    }
    let twice = "GET /panic HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = exchange(front.plain, twice.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 500 ") && answer.ends_with("hello"), "{answer}");
}

#[test]
fn a_panic_on_the_way_to_a_server_is_answered_and_sends_nothing() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    for path in ["/uncommitted/a", "/unsent/a"] {
        let answer = exchange(front.plain, format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        assert!(status(&answer) == 500 && answer.contains("application/problem+json"), "{path}: {answer}");
        let answer = h2(front.plain, request(front.plain, "GET", path, vec![])).unwrap();
        assert_eq!(answer.status.as_u16(), 500, "{path}");
    }
    assert!(origin.got().is_empty());
    let told = |log: &str| {
        let ours = log.lines().filter(|line| ["uncommitted", "unsent"].iter().any(|row| line.contains(row)));
        ours.filter(|line| line.contains("\"refused_by\":\"broken\"")).count()
    };
    eventually("the lines name the filter", || told(&front.log()) == 4);
}

#[test]
fn a_panic_over_an_answer_leaves_it_as_it_is_and_the_other_filters_told() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    let answer = exchange(front.plain, b"GET /unnoted/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok"), "{answer}");
    let answer = h2(front.plain, request(front.plain, "GET", "/unnoted/a", vec![])).unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"ok"[..]));
    assert_eq!(*front.told.lock().unwrap(), [200, 200]);
}

#[test]
fn requests_are_counted_by_route() {
    let front = Front::start(quick(), None);
    assert_eq!(status(&exchange(front.plain, b"GET /hello HTTP/1.0\r\n\r\n")), 200);
    let line = r#"sidegate_requests_total{listener="public",method="GET",route="hello",status="2xx"} 1"#;
    eventually(line, || front.metrics().contains(line));
    eventually("no request is open", || front.metrics.open_requests() == 0);
    eventually("no connection is open", || front.metrics.open_connections() == 0);
}

#[test]
fn tls_is_modern_and_shows_the_whole_chain() {
    let front = Front::start(quick(), None);
    let url = format!("https://localhost:{}/hello", front.tls.port());
    assert_eq!(curl(&["--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0", &url]).0, 0);
    assert_eq!(curl(&["--tls-max", "1.2", &url]).0, 200);
    assert_eq!(curl(&["--tls-max", "1.2", "--ciphers", "AES128-SHA", &url]).0, 0, "no forward secrecy");
    let stream = connect_tls(front.tls, b"\x08http/1.1");
    assert_eq!(stream.ssl().peer_cert_chain().unwrap().len(), 2);
}

#[test]
fn a_listener_may_demand_a_certificate() {
    let front = Front::start(quick(), None);
    let url = format!("https://localhost:{}/hello", front.mutual.port());
    assert_eq!(curl(&[&url]).0, 0);
    let (certificate, key) = (front.data.join("cert.pem"), front.data.join("key.pem"));
    let with = ["--cert", certificate.to_str().unwrap(), "--key", key.to_str().unwrap(), &url];
    assert_eq!(curl(&with).0, 200);
    let (certificate, key) = strangers(&front.data);
    let with = ["--cert", certificate.to_str().unwrap(), "--key", key.to_str().unwrap(), &url];
    assert_eq!(curl(&with).0, 0, "of another authority");
    eventually("no connection is open", || front.metrics.open_connections() == 0);
}

fn strangers(data: &Path) -> (PathBuf, PathBuf) {
    let folder = data.join("strangers");
    std::fs::create_dir(&folder).unwrap();
    certificate(&folder)
}
