//! A server that answers before it has the whole body: what is missing of the body, or was left unread, must not be the
//! next request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::support::gateway::{Gateway, Setup};
use crate::support::wait;

/// Answers each head at once with the number of its connection, and takes for the next head what comes then, unless it was
/// told to close.
struct Hasty {
    address: SocketAddr,
    /// The first lines of all heads.
    seen: Arc<Mutex<Vec<String>>>,
}

impl Hasty {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let hasty = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let seen = hasty.seen.clone();
        std::thread::spawn(move || {
            for (number, tcp) in listener.incoming().flatten().enumerate() {
                let seen = seen.clone();
                std::thread::spawn(move || answer(BufReader::new(tcp), number, &seen));
            }
        });
        hasty
    }

    /// The gateway in front, where this is written of the upstream.
    async fn behind(&self, more: &str) -> Gateway {
        let row = "  - {name: app, path: /app, methods: [GET, POST], filters: [], upstream: app}\n";
        let setup = format!("upstreams:\n  app: {{url: 'http://{}'{more}}}\nroutes:\n{row}", self.address);
        Setup::default().append(setup).start().await
    }
}

fn answer(mut stream: BufReader<TcpStream>, number: usize, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut line = String::new();
    while stream.read_line(&mut line)? > 0 {
        if line != "\r\n" {
            head.push(std::mem::take(&mut line).trim_end().to_ascii_lowercase());
            continue;
        }
        line.clear();
        seen.lock().unwrap().push(head[0].clone());
        write!(stream.get_mut(), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}")?;
        if head.contains(&"connection: close".to_owned()) {
            stream.get_mut().shutdown(std::net::Shutdown::Write)?;
            std::io::copy(&mut stream, &mut std::io::sink())?;
            return Ok(());
        }
        head.clear();
    }
    Ok(())
}

#[tokio::test]
async fn a_connection_with_half_a_body_is_used_no_more() {
    let gateway = Hasty::start().behind("").await;
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

#[tokio::test]
async fn a_body_is_no_request_where_connections_are_closed_after_bodies() {
    let hasty = Hasty::start();
    let gateway = hasty.behind(", after-body: close").await;
    let mut closed = Vec::new();
    for client in [gateway.public(), gateway.public_http2()] {
        let get = async || client.get("/app").send().await.expect(200).text();
        for _ in 0..2 {
            // It is free for the next request a moment after its answer.
            wait::until("a connection is kept", wait::BOUND, async || (get().await == get().await).then_some(())).await;
            let body = "GET /smuggled HTTP/1.1\r\nHost: a\r\nX-User: admin\r\n\r\n";
            closed.push(client.post("/app").body(body).send().await.expect(200).text());
            let next = get().await;
            assert!(!closed.contains(&next), "{next} had a body: {closed:?}");
        }
    }
    let seen = hasty.seen.lock().unwrap();
    let strange = seen.iter().find(|head| !["get /app http/1.1", "post /app http/1.1"].contains(&head.as_str()));
    assert_eq!(strange, None);
}
