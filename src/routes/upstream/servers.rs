//! The servers of an upstream: round robin, and those that fail are left out for a while.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::ring::Ring;
use crate::routes::Address;

/// One server.
#[derive(Debug)]
pub struct Server {
    /// Where it is.
    pub address: Address,
    /// The name sent and verified by TLS; empty where it is plain.
    pub name: String,
}

impl Server {
    /// A server at `host:port` that is spoken to without TLS.
    #[must_use]
    pub fn plain(address: String) -> Self {
        Self { address: Address::new(address), name: String::new() }
    }
}

/// One server or more.
pub struct Servers {
    all: Vec<Server>,
    /// Held for a few comparisons, never across an await. Where there is no choice it is left alone.
    ring: Mutex<Ring>,
}

/// A request's try at one server.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    index: usize,
    began: Instant,
}

impl Servers {
    /// These servers, all of them up.
    #[must_use]
    pub fn new(all: Vec<Server>) -> Self {
        let ring = Mutex::new(Ring::new(all.len()));
        Self { all, ring }
    }

    /// The servers, in the order of the configuration.
    #[must_use]
    pub fn all(&self) -> &[Server] {
        &self.all
    }

    /// The server to try now by a request that made these attempts before; none is tried twice.
    pub fn next(&self, before: &[Attempt]) -> Option<(&Server, Attempt)> {
        let now = Instant::now();
        let tried: Vec<usize> = before.iter().map(|attempt| attempt.index).collect();
        let index = match self.choice() {
            Some(mut ring) => ring.next(&tried, now)?,
            None => tried.is_empty().then_some(0)?,
        };
        Some((self.all.get(index)?, Attempt { index, began: now }))
    }

    /// The server of an attempt.
    #[must_use]
    pub fn of(&self, attempt: Attempt) -> Option<&Server> {
        self.all.get(attempt.index)
    }

    /// Leaves the server of an attempt out, and tells how long; `None` where that changes nothing.
    pub fn failed(&self, attempt: Attempt) -> Option<Duration> {
        self.choice()?.failed(attempt.index, attempt.began, Instant::now())
    }

    /// Takes the server of an attempt in again; whether it was left out.
    pub fn answered(&self, attempt: Attempt) -> bool {
        self.choice().is_some_and(|mut ring| ring.answered(attempt.index))
    }

    fn choice(&self) -> Option<MutexGuard<'_, Ring>> {
        (self.all.len() > 1).then(|| self.ring.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.all.fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(number: u16) -> Servers {
        Servers::new((1..=number).map(|port| Server::plain(format!("127.0.0.1:{port}"))).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_failed_is_left_out_until_its_time_is_over() {
        let servers = servers(2);
        let (failed, attempt) = servers.next(&[]).unwrap();
        assert_eq!(servers.failed(attempt), Some(Duration::from_secs(1)));
        let next = || servers.next(&[]).map(|(server, _)| server.address.as_str().to_owned()).unwrap();
        assert!((0..4).all(|_| next() != failed.address.as_str()));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(next(), failed.address.as_str());
        assert!(servers.answered(attempt));
    }

    #[tokio::test]
    async fn a_lone_server_is_tried_whatever_happened() {
        let servers = servers(1);
        let (_, attempt) = servers.next(&[]).unwrap();
        assert_eq!(servers.failed(attempt), None);
        assert!(servers.next(&[]).is_some() && servers.next(&[attempt]).is_none());
    }
}
