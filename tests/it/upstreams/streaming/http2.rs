//! The two ends of long bodies over HTTP/2; neither holds more than a piece.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::{RecvStream, SendStream};
use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};

const PIECE: Bytes = Bytes::from_static(&[b'x'; 64 * 1024]);

/// As the HTTP/1.1 server does, without TLS, on a thread of its own.
pub(super) fn server() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(serve(tcp));
            }
        });
    });
    address
}

async fn serve(tcp: TcpStream) {
    tcp.set_nodelay(true).unwrap();
    let mut connection = h2::server::handshake(tcp).await.unwrap();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        tokio::spawn(async move {
            let (head, body) = request.into_parts();
            let size = head.uri.path().rsplit('/').next().and_then(|size| size.parse().ok());
            let got = receive(body).await;
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            match size {
                Some(size) => send(&mut stream, size).await,
                None => stream.send_data(got.to_string().into(), true).unwrap(),
            }
        });
    }
}

/// Sends as many bytes, as the other side takes them.
async fn send(stream: &mut SendStream<Bytes>, mut left: u64) {
    while left > 0 {
        stream.reserve_capacity(PIECE.len());
        let room = std::future::poll_fn(|context| stream.poll_capacity(context)).await.unwrap().unwrap();
        let size = room.min(PIECE.len()).min(usize::try_from(left).unwrap_or(usize::MAX));
        left -= u64::try_from(size).unwrap();
        stream.send_data(PIECE.slice(..size), left == 0).unwrap();
    }
}

/// Takes everything and gives its length.
async fn receive(mut body: RecvStream) -> u64 {
    let mut got = 0;
    while let Some(piece) = body.data().await {
        let size = piece.unwrap().len();
        body.flow_control().release_capacity(size).unwrap();
        got += u64::try_from(size).unwrap();
    }
    got
}

async fn call(address: SocketAddr, request: Request<()>, size: u64) -> RecvStream {
    let tcp = TcpStream::connect(address).await.unwrap();
    // Without it each window waits for a delayed acknowledgement.
    tcp.set_nodelay(true).unwrap();
    let (client, connection) = h2::client::handshake(tcp).await.unwrap();
    tokio::spawn(connection);
    let (response, mut stream) = client.ready().await.unwrap().send_request(request, size == 0).unwrap();
    send(&mut stream, size).await;
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200);
    response.into_body()
}

/// Sends a body of this size and gives the answer's, which is a length.
pub(super) async fn up(address: SocketAddr, path: &str, size: u64) -> u64 {
    let request = Request::post(format!("http://{address}{path}")).body(()).unwrap();
    let mut body = call(address, request, size).await;
    let mut text = Vec::new();
    while let Some(piece) = body.data().await {
        text.extend_from_slice(&piece.unwrap());
    }
    String::from_utf8(text).unwrap().parse().unwrap()
}

/// Fetches a body of this size and gives the length of what came.
pub(super) async fn down(address: SocketAddr, path: &str, size: u64) -> u64 {
    let request = Request::get(format!("http://{address}{path}{size}")).body(()).unwrap();
    receive(call(address, request, 0).await).await
}
