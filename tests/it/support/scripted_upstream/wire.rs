//! HTTP/1.1 by hand: one request a connection.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Asked;

/// Reads a request with its body.
pub(super) async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let lower = head.to_ascii_lowercase();
    assert!(lower.contains("content-type: application/fido+uaf"), "{head}");
    assert!(lower.contains("accept: application/fido+uaf"), "{head}");
    let length = lower.split_once("content-length: ").unwrap().1.lines().next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let path = head.strip_prefix("POST /nevisfido/uaf/1.1/").unwrap().split(' ').next().unwrap().to_owned();
    Some(Asked { path, body: serde_json::from_slice(&body).unwrap() })
}

/// Answers, and ends the connection. The client may be gone.
pub(super) async fn answer(stream: &mut TcpStream, status: u16, body: &str) {
    let _ = stream.write_all(whole(status, body).as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// Waits until the client has given up.
pub(super) async fn closed(stream: &mut TcpStream) {
    while stream.read_u8().await.is_ok() {}
}

/// Sends the half of an answer, and resets the connection.
pub(super) async fn reset(mut stream: TcpStream, body: &str) {
    let text = whole(200, body);
    let _ = stream.write_all(&text.as_bytes()[..text.len() - body.len() / 2]).await;
    stream.set_zero_linger().unwrap();
}

fn whole(status: u16, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/fido+uaf;charset=UTF-8\r\nlocation: http://127.0.0.1:1/\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
