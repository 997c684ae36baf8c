//! WebSockets: opened on the rows that have them, for their own pages, for as long as the session lives.

mod early;
mod reconfigured;
mod refused;
mod roles;
mod taken_over;
mod tokens;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rstest::rstest;

use crate::support::gateway::{Gateway, Setup};
use crate::support::phone::Phone;
use crate::support::raw::Socket;
use crate::support::wait;

/// A server that goes on with a WebSocket where it is asked for one and sends back what comes; elsewhere it answers 200.
struct Echo {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, heads) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let all = heads.clone();
        std::thread::spawn(move || {
            for tcp in listener.incoming().flatten() {
                let all = all.clone();
                std::thread::spawn(move || echo(tcp, &all));
            }
        });
        Self { address, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSet-Cookie: __Host-sidegate-main=eve; Secure; Path=/\r\n\r\n";

fn echo(tcp: TcpStream, heads: &Mutex<Vec<String>>) {
    let mut stream = BufReader::new(tcp);
    let Some(head) = head_of(&mut stream) else { return };
    heads.lock().unwrap().push(head.clone());
    if !head.contains("\r\nupgrade: websocket\r\n") {
        let _ = stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        return;
    }
    if head.starts_with("get /feed/lying ") {
        // It goes on with HTTP whatever it says.
        let _ = stream.get_mut().write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
        return echo(stream.into_inner(), heads);
    }
    let _ = stream.get_mut().write_all(ACCEPTED.as_bytes());
    carry(stream);
}

/// The head of a request, in small letters.
fn head_of(stream: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        stream.read_line(&mut head).ok().filter(|&length| length > 0)?;
    }
    Some(head.to_ascii_lowercase())
}

/// Sends back what comes.
fn carry(mut stream: BufReader<impl Read + Write>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length) = stream.read(&mut buffer) {
        if length == 0 || stream.get_mut().write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}

/// A gateway with a row `/feed/*` for customers with these terms, and `/plain/*` for everybody without any.
async fn gateway(echo: &Echo, terms: &str) -> Gateway {
    gateway_before(&format!("{{url: 'http://{}'}}", echo.address), terms).await
}

/// The same before an upstream as it is written in a file.
async fn gateway_before(upstream: &str, terms: &str) -> Gateway {
    let setup = format!(
        "upstreams:\n  app: {upstream}\n\
         filters:\n  customers: {{type: identity-creation, domain: main}}\n\
         routes:\n  - {{name: feed, path: /feed/*, methods: [GET], filters: [customers], upstream: app, websocket: {terms}}}\n\
         \x20 - {{name: plain, path: /plain/*, methods: [GET], filters: [], upstream: app}}\n"
    );
    Setup::default().user("jeff").append(setup).start().await
}

async fn customer(gateway: &Gateway) -> Phone {
    let mut phone = Phone::new(gateway, "jeff");
    phone.login_password().await;
    phone
}

/// A handshake; the last of a field that is written twice counts.
fn handshake(path: &str, fields: &[(&str, &str)]) -> String {
    let usual = [
        ("Host", "127.0.0.1"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let kept = usual.iter().filter(|(name, _)| !fields.iter().any(|(other, _)| other == name));
    let lines = kept.chain(fields).filter(|(_, value)| !value.is_empty());
    let lines: String = lines.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\n{lines}\r\n")
}

/// Reads until there is this much, or the other side has closed.
fn read(socket: &mut Socket, is_enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let (end, mut got) = (Instant::now() + wait::BOUND, Vec::new());
    while !is_enough(&got) && Instant::now() < end {
        let Some(bytes) = socket.read_for(Duration::from_millis(200)) else { break };
        got.extend(bytes);
    }
    got
}

fn head(socket: &mut Socket) -> String {
    let head = read(socket, |got| got.windows(4).any(|end| end == b"\r\n\r\n"));
    String::from_utf8_lossy(&head).to_ascii_lowercase()
}

/// Sends a text, and expects it back.
fn ping(socket: &mut Socket, text: &[u8]) {
    socket.write_all(text).unwrap();
    assert!(read(socket, |got| got.len() >= text.len()) == text);
}

/// Opens one on `/feed`, as a customer on the gateway's own page.
async fn open(gateway: &Gateway, socket: Socket) -> (Socket, Phone) {
    let phone = customer(gateway).await;
    (open_as(gateway, socket, &phone), phone)
}

/// The same, as this one.
fn open_as(gateway: &Gateway, mut socket: Socket, phone: &Phone) -> Socket {
    let own = gateway.public().base().to_owned();
    let request = handshake("/feed/a?b=c", &[("Cookie", phone.session()), ("Origin", &own)]);
    socket.write_all(request.as_bytes()).unwrap();
    let head = head(&mut socket);
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert!(head.contains("\r\nupgrade: websocket\r\n") && head.contains("\r\nconnection: upgrade\r\n"), "{head}");
    assert!(head.contains("\r\nsec-websocket-accept: ") && !head.contains("set-cookie"), "{head}");
    socket
}

async fn closed(socket: &mut Socket) {
    let ended = async || socket.read_for(Duration::from_millis(100)).is_none().then_some(());
    wait::until("the connection is closed", wait::BOUND, ended).await;
}

async fn logged(gateway: &Gateway, text: &str) {
    wait::until(text, wait::BOUND, async || gateway.log().contains(text).then_some(())).await;
}

#[tokio::test]
async fn bytes_pass_both_ways_until_the_session_ends() {
    let echo = Echo::start();
    let gateway = gateway(&echo, "true").await;
    let socket = || Socket::plain(gateway.address("public"));
    let ((mut first, phone), (mut second, _)) = (open(&gateway, socket()).await, open(&gateway, socket()).await);
    for socket in [&mut first, &mut second] {
        ping(socket, b"GET /never-a-request HTTP/1.1\r\n\r\n");
        ping(socket, &vec![7; 300_000]);
    }
    let heads = echo.heads();
    assert!(heads[0].starts_with("get /feed/a?b=c http/1.1\r\n"), "{heads:?}");
    for head in &heads {
        assert!(head.contains("\r\nconnection: upgrade\r\n") && head.contains("\r\nsec-websocket-key: "), "{head}");
        assert!(!head.contains("cookie: "), "{head}");
    }
    phone.client().post("/auth/logout").send().await.expect(200);
    closed(&mut first).await;
    logged(&gateway, "its session has ended").await;
    ping(&mut second, b"another session lives on");
    let removed = gateway.command(&["user", "remove", "jeff"], "");
    assert!(removed.status.success(), "{removed:?}");
    closed(&mut second).await;
    assert_eq!(heads.len(), 2, "each was one request");
}

#[tokio::test]
async fn one_whose_session_began_with_a_key_ends_with_it() {
    let echo = Echo::start();
    let gateway = gateway(&echo, "{origins: [none]}").await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let mut socket = Socket::plain(gateway.address("public"));
    socket.write_all(handshake("/feed/a", &[("Cookie", phone.session())]).as_bytes()).unwrap();
    assert!(head(&mut socket).starts_with("http/1.1 101 "));
    ping(&mut socket, b"the key is there");
    phone.deregister().await;
    closed(&mut socket).await;
    logged(&gateway, "its session has ended").await;
}

#[tokio::test]
async fn what_comes_right_behind_the_handshake_is_passed_on_once_it_is_open() {
    let echo = Echo::start();
    let gateway = gateway(&echo, "{origins: [none]}").await;
    let phone = customer(&gateway).await;
    let mut socket = Socket::plain(gateway.address("public"));
    let request = handshake("/feed/a", &[("Cookie", phone.session())]) + "early bytes";
    socket.write_all(request.as_bytes()).unwrap();
    let got = read(&mut socket, |got| got.ends_with(b"early bytes"));
    let text = String::from_utf8_lossy(&got).into_owned();
    assert!(text.starts_with("HTTP/1.1 101 ") && text.ends_with("\r\n\r\nearly bytes"), "{text}");
}

#[tokio::test]
async fn it_is_opened_over_tls_too_and_where_the_client_closes_it_ends() {
    let echo = Echo::start();
    let setup = format!(
        "upstreams:\n  app: {{url: 'http://{}'}}\nroutes:\n  - {{name: feed, path: /feed/*, methods: [GET], filters: [], \
         upstream: app, websocket: {{origins: ['https://app.example:444']}}}}\n",
        echo.address
    );
    let gateway = Setup::default().tls().append(setup).start().await;
    let mut socket = Socket::tls(gateway.tls_address(), "http/1.1");
    let request = handshake("/feed/a", &[("Origin", "https://app.example:444")]);
    socket.write_all(request.as_bytes()).unwrap();
    assert!(head(&mut socket).starts_with("http/1.1 101 "));
    ping(&mut socket, b"hello");
    assert_eq!(gateway.metric("sidegate_open_requests").await, 2, "this one, and the question");
    drop(socket);
    wait::until("the request is over", wait::BOUND, async || {
        (gateway.metric("sidegate_open_requests").await == 1).then_some(())
    })
    .await;
    let over_http2 = gateway.public_tls_http2().get("/feed/a").header("origin", "https://evil.example").send().await;
    assert_eq!(over_http2.expect(200).text(), "ok", "no request by HTTP/2 opens one");
}

#[tokio::test]
async fn strangers_and_other_pages_open_none() {
    let echo = Echo::start();
    let gateway = gateway(&echo, "true").await;
    let phone = customer(&gateway).await;
    let own = gateway.public().base().to_owned();
    let cookie = ("Cookie", phone.session());
    for (fields, status) in [
        (vec![("Origin", own.as_str())], 401),
        (vec![cookie], 403),
        (vec![cookie, ("Origin", "https://evil.example")], 403),
        (vec![cookie, ("Origin", "null")], 403),
        (vec![cookie, ("Origin", own.as_str()), ("Sec-WebSocket-Version", "8")], 426),
        (vec![cookie, ("Origin", own.as_str()), ("Sec-WebSocket-Key", "short")], 400),
        (vec![cookie, ("Origin", own.as_str()), ("Connection", "close")], 400),
        (vec![cookie, ("Origin", own.as_str()), ("Upgrade", "websocket, h2c")], 400),
    ] {
        let mut socket = Socket::plain(gateway.address("public"));
        socket.write_all(handshake("/feed/a", &fields).as_bytes()).unwrap();
        let head = head(&mut socket);
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{status}: {head}");
    }
    assert!(echo.heads().is_empty());
}

#[tokio::test]
async fn elsewhere_and_to_anything_else_no_request_is_upgraded() {
    let echo = Echo::start();
    let gateway = gateway(&echo, "{origins: [none]}").await;
    let phone = customer(&gateway).await;
    let h2c = [("Upgrade", "h2c"), ("Connection", "Upgrade, HTTP2-Settings"), ("HTTP2-Settings", "AAMAAABkAAQ")];
    let mut to_h2c = h2c.to_vec();
    to_h2c.push(("Cookie", phone.session()));
    for request in [handshake("/plain/a", &[]), handshake("/feed/a", &to_h2c)] {
        let mut socket = Socket::plain(gateway.address("public"));
        socket.write_all(request.as_bytes()).unwrap();
        let head = head(&mut socket);
        assert!(head.starts_with("http/1.1 200 "), "{head}");
    }
    let heads = echo.heads();
    assert_eq!(heads.len(), 2);
    assert!(heads.iter().all(|head| !head.contains("\r\nupgrade: ")), "{heads:?}");
}

#[tokio::test]
async fn a_server_that_did_not_understand_the_handshake_is_given_no_bytes_behind_it() {
    let echo = Echo::start();
    let gateway = gateway(&echo, "{origins: [none]}").await;
    let phone = customer(&gateway).await;
    let mut socket = Socket::plain(gateway.address("public"));
    let smuggled = "GET /admin HTTP/1.1\r\nHost: app\r\n\r\n";
    let request = handshake("/feed/lying", &[("Cookie", phone.session())]) + smuggled;
    socket.write_all(request.as_bytes()).unwrap();
    let head = head(&mut socket);
    assert!(head.starts_with("http/1.1 502 "), "{head}");
    closed(&mut socket).await;
    assert_eq!(echo.heads().len(), 1, "{:?}", echo.heads());
}

#[rstest]
#[case("{bytes: 1KiB}", 2048)]
#[case("{lifetime: 1s}", 0)]
#[case("{idle: 1s}", 0)]
#[tokio::test]
async fn it_is_closed_at_the_limits_of_its_row(#[case] terms: &str, #[case] bytes: usize) {
    let echo = Echo::start();
    let gateway = gateway(&echo, terms).await;
    let (mut socket, _) = open(&gateway, Socket::plain(gateway.address("public"))).await;
    let _ = socket.write_all(&vec![7; bytes]);
    closed(&mut socket).await;
    wait::until("the request is over", wait::BOUND, async || {
        (gateway.metric("sidegate_open_requests").await == 1).then_some(())
    })
    .await;
}
