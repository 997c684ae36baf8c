//! Clients that take their time, and bodies that are too long (`gateway.md` 2.2 and 8).

use std::io::Write;
use std::net::SocketAddr;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::support::gateway::Setup;
use crate::support::http::JSON;
use crate::support::raw::Socket;

/// The documented limit for the whole header.
const LIMIT: Duration = Duration::from_secs(10);
/// How much later the end may be seen on a loaded machine. Without the limit the end would come after a minute, or never.
const SLACK: Duration = Duration::from_secs(20);
/// Ten on each of the three kinds of connection.
const EACH: usize = 10;

/// A header of many fields, HTTP/1.1.
const HEAD: &[u8] = b"GET /nevisfido/uaf/1.1/facets HTTP/1.1\r\nhost: localhost\r\n";

/// The preface and settings of HTTP/2, then the first bytes of a HEADERS frame that never ends.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
const HEADERS: &[u8] = b"\x00\x01\x00\x01\x05\x00\x00\x00\x01\x82\x86\x84\x82\x86\x84\x82\x86\x84\x82\x86\x84";

/// Sends one byte a second until the other side closes, and gives the time that it took.
fn dribble(mut socket: Socket, bytes: &[u8]) -> Duration {
    socket.dribble(bytes, Duration::from_secs(1)).0
}

fn connect(kind: &str, plain: SocketAddr, tls: SocketAddr) -> (Socket, &'static [u8]) {
    match kind {
        "plain" => (Socket::plain(plain), HEAD),
        "tls" => (Socket::tls(tls, "http/1.1"), HEAD),
        _ => {
            let mut socket = Socket::tls(tls, "h2");
            socket.write_all(PREFACE).unwrap();
            (socket, HEADERS)
        }
    }
}

/// Asks for something, and for the next thing slowly.
fn dribble_later(mut socket: Socket) -> Duration {
    socket.write_all(HEAD).unwrap();
    socket.write_all(b"\r\n").unwrap();
    let answer = socket.read_for(LIMIT).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
    dribble(socket, HEAD)
}

/// The limit counts for each request of a connection, so that two clients more have had an answer before.
#[tokio::test]
async fn thirty_slow_headers_are_cut_after_ten_seconds() {
    let gateway = Setup::default().tls().start().await;
    let (plain, tls) = (gateway.address("public"), gateway.tls_address());
    let first = (0..EACH).flat_map(|_| ["plain", "tls", "h2"]).map(|kind| (kind, false));
    let clients: Vec<_> = first
        .chain([("plain", true), ("tls", true)])
        .map(|(kind, later)| {
            thread::spawn(move || {
                let (socket, bytes) = connect(kind, plain, tls);
                (kind, later, if later { dribble_later(socket) } else { dribble(socket, bytes) })
            })
        })
        .collect();
    let facets = gateway.public().get("/nevisfido/uaf/1.1/facets").send().await;
    facets.expect(200);
    for client in clients {
        let (kind, later, time) = client.join().unwrap();
        assert!(time >= LIMIT - Duration::from_secs(1) && time <= LIMIT + SLACK, "{kind} {later}: {time:?}");
    }
}

fn ten_mebibytes() -> Vec<u8> {
    vec![b' '; 10 << 20]
}

#[tokio::test]
async fn ten_mebibytes_get_their_413() {
    let gateway = Setup::default().tls().start().await;
    for client in [gateway.public(), gateway.public_http2(), gateway.public_tls(), gateway.public_tls_http2()] {
        let request = client.post("/nevisfido/status").header("content-type", JSON).body(ten_mebibytes());
        request.send().await.problem(413);
        let protected = client.post("/nevisfido/token/dispatch/targets").header("content-type", JSON);
        protected.body(ten_mebibytes()).send().await.problem(401);
    }
}

#[tokio::test]
async fn curl_sees_the_413_too() {
    let gateway = Setup::default().tls().start().await;
    let folder = tempfile::tempdir().unwrap();
    let body = folder.path().join("body");
    std::fs::write(&body, ten_mebibytes()).unwrap();
    let (plain, tls) = (gateway.public().base().to_owned(), format!("https://{}", gateway.tls_address()));
    for (base, version) in
        [(&plain, "--http1.1"), (&plain, "--http2-prior-knowledge"), (&tls, "--http1.1"), (&tls, "--http2")]
    {
        for expect in ["Expect: 100-continue", "Expect:"] {
            let output = Command::new("curl")
                .args(["--silent", "--show-error", "--insecure", "--noproxy", "*", "--max-time", "20", version])
                .args([
                    "--output",
                    "/dev/null",
                    "--write-out",
                    "%{http_code}",
                    "--header",
                    "Content-Type: application/json",
                ])
                .args(["--header", expect, "--data-binary", &format!("@{}", body.display())])
                .arg(format!("{base}/nevisfido/status"))
                .output()
                .unwrap();
            let code = String::from_utf8_lossy(&output.stdout).into_owned();
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!((code.as_str(), complaint.as_str()), ("413", ""), "{base} {version} {expect}");
        }
    }
}

#[tokio::test]
async fn the_longest_body_is_taken_and_one_byte_more_is_not() {
    let gateway = Setup::default().tls().start().await;
    for client in [gateway.public(), gateway.public_http2(), gateway.public_tls_http2()] {
        for (length, status) in [(64 * 1024, 200), (64 * 1024 + 1, 413)] {
            let mut body = br#"{"sessionId":"x"}"#.to_vec();
            body.resize(length, b' ');
            client.post("/nevisfido/status").header("content-type", JSON).body(body).send().await.expect(status);
        }
    }
}
