//! Floods over HTTP/2: some end the connection, the others cost nothing (`gateway.md` 2.2).

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::clients::connect;
use super::front::{Front, quick};
use crate::support::gateway::Gateway;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
pub(super) const RESET: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const UNKNOWN: u8 = 0xbe;
const ENHANCE_YOUR_CALM: u8 = 11;

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// GET of this path in HPACK, without any table.
pub(super) fn get(path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    [&[0x82, 0x86, 0x04, length], path.as_bytes(), &[0x01, 1, b'a']].concat()
}

/// POST of JSON to `/count` in HPACK, without any table.
pub(super) fn post() -> Vec<u8> {
    let kind = [&[0x0f, 0x10, 16], b"application/json".as_slice()].concat();
    [&[0x83, 0x86, 0x04, 6], b"/count".as_slice(), &[0x01, 1, b'a'], &kind].concat()
}

pub(super) fn open(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address);
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).unwrap();
    stream
}

/// The next frame: its type and payload; `None` when the gateway has closed.
pub(super) fn next(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 9];
    match stream.read_exact(&mut head) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("the connection stays open"),
        Err(_) => return None,
    }
    let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
    stream.read_exact(&mut payload).ok()?;
    Some((head[3], payload))
}

/// Sends `count` pieces and tells the reason of the GOAWAY that follows.
fn goaway(address: SocketAddr, count: u32, piece: impl Fn(u32) -> Vec<u8> + Send + 'static) -> u8 {
    let mut stream = open(address);
    let mut writer = stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || (0..count).all(|index| writer.write_all(&piece(index)).is_ok()));
    let mut reason = None;
    while let Some((kind, payload)) = next(&mut stream) {
        if kind == GOAWAY {
            reason = payload.get(7).copied();
        }
    }
    let _ = sender.join();
    reason.expect("the connection ended without GOAWAY")
}

#[test]
fn floods_that_cost_something_end_in_goaway() {
    let front = Front::start(quick(), None);
    let reset = |index: u32| {
        let stream = index * 2 + 1;
        [frame(HEADERS, 5, stream, &get("/slow")), frame(RESET, 0, stream, &[0, 0, 0, 8])].concat()
    };
    assert_eq!(goaway(front.plain, 20_000, reset), ENHANCE_YOUR_CALM, "rapid reset");
    let continuation = |index: u32| match index {
        0 => frame(HEADERS, 0, 1, &get("/hello")),
        _ => frame(CONTINUATION, 0, 1, &[0x40, 1, b'x', 1, b'y']),
    };
    assert_eq!(goaway(front.plain, 20_000, continuation), ENHANCE_YOUR_CALM, "CONTINUATION");
    let empty = |index: u32| match index {
        0 => frame(HEADERS, 4, 1, &get("/slow")),
        _ => frame(DATA, 0, 1, &[]),
    };
    assert_eq!(goaway(front.plain, 50_000, empty), ENHANCE_YOUR_CALM, "empty DATA");
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_that_cost_nothing_are_tolerated_and_leave_nothing_behind() {
    // A process of its own: this one holds the bodies of other tests.
    let gateway = Gateway::standalone(&[]).await;
    let pieces = [
        frame(PING, 0, 0, &[7; 8]),
        frame(SETTINGS, 0, 0, &[]),
        frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 1]),
        frame(UNKNOWN, 0, 0, &[7; 8]),
    ];
    for piece in pieces {
        let before = gateway.resident();
        let mut stream = open(gateway.address("public"));
        let mut writer = stream.try_clone().unwrap();
        let kind = piece[3];
        let sender = std::thread::spawn(move || {
            let many = piece.repeat(100);
            for _ in 0..200 {
                writer.write_all(&many).unwrap();
            }
            writer.write_all(&frame(HEADERS, 5, 1, &get("/.well-known/jwks.json"))).unwrap();
        });
        let answered =
            std::iter::from_fn(|| next(&mut stream)).any(|(kind, payload)| kind == DATA && payload.starts_with(b"{"));
        assert!(answered, "type {kind}: a request after the flood");
        sender.join().unwrap();
        let grown = gateway.resident().saturating_sub(before);
        assert!(grown < 32 << 20, "type {kind}: {grown} bytes more");
    }
}
