//! Many requests at once over one HTTP/2 connection.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use h2::client::SendRequest;
use http::Request;

/// As many streams as the gateway allows at once.
const STREAMS: usize = 32;

/// Sends all of them on one connection before reading any answer; statuses and bodies in the order of the requests.
pub(crate) async fn all_at_once(address: SocketAddr, requests: Vec<Request<Bytes>>) -> Vec<(u16, Vec<u8>)> {
    let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
    // A client knows no limit until the settings have arrived, and streams beyond it are refused.
    let mut client = h2::client::Builder::new();
    let (sender, connection) = client.initial_max_send_streams(STREAMS).handshake(tcp).await.unwrap();
    tokio::spawn(connection);
    let streams: Vec<_> = requests.into_iter().map(|request| tokio::spawn(one(sender.clone(), request))).collect();
    let mut answers = Vec::new();
    for stream in streams {
        answers.push(stream.await.unwrap());
    }
    answers
}

async fn one(sender: SendRequest<Bytes>, request: Request<Bytes>) -> (u16, Vec<u8>) {
    let mut sender = sender.ready().await.unwrap();
    let (head, body) = request.into_parts();
    let (response, mut upload) = sender.send_request(Request::from_parts(head, ()), body.is_empty()).unwrap();
    if !body.is_empty() {
        upload.send_data(body, true).unwrap();
    }
    let response = response.await.unwrap();
    let status = response.status().as_u16();
    let mut incoming = response.into_body();
    let mut text = BytesMut::new();
    while let Some(part) = incoming.data().await {
        let part = part.unwrap();
        incoming.flow_control().release_capacity(part.len()).unwrap();
        text.extend_from_slice(&part);
    }
    (status, text.to_vec())
}
