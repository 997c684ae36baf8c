//! Requests that go on to a server behind the gateway.

use std::io::Write;
use std::net::SocketAddr;

use super::clients::{connect, exchange, h2, request, rest, status};
use super::front::{Front, eventually, quick};
use super::origin::Origin;
use crate::support::ports;

const LIMIT: usize = 64 * 1024;

fn get(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n{fields}\r\n")
}

#[test]
fn the_upstream_gets_the_canonical_request_and_the_client_its_answer() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    let answer = exchange(front.plain, get("/up/a%7eb?q=%2e", "X-Other: kept\r\nX-Secret: s\r\n").as_bytes());
    let lower = answer.to_ascii_lowercase();
    assert!(status(&answer) == 200 && answer.ends_with("\r\n\r\nok"), "{answer}");
    assert!(lower.contains("cache-control: no-store\r\n") && !lower.contains("public"), "{answer}");
    assert!(lower.contains("x-request-id: ") && !lower.contains("theirs"), "{answer}");
    let head = origin.got()[0].head.to_ascii_lowercase();
    assert!(head.starts_with("get /up/a~b?q=%2e http/1.1\n"), "{head}");
    for field in ["x-user: alice", "x-other: kept", "x-forwarded-for: 127.0.0.1", "x-forwarded-host: a.example"] {
        assert!(head.contains(&format!("{field}\n")), "{field}: {head}");
    }
    assert!(!head.contains("x-secret"), "{head}");
    assert_eq!(*front.told.lock().unwrap(), [200]);
}

#[test]
fn nobody_else_says_who_is_calling() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    let fields =
        "X-User: eve\r\nX_User: eve\r\nX.User: eve\r\nForwarded: for=eve\r\nX-HTTP-Method-Override: DELETE\r\n";
    assert_eq!(status(&exchange(front.plain, get("/up/", fields).as_bytes())), 200);
    let mut over_h2 = request(front.plain, "GET", "/up/", vec![]);
    for name in ["x-user", "x_user", "x.user", "x-forwarded-for", "x-method-override"] {
        over_h2.headers_mut().append(http::HeaderName::from_static(name), "eve".parse().unwrap());
    }
    assert_eq!(h2(front.plain, over_h2).unwrap().status.as_u16(), 200);
    let nominated = get("/up/", "X-User: eve\r\n").replace("Connection: close", "Connection: close, X-User");
    assert_eq!(status(&exchange(front.plain, nominated.as_bytes())), 200);
    for got in origin.got() {
        let head = got.head.to_ascii_lowercase();
        assert!(head.contains("x-user: alice\n") && !head.contains("eve"), "{head}");
        assert!(!head.contains("method-override"), "{head}");
    }
    assert_eq!(origin.got().len(), 3);
}

#[test]
fn no_spelling_of_what_frames_or_places_a_request_passes() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    let names = [
        "content_length",
        "content.type",
        "transfer_encoding",
        "x_forwarded_for",
        "x-forwarded",
        "x.original.url",
        "x-rewrite-url",
        "x_host",
        "true_client_ip",
        "proxy",
        "proxy_connection",
        "keep_alive",
        "http2_settings",
    ];
    let fields: String = names.iter().map(|name| format!("{name}: eve\r\n")).collect();
    assert_eq!(status(&exchange(front.plain, get("/up/", &fields).as_bytes())), 200);
    let mut over_h2 = request(front.plain, "POST", "/up/", b"body".to_vec());
    for name in names {
        over_h2.headers_mut().append(http::HeaderName::from_static(name), "eve".parse().unwrap());
    }
    assert_eq!(h2(front.plain, over_h2).unwrap().status.as_u16(), 200);
    let got = origin.got();
    assert_eq!((got.len(), &got[1].body[..]), (2, &b"body"[..]));
    assert!(got[1].head.to_ascii_lowercase().contains("content-type: application/json\n"), "{}", got[1].head);
    for got in got {
        assert!(!got.head.contains("eve"), "{}", got.head);
    }
}

#[test]
fn an_upstream_sets_its_own_cookies_and_no_session_of_ours() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    let answer = exchange(front.plain, get("/up/cookies", "").as_bytes());
    assert!(answer.contains("200 OK") && answer.ends_with("ok"), "{answer}");
    assert!(!answer.to_ascii_lowercase().contains("sidegate"), "{answer}");
    assert!(answer.contains("theme=dark; Path=/\r\n") && answer.contains("lang=de\r\n"), "{answer}");
    let answer = h2(front.plain, request(front.plain, "GET", "/up/cookies", vec![])).unwrap();
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["theme=dark; Path=/", "lang=de"]);
    assert_eq!(answer.headers.get_all("clear-site-data").iter().collect::<Vec<_>>(), ["\"cache\""]);
}

#[test]
fn an_upgrade_that_nobody_asked_for_is_502() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    let asked = get("/up/switch", "").replace("Connection: close", "Connection: close, upgrade\r\nUpgrade: websocket");
    for bytes in [get("/up/switch", ""), asked] {
        let answer = exchange(front.plain, bytes.as_bytes());
        assert!(status(&answer) == 502 && !answer.contains(" 101 "), "{answer}");
    }
    let answer = h2(front.plain, request(front.plain, "GET", "/up/switch", vec![])).unwrap();
    assert_eq!(answer.status.as_u16(), 502);
}

#[test]
fn an_upstream_says_only_so_much_before_its_answer() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    for (heads, expected) in [(16, 200), (17, 502), (100_000, 502)] {
        let answer = exchange(front.plain, get(&format!("/up/early/{heads}"), "").as_bytes());
        assert!(answer.matches(" 103 ").count() <= 16, "{answer}");
        assert!(answer.contains(&format!("HTTP/1.1 {expected} ")), "{answer}");
        let answer = h2(front.plain, request(front.plain, "GET", &format!("/up/early/{heads}"), vec![])).unwrap();
        assert_eq!(answer.status.as_u16(), expected, "{heads} over HTTP/2");
    }
}

#[test]
fn a_client_of_http_1_0_hears_nothing_before_its_answer() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    let waiting = "POST /count HTTP/1.0\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{}";
    for asked in ["GET /up/early/3 HTTP/1.0\r\nHost: a\r\n\r\n", waiting] {
        let answer = exchange(front.plain, asked.as_bytes());
        assert_eq!((status(&answer), answer.matches("HTTP/1.").count()), (200, 1), "{answer}");
    }
    let answer = exchange(front.plain, get("/up/early/3", "").as_bytes());
    assert_eq!(answer.matches("HTTP/1.1 103 ").count(), 3, "one of HTTP/1.1 does: {answer}");
}

#[test]
fn an_answer_that_has_no_body_has_no_length_either_and_nothing_behind_it() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    for code in [204, 304] {
        let path = format!("/up/empty/{code}");
        let mut stream = connect(front.plain);
        let empty = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        stream.write_all([empty, get("/up/", "")].concat().as_bytes()).unwrap();
        let answers = rest(&mut stream);
        let (first, second) = answers.split_once("\r\n\r\n").unwrap();
        assert!(status(first) == code && !first.to_ascii_lowercase().contains("length"), "{answers}");
        assert!(status(second) == 200 && second.ends_with("\r\n\r\nok"), "{answers}");
        let answer = h2(front.plain, request(front.plain, "GET", &path, vec![])).unwrap();
        assert!(answer.status.as_u16() == code && answer.body.is_empty(), "{answer:?}");
        assert!(!answer.headers.contains_key("content-length"), "{answer:?}");
    }
}

#[test]
fn a_body_that_a_filter_wants_arrives_whole_or_not_at_all() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    let mut arrived = 0;
    for (size, expected) in [(0, 200), (1, 200), (LIMIT - 1, 200), (LIMIT, 200), (LIMIT + 1, 413), (10 << 20, 413)] {
        let body: Vec<u8> = (0..size).map(|index| b'a' + u8::try_from(index % 23).unwrap()).collect();
        let head = format!("POST /held/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n");
        let plain = exchange(front.plain, &[head.as_bytes(), &body].concat());
        let chunked = format!(
            "POST /held/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{size:x}\r\n"
        );
        let end: &[u8] = if size == 0 { b"\r\n" } else { b"\r\n0\r\n\r\n" };
        let chunked = exchange(front.plain, &[chunked.as_bytes(), &body, end].concat());
        assert_eq!((status(&plain), status(&chunked)), (expected, expected), "{size}: {plain}{chunked}");
        let answer = h2(front.plain, request(front.plain, "POST", "/held/", body.clone())).unwrap();
        assert_eq!(answer.status.as_u16(), expected, "{size} over HTTP/2");
        arrived += if expected == 200 { 3 } else { 0 };
        assert_eq!(origin.got().len(), arrived, "{size}");
        assert!(expected != 200 || origin.got()[arrived - 3..].iter().all(|got| got.body == body), "{size}");
    }
}

#[test]
fn a_body_that_nobody_wants_streams_up_to_its_limit() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    for (path, size, expected) in
        [("/up/", 1 << 20, 200), ("/capped/", 128 * 1024, 200), ("/capped/", 128 * 1024 + 1, 413)]
    {
        let body = vec![b'x'; size];
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
        let plain = exchange(
            front.plain,
            &[head.as_bytes(), format!("{size:x}\r\n").as_bytes(), &body, b"\r\n0\r\n\r\n"].concat(),
        );
        assert_eq!(status(&plain), expected, "{path} {size}: {plain}");
        let answer = h2(front.plain, request(front.plain, "POST", path, body)).unwrap();
        assert_eq!(answer.status.as_u16(), expected, "{path} {size} over HTTP/2");
    }
    assert!(origin.got().iter().all(|got| got.body.len() >= 128 * 1024));
}

#[test]
fn a_streaming_body_that_stands_still_is_cut() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    let mut stream = connect(front.plain);
    stream.write_all(b"POST /up/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome").unwrap();
    let answer = rest(&mut stream);
    assert_eq!(status(&answer), 408, "{answer}");

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let reset = runtime.block_on(async {
        let tcp = tokio::net::TcpStream::connect(front.plain).await.unwrap();
        let (client, connection) = h2::client::handshake(tcp).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::post(format!("http://{}/up/", front.plain)).body(()).unwrap();
        let (response, mut stream) = client.ready().await.unwrap().send_request(request, false).unwrap();
        stream.send_data(bytes::Bytes::from_static(b"some"), false).unwrap();
        response.await.unwrap_err()
    });
    assert_eq!(reset.reason(), Some(h2::Reason::CANCEL), "{reset}");
    eventually("a cut request is counted", || front.metrics().contains(r#"route="up",status="cut"} 1"#));
    let by_client = r#"sidegate_requests_cut_total{by="client",listener="public",route="up"} 1"#;
    eventually("by whom", || front.metrics().contains(by_client));
}

#[test]
fn a_server_that_fails_is_502_or_504() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    for (path, expected) in [("/up/silent", 504), ("/up/garbage", 502)] {
        let answer = exchange(front.plain, get(path, "").as_bytes());
        assert!(status(&answer) == expected && answer.contains("application/problem+json"), "{path}: {answer}");
        let answer = h2(front.plain, request(front.plain, "GET", path, vec![])).unwrap();
        assert_eq!(answer.status.as_u16(), expected, "{path} over HTTP/2");
    }
    let gone = SocketAddr::from(([127, 0, 0, 1], ports::free()));
    let front = Front::start(quick(), Some(gone));
    let answer = exchange(front.plain, b"GET /up/ HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(status(&answer), 502);
    assert!(answer.to_ascii_lowercase().contains("connection: close\r\n"), "it closes, and says so: {answer}");
    assert!(front.told.lock().unwrap().is_empty());
}

#[test]
fn a_browser_reads_a_page_where_a_server_fails_and_everybody_else_gets_the_problem() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    let html = "Accept: text/html,application/xhtml+xml;q=0.9\r\n";
    for (path, expected) in [("/up/silent", 504), ("/up/garbage", 502), ("/broken", 500), ("/away", 503)] {
        let answer = exchange(front.plain, get(path, html).as_bytes());
        let (head, page) = answer.split_once("\r\n\r\n").unwrap();
        let head = head.to_ascii_lowercase();
        assert!(status(&answer) == expected && head.contains("content-type: text/html"), "{path}: {answer}");
        for field in ["cache-control: no-store", "content-security-policy: default-src 'none'", "x-frame-options: deny"]
        {
            assert_eq!(head.matches(field).count(), 1, "{path}: {field}: {head}");
        }
        let id = head.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
        assert!(page.contains(&format!("<code>{id}</code>")) && !page.contains("/up/"), "{path}: {page}");
        assert_eq!(head.contains("retry-after: 7"), path == "/away", "{path}: {head}");
        for other in ["", "Accept: */*\r\n", "Accept: application/json\r\n"] {
            let answer = exchange(front.plain, get(path, other).as_bytes());
            assert!(status(&answer) == expected && answer.contains("application/problem+json"), "{path}: {answer}");
        }
    }
}

#[test]
fn requests_behind_one_another_are_all_answered() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    let mut stream = connect(front.plain);
    let posted = "POST /up/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab";
    let chunked = "POST /up/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    let plain = "GET /up/ HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all([plain, plain, posted, chunked, &get("/up/", "")].concat().as_bytes()).unwrap();
    let answers = rest(&mut stream);
    assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 5, "{answers}");
    assert_eq!(origin.got().len(), 5);
}
