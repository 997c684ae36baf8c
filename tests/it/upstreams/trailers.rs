//! Trailers: a client's stay here, whichever protocols there are on either side, and so does what `remove-headers` names; a
//! server's can't hand out sessions.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::net::{TcpListener, TcpStream};

use super::scripted::{Script, Scripted};
use crate::support::gateway::{Gateway, Setup};

/// What a client sends behind its body.
fn forged() -> HeaderMap {
    let mut trailers = HeaderMap::new();
    for name in ["x-user", "x_user", "authorization", "content-length", "x-employee", "x-other"] {
        trailers.insert(name, HeaderValue::from_static("eve"));
    }
    trailers
}

/// An HTTP/2 server without TLS that tells what arrived, head and trailers, and answers with trailers.
async fn http2_server() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, got) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let all = got.clone();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let all = all.clone();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(tcp).await.unwrap();
                while let Some(Ok((request, respond))) = connection.accept().await {
                    tokio::spawn(answer(request, respond, all.clone()));
                }
            });
        }
    });
    (address, got)
}

async fn answer(
    request: Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<Bytes>,
    all: Arc<Mutex<Vec<String>>>,
) {
    let (head, mut body) = request.into_parts();
    while let Some(piece) = body.data().await {
        body.flow_control().release_capacity(piece.unwrap().len()).unwrap();
    }
    let trailers = body.trailers().await.unwrap();
    all.lock().unwrap().push(format!("{} {:?} {trailers:?}", head.uri.path(), head.headers));
    let mut stream = respond.send_response(Response::new(()), false).unwrap();
    stream.send_data(Bytes::from_static(b"ok"), false).unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", HeaderValue::from_static("1"));
    for name in ["set-cookie", "set_cookie", "set-cookie2", "clear-site-data", "cache-control", "content_length"] {
        trailers.insert(name, HeaderValue::from_static("sidegate-main=planted"));
    }
    stream.send_trailers(trailers).unwrap();
}

/// POSTs over HTTP/2 with trailers, and gives the trailers of the answer.
async fn post_http2(gateway: &Gateway, path: &str) -> Option<HeaderMap> {
    let address = gateway.address("public");
    let tcp = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(tcp).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(format!("http://{address}{path}")).header("te", "trailers");
    let request = request.header("x-employee", "eve").header("x_employee", "eve").body(()).unwrap();
    let (response, mut upload) = client.ready().await.unwrap().send_request(request, false).unwrap();
    upload.send_data(Bytes::from_static(b"ab"), false).unwrap();
    upload.send_trailers(forged()).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    while let Some(piece) = body.data().await {
        body.flow_control().release_capacity(piece.unwrap().len()).unwrap();
    }
    body.trailers().await.unwrap()
}

/// POSTs over HTTP/1.1 with trailers.
async fn post_http1(gateway: &Gateway, path: &str) {
    let address = gateway.address("public");
    let trailers: String = forged().keys().map(|name| format!("{name}: eve\r\n")).collect();
    let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-User\r\n");
    let head = format!("{head}X-Employee: eve\r\nX_Employee: eve\r\nx.employee: eve\r\n");
    let bytes = format!("{head}Connection: close\r\n\r\n2\r\nab\r\n0\r\n{trailers}\r\n");
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut stream, bytes.as_bytes()).unwrap();
        let mut answer = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    });
    let answer = answer.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(!answer.contains("planted"), "{answer}");
}

#[tokio::test]
async fn a_clients_trailers_stay_here_and_no_session_comes_in_a_servers() {
    let older = Scripted::start(Script::Answer);
    let (newer, got) = http2_server().await;
    let row =
        |name: &str| format!("  - {{name: {name}, path: /{name}/*, methods: [POST], filters: [], upstream: {name}}}\n");
    let upstream = |name: &str, address: SocketAddr, protocol: &str| {
        format!("  {name}: {{url: 'http://{address}', protocol: {protocol}, remove-headers: [X-Employee]}}\n")
    };
    let upstreams = upstream("older", older.address, "h1") + &upstream("newer", newer, "h2");
    let setup = format!("upstreams:\n{upstreams}routes:\n{}{}", row("older"), row("newer"));
    let gateway = Setup::default().append(setup).start().await;
    for path in ["/older/", "/newer/"] {
        post_http1(&gateway, path).await;
    }
    assert_eq!(post_http2(&gateway, "/older/").await, None);
    let trailers = post_http2(&gateway, "/newer/").await.unwrap();
    assert_eq!(trailers.keys().map(http::HeaderName::as_str).collect::<Vec<_>>(), ["x-checksum"]);
    let arrived = [older.got(), got.lock().unwrap().clone()].concat();
    assert_eq!(arrived.len(), 4);
    assert!(arrived.iter().all(|arrived| !arrived.contains("eve") && !arrived.contains("railer:")), "{arrived:#?}");
}
