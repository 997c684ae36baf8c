//! Heads over HTTP/2 are held to what is taken over HTTP/1.1.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderName, Request, Response};
use tokio::net::TcpListener;

use crate::support::gateway::Setup;

/// An HTTP/2 server whose answers have as many fields, each of as many bytes, as the path says: `/app/fields/bytes`.
async fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(tcp).await.unwrap();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    // Its client may have let go of it.
                    let _ = respond.send_response(answer(&request), false).map(|mut stream| {
                        let _ = stream.send_data(Bytes::from_static(b"ok"), true);
                    });
                }
            });
        }
    });
    address
}

fn answer<B>(request: &Request<B>) -> Response<()> {
    let mut numbers = request.uri().path().split('/').skip(2).map(|number| number.parse::<usize>().unwrap());
    let (fields, bytes) = (numbers.next().unwrap(), numbers.next().unwrap());
    let mut answer = Response::new(());
    for field in 0..fields {
        let name = HeaderName::try_from(format!("x-{field}")).unwrap();
        answer.headers_mut().append(name, "x".repeat(bytes).parse().unwrap());
    }
    answer
}

#[tokio::test]
async fn a_head_of_http_2_is_as_long_as_one_of_http_1_at_most() {
    let row = "  - {name: app, path: /app/*, methods: [GET], filters: [], upstream: app}\n";
    let upstream = format!("{{url: 'http://{}', protocol: h2}}", server().await);
    let gateway = Setup::default().append(format!("upstreams:\n  app: {upstream}\nroutes:\n{row}")).start().await;
    let client = gateway.public_http2();
    client.get("/app/200/10").send().await.expect(200);
    for path in ["/app/300/10", "/app/200/6000", "/app/2000/1000"] {
        client.get(path).send().await.problem(502);
    }
    client.get("/app/1/1").send().await.expect(200);
}
