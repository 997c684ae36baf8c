//! Floods over HTTP/2: some end the connection, the others cost nothing, whether or not the client reads (`gateway.md` 2.2).

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::clients::connect_h2;
use super::front::{Front, eventually, quick};
use crate::support::frames::{
    self, CONTINUATION, DATA, END_HEADERS, Frame, GOAWAY, HEADERS, PING, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE,
    frame,
};
use crate::support::gateway::{Gateway, Setup};
use sidegate::gateway::Limits;

const CANCEL: [u8; 4] = [0, 0, 0, 8];
/// More than a window of flow control may hold.
const OVERFLOW: [u8; 4] = [0x7f, 0xff, 0xff, 0xff];
const UNKNOWN: u8 = 0xbe;

/// What a flood is made of: its pieces by their number.
type Piece = fn(u32) -> Vec<u8>;

/// Floods that end in GOAWAY, and the reason that it tells.
const COSTLY: &[(&str, &str, Piece)] = &[
    ("rapid reset", "ENHANCE_YOUR_CALM", |index| {
        [frames::get(index * 2 + 1, "/slow"), frame(RST_STREAM, 0, index * 2 + 1, &CANCEL)].concat()
    }),
    ("rapid reset of requests with bodies", "ENHANCE_YOUR_CALM", |index| {
        [frames::post(index * 2 + 1, "/count"), frame(RST_STREAM, 0, index * 2 + 1, &CANCEL)].concat()
    }),
    // The gateway resets: what is wrong is the client's, and counts all the same.
    ("resets by too large a window", "ENHANCE_YOUR_CALM", |index| {
        [frames::get(index * 2 + 1, "/slow"), frame(WINDOW_UPDATE, 0, index * 2 + 1, &OVERFLOW)].concat()
    }),
    ("resets by malformed requests", "ENHANCE_YOUR_CALM", |index| frames::get(index * 2 + 1, "nowhere")),
    ("CONTINUATION", "ENHANCE_YOUR_CALM", |index| match index {
        0 => frame(HEADERS, 0, 1, &frames::request("GET", "/hello")),
        _ => frame(CONTINUATION, 0, 1, &frames::field(b"x", b"y")),
    }),
    ("empty CONTINUATION", "ENHANCE_YOUR_CALM", |index| match index {
        0 => frame(HEADERS, 0, 1, &frames::request("GET", "/hello")),
        _ => frame(CONTINUATION, 0, 1, &[]),
    }),
    ("empty DATA", "ENHANCE_YOUR_CALM", |index| match index {
        0 => frame(HEADERS, END_HEADERS, 1, &frames::request("GET", "/slow")),
        _ => frame(DATA, 0, 1, &[]),
    }),
];

/// Floods that are tolerated.
const CHEAP: &[(&str, Piece)] = &[
    ("PING", |_| frame(PING, 0, 0, &[7; 8])),
    ("answers to no PING", |_| frame(PING, 1, 0, &[7; 8])),
    ("SETTINGS", |_| frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9])),
    ("PRIORITY", |index| frame(PRIORITY, 0, index * 2 + 1, &[0, 0, 0, 0, 1])),
    ("WINDOW_UPDATE", |_| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
    ("an unknown type", |_| frame(UNKNOWN, 0, 0, &[7; 8])),
];

/// How many clients flood at once with one kind of frame, and how many each of them sends.
const CLIENTS: usize = 10;
const FRAMES: u32 = 6_000;
/// How much processor time a frame may take of a gateway that is built for tests: ten times what it does.
const COST: Duration = Duration::from_micros(300);
/// How much all of them together may leave in memory: less than if something were kept of each frame.
const GROWN: usize = 32 << 20;

/// Sends so many pieces, and then this, for as long as somebody takes them: how many.
fn pour(stream: &TcpStream, count: u32, piece: Piece, last: Vec<u8>) -> JoinHandle<u32> {
    let mut writer = stream.try_clone().unwrap();
    thread::spawn(move || {
        for first in (0..count).step_by(50) {
            let many: Vec<u8> = (first..first + 50).flat_map(piece).collect();
            if writer.write_all(&many).is_err() {
                return first;
            }
        }
        let _ = writer.write_all(&last);
        count
    })
}

fn ends_in_goaway(address: SocketAddr, (what, reason, piece): &(&str, &str, Piece)) {
    const COUNT: u32 = 50_000;
    let mut stream = connect_h2(address);
    let pouring = pour(&stream, COUNT, *piece, Vec::new());
    let goaway = std::iter::from_fn(|| Frame::read(&mut stream)).filter(|frame| frame.kind == GOAWAY).last();
    assert_eq!(goaway.unwrap_or_else(|| panic!("{what}: no GOAWAY")).code(), *reason, "{what}");
    drop(stream);
    assert!(pouring.join().unwrap() < COUNT, "{what}: all of it was taken");
}

/// The binary, before a server that takes requests and never answers one.
#[tokio::test(flavor = "multi_thread")]
async fn the_binary_ends_them_too() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let row = |path: &str, method: &str| {
        format!("  - {{name: {path}, path: /{path}, methods: [{method}], filters: [], upstream: silent}}\n")
    };
    let rows = [row("slow", "GET"), row("hello", "GET"), row("count", "POST")].concat();
    let upstream = format!("upstreams:\n  silent: {{url: \"http://{}\"}}\n", silent.local_addr().unwrap());
    let limits = "limits: {stop: 1s}\n";
    let gateway = Setup::default().append(format!("{limits}{upstream}routes:\n{rows}")).start().await;
    let address = gateway.address("public");
    tokio::task::spawn_blocking(move || {
        COSTLY.iter().for_each(|flood| ends_in_goaway(address, flood));
    })
    .await
    .unwrap();
}

#[test]
fn floods_that_cost_something_end_in_goaway_and_leave_nothing_open() {
    let front = Front::start(Limits { requests: 100, ..quick() }, None);
    for flood in COSTLY {
        ends_in_goaway(front.plain, flood);
        let what = flood.0;
        // A service is not told that nobody waits for its answer: so many are at work at once, and no more.
        assert!(front.metrics.open_requests() <= 25, "{what}: {}", front.metrics.open_requests());
    }
    front.open_gate();
    eventually("nothing is open", || front.metrics.open_requests() == 0 && front.metrics.open_connections() == 0);
}

/// Floods, reads what comes back, and is answered behind the flood all the same.
fn flood_and_ask(address: SocketAddr, (what, piece): (&'static str, Piece)) -> JoinHandle<()> {
    const LAST: u32 = 2 * FRAMES + 1;
    thread::spawn(move || {
        let mut stream = connect_h2(address);
        let pouring = pour(&stream, FRAMES, piece, frames::get(LAST, "/.well-known/jwks.json"));
        let mut last = std::iter::from_fn(|| Frame::read(&mut stream)).filter(|frame| frame.stream == LAST);
        assert_eq!(last.next().expect(what).status(), 200, "{what}");
        assert!(last.any(|frame| frame.is_last()), "{what}");
        assert_eq!(pouring.join().unwrap(), FRAMES, "{what}");
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_that_cost_nothing_are_tolerated_and_leave_nothing_behind() {
    // A process of its own: this one holds the bodies of other tests.
    let gateway = Gateway::standalone(&[]).await;
    let before = gateway.resident();
    let address = gateway.address("public");
    for cheap in CHEAP {
        let had = gateway.cpu();
        let clients: Vec<_> = (0..CLIENTS).map(|_| flood_and_ask(address, *cheap)).collect();
        for client in clients {
            client.join().unwrap();
        }
        let cost = (gateway.cpu() - had) / FRAMES / u32::try_from(CLIENTS).unwrap();
        println!("{}: {} µs a frame", cheap.0, cost.as_micros());
        assert!(cost < COST, "{}: {cost:?} a frame", cheap.0);
    }
    let grown = gateway.resident().saturating_sub(before);
    assert!(grown < GROWN, "{grown} bytes more");
}

/// More than anybody takes who holds back what nobody reads.
const ENDLESS: u32 = 5_000_000;

/// Clients that send what is answered, each of one kind, and never read.
fn unread(address: SocketAddr) -> Vec<(&'static str, JoinHandle<u32>, TcpStream)> {
    let answered = CHEAP.iter().filter(|(what, _)| ["PING", "SETTINGS"].contains(what));
    let pour = |(what, piece): &(&'static str, Piece)| {
        let stream = connect_h2(address);
        (*what, pour(&stream, ENDLESS, *piece, Vec::new()), stream)
    };
    answered.map(pour).collect()
}

/// What is answered is held up by who doesn't read the answers, and the connection is cut as any other on which nobody
/// reads.
#[test]
fn floods_whose_answers_nobody_reads_are_cut() {
    let front = Front::start(Limits { write: Duration::from_secs(1), ..quick() }, None);
    let clients = unread(front.plain);
    assert_eq!(clients.len(), 2);
    for (what, pouring, stream) in clients {
        assert!(pouring.join().unwrap() < ENDLESS, "{what}: all of it was taken");
        eventually(what, || front.metrics.open_connections() < 2);
        drop(stream);
    }
    eventually("both are gone", || front.metrics.open_connections() == 0);
}
