//! Long bodies, both ways: they pass through and are not kept.

mod http2;

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
        if head.starts_with("post") {
            let got = receive(&mut stream, &head, &mut std::io::sink())?.to_string();
            write!(stream.get_mut(), "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{got}", got.len())?;
        } else {
            let size = head.split(' ').nth(1).and_then(|path| path.rsplit('/').next()?.parse().ok()).unwrap();
            write!(stream.get_mut(), "HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n")?;
            std::io::copy(&mut std::io::repeat(b'x').take(size), stream.get_mut())?;
        }
    }
}

/// Takes the body behind a head and gives its length.
fn receive(stream: &mut BufReader<TcpStream>, head: &str, into: &mut impl Write) -> std::io::Result<u64> {
    if !head.contains("\r\ntransfer-encoding: chunked\r\n") {
        return std::io::copy(&mut stream.take(field(head, "content-length")), into);
    }
    let mut got = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim_end(), 16).unwrap();
        got += size;
        std::io::copy(&mut stream.take(size), into)?;
        std::io::copy(&mut stream.take(2), &mut std::io::sink())?;
        if size == 0 {
            return Ok(got);
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
fn up(address: SocketAddr, path: &str, size: u64) -> u64 {
    let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
    write!(stream.get_mut(), "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n").unwrap();
    std::io::copy(&mut std::io::repeat(b'x').take(size), stream.get_mut()).unwrap();
    let head = head(&mut stream).unwrap();
    let mut answer = Vec::new();
    receive(&mut stream, &head, &mut answer).unwrap();
    String::from_utf8(answer).unwrap().parse().unwrap()
}

/// Fetches a body of this size and gives the length of what came.
fn down(address: SocketAddr, path: &str, size: u64) -> u64 {
    let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
    write!(stream.get_mut(), "GET {path}{size} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let head = head(&mut stream).unwrap();
    receive(&mut stream, &head, &mut std::io::sink()).unwrap()
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

/// What passes between two ends in one direction.
async fn pass(address: SocketAddr, http2: bool, upwards: bool, path: &str, size: u64) -> u64 {
    match (http2, upwards) {
        (false, true) => up(address, path, size),
        (false, false) => down(address, path, size),
        (true, true) => http2::up(address, path, size).await,
        (true, false) => http2::down(address, path, size).await,
    }
}

#[tokio::test]
async fn long_bodies_pass_through_and_memory_stays_flat() {
    let row = |name: &str| {
        format!("  - {{name: {name}, path: /{name}/*, methods: [GET, POST], filters: [], upstream: {name}}}\n")
    };
    let upstreams = format!(
        "  older: {{url: 'http://{}'}}\n  newer: {{url: 'http://{}', protocol: h2, read-timeout: 10m}}\n",
        server(),
        http2::server()
    );
    let setup = format!("upstreams:\n{upstreams}routes:\n{}{}", row("older"), row("newer"));
    let gateway = Setup::default().append(setup).start().await;
    let (address, size) = (gateway.address("public"), size());
    let ways = [false, true].into_iter().flat_map(|http2| [true, false].map(|upwards| (http2, upwards)));
    let ways: Vec<_> = ways.flat_map(|(http2, up)| ["/older/", "/newer/"].map(|path| (http2, up, path))).collect();
    for (http2, upwards, path) in &ways {
        assert_eq!(pass(address, *http2, *upwards, path, MIB).await, MIB, "{path}");
    }
    let idle = memory(&gateway, "VmRSS");
    for (http2, upwards, path) in ways {
        forget_peak(&gateway);
        let before = memory(&gateway, "VmRSS");
        assert_eq!(pass(address, http2, upwards, path, size).await, size, "{path}");
        let most = memory(&gateway, "VmHWM");
        let what = format!("HTTP/2 {http2}, up {upwards}, {path}");
        let [idle_kib, before, most_kib] = [idle, before, most].map(|bytes| bytes / 1024);
        println!("{} MiB, {what}: {idle_kib} KiB idle, {before} KiB before, {most_kib} KiB at most", size / MIB);
        assert!(most < idle + ROOM, "{what}: {idle} bytes idle, {most} at most");
    }
}
