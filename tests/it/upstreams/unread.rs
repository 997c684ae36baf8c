//! A server that answers before it has the whole body: what is missing of the body must not be the next request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::gateway::Setup;
use crate::support::wait;

/// Answers each head at once with the number of its connection, and keeps that open.
fn hasty() -> SocketAddr {
    static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            std::thread::spawn(move || answer(BufReader::new(tcp), CONNECTIONS.fetch_add(1, Ordering::SeqCst)));
        }
    });
    address
}

fn answer(mut stream: BufReader<TcpStream>, number: usize) -> std::io::Result<()> {
    let mut line = String::new();
    while stream.read_line(&mut line)? > 0 {
        if line == "\r\n" {
            write!(stream.get_mut(), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}")?;
        }
        line.clear();
    }
    Ok(())
}

#[tokio::test]
async fn a_connection_with_half_a_body_is_used_no_more() {
    let row = "  - {name: app, path: /app, methods: [GET, POST], filters: [], upstream: app}\n";
    let setup = format!("upstreams:\n  app: {{url: 'http://{}'}}\nroutes:\n{row}", hasty());
    let gateway = Setup::default().append(setup).start().await;
    let client = gateway.public();
    for _ in 0..2 {
        assert_eq!(client.get("/app").send().await.expect(200).text(), "0", "connections are kept");
    }
    let address = gateway.address("public");
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"POST /app HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf").unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n0") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
    })
    .await
    .unwrap();
    wait::until("the end of the request", wait::BOUND, async || {
        let ended = |line: &str| line.contains(r#""target":"access""#) && line.contains(r#""route":"app""#);
        (gateway.log().lines().filter(|line| ended(line)).count() == 3).then_some(())
    })
    .await;
    assert_eq!(client.get("/app").send().await.expect(200).text(), "1");
}
