//! Bodies where a server expects none: left unread on a kept connection they would be the next request, one that passed
//! no filter. They stay here.

use bytes::Bytes;
use http::{HeaderMap, Request};

use super::smuggling::{over_http2, raw};
use super::{House, ROUTES};

const FACETS: &str = "/nevisfido/uaf/1.1/facets";
/// A request as it would arrive, were the body before it left unread.
const FORGED: &str = "POST /nevisfido/status HTTP/1.1\r\nHost: a\r\nX-User: eve\r\nContent-Length: 0\r\n\r\n";

/// The sample, and a row whose server reads the bodies of GET.
async fn house() -> House {
    let row = "path: /search, methods: [GET, DELETE, OPTIONS], filters: [], upstream: fido-server, bodies-of: [GET]";
    House::with(|setup| setup.append(format!("{ROUTES}  - {{name: search, {row}}}\n"))).await
}

fn head(method: &str, path: &str, lines: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n")
}

fn with_length(method: &str, path: &str) -> Vec<u8> {
    format!("{}{FORGED}", head(method, path, &format!("Content-Length: {}", FORGED.len()))).into_bytes()
}

fn in_chunks(method: &str, path: &str, chunks: &str) -> Vec<u8> {
    format!("{}{chunks}0\r\n\r\n", head(method, path, "Transfer-Encoding: chunked")).into_bytes()
}

fn request(house: &House, method: &str, path: &str) -> Request<()> {
    let uri = format!("http://{}{path}", house.gateway.address("public"));
    Request::builder().method(method).uri(uri).body(()).unwrap()
}

#[tokio::test]
async fn a_body_that_no_server_expects_stays_here() {
    let house = house().await;
    let address = house.gateway.address("public");
    let methods =
        [("GET", FACETS), ("HEAD", FACETS), ("HEAD", "/search"), ("DELETE", "/search"), ("OPTIONS", "/search")];
    for (method, path) in methods {
        let chunk = format!("{:x}\r\n{FORGED}\r\n", FORGED.len());
        for bytes in [with_length(method, path), in_chunks(method, path, &chunk), in_chunks(method, path, "")] {
            assert_eq!(raw(address, bytes).await, 400, "{method} {path}");
        }
        let status = over_http2(address, request(&house, method, path), FORGED, HeaderMap::new()).await;
        assert_eq!(status, 400, "{method} {path}");
        assert!(house.arrived_since(0).is_none(), "{method} {path}");
    }
    for (method, path) in methods {
        assert_eq!(raw(address, head(method, path, "Content-Length: 0").into_bytes()).await, 200, "{method} {path}");
        let status = over_http2(address, request(&house, method, path), "", HeaderMap::new()).await;
        assert_eq!(status, 200, "{method} {path}");
    }
    assert_eq!(house.upstream.received().len(), 2 * methods.len());
}

/// The status of a request whose head leaves its end open; `last` is the last frame of its body.
async fn with_open_end(house: &House, path: &str, last: &'static [u8]) -> u16 {
    let tcp = tokio::net::TcpStream::connect(house.gateway.address("public")).await.unwrap();
    let (client, connection) = h2::client::handshake(tcp).await.unwrap();
    tokio::spawn(connection);
    let (response, mut stream) =
        client.ready().await.unwrap().send_request(request(house, "GET", path), false).unwrap();
    stream.send_data(Bytes::new(), false).unwrap();
    stream.send_data(Bytes::from_static(last), true).unwrap();
    response.await.unwrap().status().as_u16()
}

#[tokio::test]
async fn over_http2_a_request_without_body_may_end_in_a_frame_of_its_own() {
    let house = House::with(|setup| {
        let row = "path: /free, methods: [GET], filters: [], upstream: fido-server";
        setup.append(format!("{ROUTES}  - {{name: free, {row}}}\n"))
    })
    .await;
    for path in [FACETS, "/free"] {
        assert_eq!(with_open_end(&house, path, b"").await, 200, "{path}");
        let received = house.upstream.received();
        assert!(received.last().is_some_and(|received| received.body.is_empty()), "{path}: {received:#?}");
        assert_eq!(with_open_end(&house, path, b"x").await, 400, "{path}");
        assert_eq!(house.upstream.received().len(), received.len(), "{path}");
    }
}

/// `http-api.md` 0.1: who may not pass is told that first.
#[tokio::test]
async fn whoever_may_not_pass_learns_nothing_of_bodies() {
    let house = house().await;
    let (address, path) = (house.gateway.address("public"), "/nevisfido/token/dispatch/targets/abc");
    assert_eq!(raw(address, with_length("DELETE", path)).await, 401);
    assert_eq!(over_http2(address, request(&house, "DELETE", path), FORGED, HeaderMap::new()).await, 401);
}

#[tokio::test]
async fn a_row_says_which_bodies_its_server_reads() {
    let house = house().await;
    let address = house.gateway.address("public");
    let chunk = format!("{:x}\r\n{FORGED}\r\n", FORGED.len());
    for bytes in [with_length("GET", "/search"), in_chunks("GET", "/search", &chunk)] {
        assert_eq!(raw(address, bytes).await, 200);
    }
    let status = over_http2(address, request(&house, "GET", "/search"), FORGED, HeaderMap::new()).await;
    assert_eq!(status, 200);
    let received = house.upstream.received();
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|received| received.body == FORGED.as_bytes()), "{received:#?}");
}
