//! Ports for gateways, below the range that the system gives to outgoing connections, so that nobody takes one between
//! the look at it and the gateway that binds it. Each run of the tests has a block of its own.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 12_000;
const BLOCKS: u16 = 20;
/// More than the tests of one run take.
const SIZE: u16 = 1_000;

/// The first port of our block, held for as long as this process runs: another run finds it taken and looks further.
static BLOCK: LazyLock<(u16, TcpListener)> = LazyLock::new(|| {
    let blocks = (0..BLOCKS).map(|block| FIRST + block * SIZE);
    blocks.filter_map(|port| Some((port, bind(port)?))).next().expect("a free block of ports")
});

/// A port that nothing listens on; each call gives another.
pub(crate) fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let port = BLOCK.0 + 1 + NEXT.fetch_add(1, Ordering::Relaxed) % (SIZE - 1);
        if bind(port).is_some() {
            return port;
        }
    }
}

fn bind(port: u16) -> Option<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()
}
