//! Answers that do not come to their end: the client must not take them for whole, and the log says who cut them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::Value;

use crate::support::gateway::{Gateway, Setup};
use crate::support::wait;

/// Begins an answer and closes, or sends for as long as somebody reads.
fn breaking() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            std::thread::spawn(move || answer(BufReader::new(tcp)));
        }
    });
    address
}

fn answer(mut stream: BufReader<TcpStream>) -> std::io::Result<()> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head)? > 0 {}
    let mut stream = stream.into_inner();
    if head.starts_with("GET /cut/length") {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf")
    } else if head.starts_with("GET /cut/chunks") {
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
    } else {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")?;
        std::io::copy(&mut std::io::repeat(b'x'), &mut stream).map(drop)
    }
}

async fn start() -> Gateway {
    let row = "  - {name: cut, path: /cut/*, methods: [GET], filters: [], upstream: cut}\n";
    let setup = format!("upstreams:\n  cut: {{url: 'http://{}'}}\nroutes:\n{row}", breaking());
    Setup::default().append(setup).start().await
}

/// The lines of this kind, once there are so many.
async fn lines(gateway: &Gateway, number: usize, is_one: impl Fn(&Value) -> bool) -> Vec<Value> {
    wait::until("the lines", wait::BOUND, async || {
        let lines = gateway.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>();
        let lines: Vec<Value> = lines.into_iter().filter(&is_one).collect();
        (lines.len() >= number).then_some(lines)
    })
    .await
}

fn is_access(line: &Value) -> bool {
    line["target"] == "access" && line["route"] == "cut"
}

async fn count(gateway: &Gateway, by: &str) -> u64 {
    let text = gateway.management().get("/metrics").send().await.expect(200).text();
    let name = format!("sidegate_requests_cut_total{{by=\"{by}\",listener=\"public\",route=\"cut\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn an_answer_that_the_upstream_cuts_is_cut_for_the_client_and_named() {
    let gateway = start().await;
    for client in [gateway.public(), gateway.public_http2()] {
        for path in ["/cut/length", "/cut/chunks"] {
            client.get(path).try_send().await.expect_err("half an answer passed for a whole one");
        }
    }
    for line in lines(&gateway, 4, is_access).await {
        let told = [&line["status"], &line["cut"], &line["cut_by"]];
        assert!(*told[0] == 200 && *told[1] == true && *told[2] == "upstream", "{line}");
    }
    let warnings = lines(&gateway, 4, |line| line["message"] == "an upstream broke its answer off").await;
    assert!(warnings.iter().all(|line| line["level"] == "WARN" && line["upstream"] == "cut"), "{warnings:#?}");
    assert!(warnings.iter().all(|line| line["server"].is_string() && line["kind"].is_string()), "{warnings:#?}");
    assert_eq!((count(&gateway, "upstream").await, count(&gateway, "client").await), (4, 0));
}

#[tokio::test]
async fn an_answer_that_the_client_cuts_is_no_fault_of_the_upstream() {
    let gateway = start().await;
    let address = gateway.address("public");
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /cut/endless HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        stream.read_exact(&mut [0; 4096]).unwrap();
    })
    .await
    .unwrap();
    begin_http2(address).await;
    for line in lines(&gateway, 2, is_access).await {
        assert!(line["status"] == 200 && line["cut"] == true && line["cut_by"] == "client", "{line}");
    }
    assert_eq!((count(&gateway, "upstream").await, count(&gateway, "client").await), (0, 2));
    let log = gateway.log();
    let blamed = |line: &str| line.contains(r#""upstream":"cut""#) && !line.contains(r#""target":"access""#);
    assert!(!log.lines().any(blamed), "{log}");
}

#[tokio::test]
async fn an_answer_that_a_stop_cuts_is_logged_with_what_went_out() {
    let row = "  - {name: cut, path: /cut/*, methods: [GET], filters: [], upstream: cut}\n";
    let sections = format!("limits: {{stop: 1s}}\nupstreams:\n  cut: {{url: 'http://{}'}}\nroutes:\n{row}", breaking());
    let mut gateway = Setup::default().append(sections).start().await;
    let mut stream = TcpStream::connect(gateway.address("public")).unwrap();
    stream.write_all(b"GET /cut/endless HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    stream.read_exact(&mut [0; 4096]).unwrap();
    gateway.terminate();
    let reader = std::thread::spawn(move || std::io::copy(&mut stream, &mut std::io::sink()));
    assert_eq!(gateway.ended(), Some(0));
    drop(reader.join());
    let [line] = &lines(&gateway, 1, is_access).await[..] else { panic!("one request, one line") };
    assert!(line["cut_by"] == "gateway" && line["sent"].as_u64() > Some(4096), "{line}");
}

/// Asks over HTTP/2, and lets go of the answer once it has begun; the connection stays.
async fn begin_http2(address: SocketAddr) {
    let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(tcp).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get(format!("http://{address}/cut/endless")).body(()).unwrap();
    let (response, _) = client.ready().await.unwrap().send_request(request, true).unwrap();
    response.await.unwrap().into_body().data().await.unwrap().unwrap();
}
