//! Long bodies, both ways: they pass through and are not kept.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::support::gateway::{Gateway, Setup};

const MIB: u64 = 1 << 20;
/// What the gateway may need beyond what it needs when it has nothing to do.
const ROOM: u64 = 20 * MIB;

/// In `make test` as much as shows whether a body is kept, in a soak a GiB.
fn size() -> u64 {
    if std::env::var_os("SIDEGATE_SOAK").is_some() { 1024 * MIB } else { 64 * MIB }
}

/// Answers a POST with the length of its body, anything else with a body of the size that the path ends in.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            std::thread::spawn(move || serve(BufReader::new(tcp)));
        }
    });
    address
}

fn serve(mut stream: BufReader<TcpStream>) -> std::io::Result<()> {
    loop {
        let head = head(&mut stream)?;
        let length = field(&head, "content-length");
        if head.starts_with("post") {
            let got = std::io::copy(&mut (&mut stream).take(length), &mut std::io::sink())?.to_string();
            write!(stream.get_mut(), "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{got}", got.len())?;
        } else {
            let size = head.split(' ').nth(1).and_then(|path| path.rsplit('/').next()?.parse().ok()).unwrap();
            write!(stream.get_mut(), "HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n")?;
            std::io::copy(&mut std::io::repeat(b'x').take(size), stream.get_mut())?;
        }
    }
}

/// A head in lower case.
fn head(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head.to_ascii_lowercase())
}

fn field(head: &str, name: &str) -> u64 {
    let value = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// Sends a body of this size and gives the answer's, which is a length.
fn up(address: SocketAddr, size: u64) -> u64 {
    let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
    write!(stream.get_mut(), "POST /app/ HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n").unwrap();
    std::io::copy(&mut std::io::repeat(b'x').take(size), stream.get_mut()).unwrap();
    let mut answer = vec![0; usize::try_from(field(&head(&mut stream).unwrap(), "content-length")).unwrap()];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8(answer).unwrap().parse().unwrap()
}

/// Fetches a body of this size and gives the length of what came.
fn down(address: SocketAddr, size: u64) -> u64 {
    let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
    write!(stream.get_mut(), "GET /app/{size} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let length = field(&head(&mut stream).unwrap(), "content-length");
    std::io::copy(&mut stream.take(length), &mut std::io::sink()).unwrap()
}

/// A line of `/proc/…/status` in bytes: `VmRSS` is the memory it has, `VmHWM` the most it had since [`forget_peak`].
fn memory(gateway: &Gateway, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", gateway.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

fn forget_peak(gateway: &Gateway) {
    fs::write(format!("/proc/{}/clear_refs", gateway.id()), "5").unwrap();
}

#[tokio::test]
async fn long_bodies_pass_through_and_memory_stays_flat() {
    let row = "  - {name: app, path: /app/*, methods: [GET, POST], filters: [], upstream: app}\n";
    let setup = format!("upstreams:\n  app: {{url: 'http://{}'}}\nroutes:\n{row}", server());
    let gateway = Setup::default().append(setup).start().await;
    let (address, size) = (gateway.address("public"), size());
    assert_eq!((up(address, MIB), down(address, MIB)), (MIB, MIB));
    let idle = memory(&gateway, "VmRSS");
    for (what, pass) in [("up", up as fn(SocketAddr, u64) -> u64), ("down", down)] {
        forget_peak(&gateway);
        assert_eq!(pass(address, size), size);
        let most = memory(&gateway, "VmHWM");
        println!("{} MiB {what}: {} KiB idle, {} KiB at most", size / MIB, idle / 1024, most / 1024);
        assert!(most < idle + ROOM, "{what}: {idle} bytes idle, {most} at most");
    }
}
