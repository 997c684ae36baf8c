//! The end: what is open is finished, what is idle does not hold it up.

use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::clients::{connect, connect_h2, exchange, h2, request, rest};
use super::front::{Front, eventually, quick};
use super::origin::Origin;
use crate::support::frames::{self, Frame, HEADERS};
use sidegate::gateway::Limits;

/// Far below the time to stop and the idle limit, far above what a loaded machine needs.
const EARLY: Duration = Duration::from_secs(15);

/// A gateway whose idle connections last.
fn front(upstream: Option<SocketAddr>) -> Front {
    Front::start(Limits { idle: Duration::from_secs(60), ..quick() }, upstream)
}

#[test]
fn open_requests_are_finished_on_both_protocols_and_then_it_leaves_early() {
    let mut front = front(None);
    let address = front.plain;
    let first = std::thread::spawn(move || exchange(address, b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"));
    let second = std::thread::spawn(move || h2(address, request(address, "GET", "/slow", vec![])));
    eventually("both requests are open", || front.metrics.open_requests() == 2);
    front.ask_to_stop();
    eventually("the port is closed", || std::net::TcpStream::connect(address).is_err());
    let answered = Instant::now();
    front.open_gate();
    front.stop();
    assert!(answered.elapsed() < EARLY, "it stayed for {:?}", answered.elapsed());
    assert!(first.join().unwrap().ends_with("slow"));
    assert_eq!(second.join().unwrap().unwrap().body, "slow");
}

#[test]
fn idle_connections_do_not_hold_it_up_and_no_new_ones_are_taken() {
    let mut front = front(None);
    let mut idle = connect(front.plain);
    idle.write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    eventually("the first request is answered", || front.metrics().contains("route=\"hello\",status=\"2xx\"} 1"));
    let asked = Instant::now();
    front.stop();
    assert!(asked.elapsed() < EARLY, "it stayed for {:?}", asked.elapsed());
    assert!(rest(&mut idle).ends_with("hello"), "the idle connection is closed, not cut");
    eventually("the port is closed", || std::net::TcpStream::connect(front.plain).is_err());
}

/// The status of the answer on a stream; `None` where it is cut.
fn answered(client: &mut impl std::io::Read, stream: u32) -> Option<u16> {
    let mut status = None;
    loop {
        let frame = Frame::read(client)?;
        if frame.stream != stream {
            continue;
        }
        match frame.kind {
            HEADERS if status.is_none() => status = Some(frame.status()),
            frames::RST_STREAM => return None,
            _ => {}
        }
        if frame.is_last() {
            return status;
        }
    }
}

/// The status of a request that begins when a gateway has nothing open any more and is about to leave, on a connection
/// whose client has not said yet that it knows. `None`: it came too late, and was not begun.
fn late() -> Option<u16> {
    let origin = Origin::start();
    let mut front = front(Some(origin.address));
    let (mut idle, mut client) = (connect(front.plain), connect_h2(front.plain));
    idle.write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    client.write_all(&frames::get(1, "/hello")).unwrap();
    assert_eq!(answered(&mut client, 1), Some(200));
    eventually("both are answered", || front.metrics().contains("route=\"hello\",status=\"2xx\"} 2"));
    front.ask_to_stop();
    // Closed is what is idle: what was asked before the stop has been finished.
    rest(&mut idle);
    // Answered when its server was silent for far longer than connections may take to flush.
    let sent = client.write_all(&frames::get(3, "/up/silent"));
    let status = sent.ok().and_then(|()| answered(&mut client, 3));
    front.stop();
    (!origin.got().is_empty()).then(|| status.expect("what was begun is answered"))
}

#[test]
fn a_request_that_begins_while_connections_flush_is_finished() {
    // On a machine that stands still just then it may come too late.
    let status = (0..5).find_map(|_| late());
    assert_eq!(status, Some(504));
}
