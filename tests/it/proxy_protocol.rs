//! Balancers before the gateway that say by PROXY protocol whom they connect for.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};

use crate::support::gateway::{Gateway, Setup};
use crate::support::raw::Socket;
use crate::support::upstream::Upstream;
use crate::support::wait;

const LINE: &str = "PROXY TCP4 203.0.113.9 192.0.2.1 12345 443\r\n";
const REQUEST: &str = "GET /app/a HTTP/1.1\r\nHost: gate.example\r\nConnection: close\r\n\r\n";

/// A gateway whose public listeners take balancers of this network; its internal one takes none.
async fn behind(upstream: &Upstream, network: &str) -> Gateway {
    let key = format!("    proxy-protocol: [{network}]\n");
    let row = "  - {name: app, path: /app/*, methods: [GET], filters: [], upstream: app, on: [public, internal]}\n";
    let setup = Setup::default()
        .tls()
        .replace("    address: 127.0.0.1:8080\n", format!("    address: 127.0.0.1:8080\n{key}"))
        .replace("    address: 127.0.0.1:TLS_PORT\n", format!("    address: 127.0.0.1:TLS_PORT\n{key}"))
        .append("limits: {header-time: 2s}\n")
        .append(format!("upstreams:\n  app: {{url: 'http://{}'}}\nroutes:\n{row}", upstream.address));
    setup.start().await
}

/// All that is said to these bytes until the connection is closed.
fn said(mut tcp: TcpStream, bytes: &[u8]) -> String {
    tcp.set_read_timeout(Some(wait::BOUND)).unwrap();
    let mut said = Vec::new();
    let sent = tcp.write_all(bytes);
    let _ = sent.and_then(|()| tcp.read_to_end(&mut said).map(drop));
    String::from_utf8_lossy(&said).into_owned()
}

fn connect(gateway: &Gateway) -> TcpStream {
    TcpStream::connect(gateway.address("public")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_behind_a_balancer_is_known_by_its_own_address() {
    let upstream = Upstream::start().await;
    let gateway = behind(&upstream, "127.0.0.0/8").await;
    let text = said(connect(&gateway), format!("{LINE}{REQUEST}").as_bytes());
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");

    let mut tcp = TcpStream::connect(gateway.tls_address()).unwrap();
    let signature = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c";
    tcp.write_all(&[signature.as_slice(), &[198, 51, 100, 7, 192, 0, 2, 1, 0x30, 0x39, 1, 0xbb]].concat()).unwrap();
    let mut builder = SslConnector::builder(SslMethod::tls()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    let mut tls = builder.build().connect("localhost", tcp).unwrap();
    tls.write_all(REQUEST.as_bytes()).unwrap();
    let mut text = String::new();
    let _ = tls.read_to_string(&mut text);
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");

    // Another one took TLS off.
    let signature = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x14";
    let ends = [203, 0, 113, 9, 192, 0, 2, 1, 0x30, 0x39, 1, 0xbb, 0x20, 0, 5, 1, 0, 0, 0, 0];
    let text = said(connect(&gateway), &[signature.as_slice(), &ends, REQUEST.as_bytes()].concat());
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");

    // Whoever speaks for itself is where its socket is.
    let text = said(connect(&gateway), format!("PROXY UNKNOWN\r\n{REQUEST}").as_bytes());
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    let received = upstream.received();
    let from: Vec<_> = received.iter().flat_map(|request| request.values("x-forwarded-for")).collect();
    assert_eq!(from, ["203.0.113.9", "198.51.100.7", "203.0.113.9", "127.0.0.1"]);
    let schemes: Vec<_> = received.iter().flat_map(|request| request.values("x-forwarded-proto")).collect();
    assert_eq!(schemes, ["http", "https", "https", "http"]);
    wait::until("the line of the first", wait::BOUND, async || {
        gateway.log().contains("\"client\":\"203.0.113.9\"").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_header_nothing_is_heard_and_it_has_to_come_in_time() {
    let upstream = Upstream::start().await;
    let gateway = behind(&upstream, "127.0.0.0/8").await;
    let refused = "sidegate_connections_refused_total{listener=\"public\",reason=\"proxy-protocol\"}";
    let metrics = gateway.management().get("/metrics").send().await.expect(200).text();
    assert!(metrics.contains(&format!("{refused} 0")), "it is foretold: {metrics}");
    for bytes in [
        REQUEST,
        "PROXY TCP4 203.0.113.9 192.0.2.1 012345 443\r\n",
        "PROXY TCP4 203.0.113.9\n",
        "\r\n\r\n\0\r\nQUIT\nx",
    ] {
        assert_eq!(said(connect(&gateway), format!("{bytes}{REQUEST}").as_bytes()), "", "{bytes}");
    }
    let mut slow = Socket::plain(gateway.address("public"));
    let (_, said) = slow.dribble(b"PROXY UNKNOWN ", Duration::from_millis(300));
    assert_eq!(said, "");
    assert!(upstream.received().is_empty());
    assert_eq!(gateway.metric(refused).await, 5);
    for (why, times) in [("it did not begin with a PROXY header", 1), ("its PROXY header is broken", 3)] {
        wait::until(why, wait::BOUND, async || (gateway.log().matches(why).count() == times).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_none_of_the_balancers_is_not_heard() {
    let upstream = Upstream::start().await;
    let gateway = behind(&upstream, "192.0.2.0/24").await;
    for bytes in [REQUEST.to_owned(), format!("{LINE}{REQUEST}")] {
        assert_eq!(said(connect(&gateway), bytes.as_bytes()), "");
    }
    assert!(upstream.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_asks_for_none_refuses_a_header() {
    let upstream = Upstream::start().await;
    let row = "  - {name: app, path: /app/*, methods: [GET], filters: [], upstream: app}\n";
    let setup = Setup::default().tls();
    let setup = setup.append(format!("upstreams:\n  app: {{url: 'http://{}'}}\nroutes:\n{row}", upstream.address));
    let gateway = setup.start().await;
    for header in [LINE.as_bytes(), b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"] {
        let bytes = [header, REQUEST.as_bytes()].concat();
        let text = said(connect(&gateway), &bytes);
        assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
        let text = said(TcpStream::connect(gateway.tls_address()).unwrap(), &bytes);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 400 "), "{text}");
    }
    assert!(upstream.received().is_empty());
}
