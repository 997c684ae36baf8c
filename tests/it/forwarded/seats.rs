//! Places for connections and for requests over HTTP/2, where one proxy connects for many.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::ops::RangeInclusive;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::support::frames::{self, END_HEADERS, END_STREAM, Frame, HEADERS, RST_STREAM, frame};
use crate::support::gateway::{Gateway, Setup};
use crate::support::wait;

/// A quarter of eight connections, and of sixteen requests over HTTP/2, is what one network may have.
const LIMITS: &str = "limits: {connections: 8, requests: 16, body-window: 10m, idle: 10m}\n";
const PROXY: Ipv4Addr = Ipv4Addr::LOCALHOST;
const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

async fn behind_a_proxy() -> Gateway {
    let believed = "    forwarded: {from: [127.0.0.1/32], header: x-forwarded-for}\n";
    let setup =
        Setup::default().replace("    address: 127.0.0.1:8080\n", format!("    address: 127.0.0.1:8080\n{believed}"));
    setup.append(LIMITS).start().await
}

/// A connection from this address that has been answered, if it is, and stays open.
async fn answered(gateway: &Gateway, from: Ipv4Addr) -> Option<tokio::net::TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((IpAddr::V4(from), 0).into()).unwrap();
    let mut stream = socket.connect(gateway.address("public")).await.unwrap();
    let _ = stream.write_all(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut status = [0; 12];
    let read = stream.read_exact(&mut status).await;
    read.ok().map(|_| assert_eq!(&status, b"HTTP/1.1 200"))?;
    Some(stream)
}

#[tokio::test]
async fn a_proxy_connects_for_many_and_a_stranger_for_its_network() {
    let gateway = behind_a_proxy().await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(answered(&gateway, NEIGHBOUR).await.expect("within its share"));
    }
    assert!(answered(&gateway, NEIGHBOUR).await.is_none(), "a quarter of eight");
    for _ in 0..5 {
        held.push(answered(&gateway, PROXY).await.expect("it has no share"));
    }
    let refused = gateway.metric("sidegate_connections_refused_total{listener=\"public\",reason=\"share\"}").await;
    assert_eq!((held.len(), refused), (7, 1));
}

/// What a request of this client has besides.
fn fields(client: &str) -> Vec<u8> {
    let fields = [("content-type", "application/json"), ("x-forwarded-for", client)];
    fields.iter().flat_map(|(name, value)| frames::field(name.as_bytes(), value.as_bytes())).collect()
}

/// A request of this client whose body is to come.
fn begun(stream: u32, client: &str) -> Vec<u8> {
    let head = [frames::request("POST", "/nevisfido/status"), fields(client)].concat();
    frame(HEADERS, END_HEADERS, stream, &head)
}

/// The first frame that tells what becomes of one of these streams.
fn told(connection: &mut TcpStream, streams: RangeInclusive<u32>) -> Frame {
    let mut frames = std::iter::from_fn(|| Frame::read(connection));
    frames.find(|frame| streams.contains(&frame.stream) && matches!(frame.kind, HEADERS | RST_STREAM)).unwrap()
}

#[tokio::test]
async fn over_http2_each_client_of_a_proxy_has_its_share() {
    let gateway = behind_a_proxy().await;
    let mut proxy = TcpStream::connect(gateway.address("public")).unwrap();
    proxy.set_read_timeout(Some(wait::BOUND)).unwrap();
    proxy.write_all(&frames::greeting()).unwrap();
    for (client, first) in [("203.0.113.9", 1), ("203.0.113.10", 11)] {
        // Of five that come at once any may be the last.
        for number in 0..5 {
            proxy.write_all(&begun(first + 2 * number, client)).unwrap();
        }
        let refused = told(&mut proxy, first..=first + 8);
        assert_eq!((refused.kind, refused.code()), (RST_STREAM, "REFUSED_STREAM"), "{client}: a quarter of sixteen");
    }
    let head = [frames::request("GET", "/.well-known/jwks.json"), fields("203.0.113.11")].concat();
    proxy.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 21, &head)).unwrap();
    let answer = told(&mut proxy, 21..=21);
    assert_eq!((answer.kind, answer.status()), (HEADERS, 200));
    let refused = gateway.metric("sidegate_requests_refused_total{listener=\"public\",reason=\"share\"}").await;
    assert_eq!(refused, 2, "and none of those that were within their share");
}
