//! A server behind that does not read: its client is not blamed for it.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use super::clients::{connect, h2, request, rest, status};
use super::front::{Front, quick};
use sidegate::gateway::Limits;

/// More than the buffers on the way to the server hold, and no more than is read on for after an answer.
const MUCH: usize = 12 << 20;

/// A gateway that is done with a slow client well before it is done with a slow upstream, and one that is.
fn front() -> (Front, TcpListener) {
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let limits = Limits { body_window: Duration::from_millis(200), ..quick() };
    (Front::start(limits, Some(deaf.local_addr().unwrap())), deaf)
}

fn upload(address: SocketAddr) -> String {
    let mut stream = connect(address);
    let mut body = stream.try_clone().unwrap();
    let head = format!("POST /up/ HTTP/1.1\r\nHost: a\r\nContent-Length: {MUCH}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    // It ends when the gateway closes.
    std::thread::spawn(move || body.write_all(&vec![b'x'; MUCH]));
    rest(&mut stream)
}

#[test]
fn an_upstream_that_does_not_read_is_504_and_no_fault_of_the_client() {
    let (front, _deaf) = front();
    let answer = upload(front.plain);
    assert_eq!(status(&answer), 504, "{answer}");
    let answer = h2(front.plain, request(front.plain, "POST", "/up/", vec![b'x'; MUCH])).unwrap();
    assert_eq!(answer.status.as_u16(), 504);
}
