//! The end: what is open is finished, what is idle does not hold it up.

use std::io::Write;
use std::time::{Duration, Instant};

use super::clients::{connect, exchange, h2, request, rest};
use super::front::{Front, eventually, quick};
use sidegate::gateway::Limits;

/// Far below the time to stop and the idle limit, far above what a loaded machine needs.
const EARLY: Duration = Duration::from_secs(15);

/// A gateway whose idle connections last.
fn front() -> Front {
    Front::start(Limits { idle: Duration::from_secs(60), ..quick() }, None)
}

#[test]
fn open_requests_are_finished_on_both_protocols_and_then_it_leaves_early() {
    let mut front = front();
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
    let mut front = front();
    let mut idle = connect(front.plain);
    idle.write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    eventually("the first request is answered", || front.metrics().contains("route=\"hello\",status=\"2xx\"} 1"));
    let asked = Instant::now();
    front.stop();
    assert!(asked.elapsed() < EARLY, "it stayed for {:?}", asked.elapsed());
    assert!(rest(&mut idle).ends_with("hello"), "the idle connection is closed, not cut");
    eventually("the port is closed", || std::net::TcpStream::connect(front.plain).is_err());
}
