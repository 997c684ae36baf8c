//! The servers of an upstream: round robin, and those that fail are left out for a while.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::ring::{Ring, SHORTEST};
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
    /// Held for a few comparisons, never across an await.
    ring: Mutex<Ring>,
}

/// A request's try at one server.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    index: usize,
    began: Instant,
}

/// What follows from a failure, where that is news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The server is left out for so long.
    LeftOut(Duration),
    /// It is the only one, so it is asked all the same. Told once, until it answers.
    Alone,
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
        let index = if self.is_alone() { tried.is_empty().then_some(0)? } else { self.ring().next(&tried, now)? };
        Some((self.all.get(index)?, Attempt { index, began: now }))
    }

    /// The server of an attempt.
    #[must_use]
    pub fn of(&self, attempt: Attempt) -> Option<&Server> {
        self.all.get(attempt.index)
    }

    /// Leaves the server of an attempt out; `None` where that changes nothing.
    pub fn failed(&self, attempt: Attempt) -> Option<Failure> {
        self.news(self.ring().failed(attempt.index, attempt.began, Instant::now()))
    }

    /// The same for one that did not answer in time, if it did not several times in a row.
    pub fn timed_out(&self, attempt: Attempt) -> Option<Failure> {
        self.news(self.ring().timed_out(attempt.index, attempt.began, Instant::now()))
    }

    /// Takes the server of an attempt in again; whether it had failed.
    pub fn answered(&self, attempt: Attempt) -> bool {
        self.ring().answered(attempt.index)
    }

    fn news(&self, pause: Option<Duration>) -> Option<Failure> {
        let pause = pause?;
        if self.is_alone() { (pause == SHORTEST).then_some(Failure::Alone) } else { Some(Failure::LeftOut(pause)) }
    }

    fn is_alone(&self) -> bool {
        self.all.len() == 1
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
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
        assert_eq!(servers.failed(attempt), Some(Failure::LeftOut(Duration::from_secs(1))));
        let next = || servers.next(&[]).map(|(server, _)| server.address.as_str().to_owned()).unwrap();
        assert!((0..4).all(|_| next() != failed.address.as_str()));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(next(), failed.address.as_str());
        assert!(servers.answered(attempt));
    }

    #[tokio::test]
    async fn a_lone_server_is_tried_whatever_happened_and_its_failure_is_told_once() {
        let servers = servers(1);
        let (_, attempt) = servers.next(&[]).unwrap();
        assert_eq!(servers.failed(attempt), Some(Failure::Alone));
        let (_, second) = servers.next(&[]).unwrap();
        assert!(servers.next(&[second]).is_none());
        assert_eq!(servers.failed(second), None);
        assert!(servers.answered(second) && !servers.answered(second));
        assert_eq!(servers.failed(second), Some(Failure::Alone));
    }
}
