//! The servers of an upstream: each request has its turn or its own server, and those that fail are left out.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::affinity::Affinity;
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
    all: Vec<Arc<Server>>,
    /// Of the servers' places, for requests that have a server of their own.
    names: Vec<Affinity>,
    /// Held for a few comparisons, never across an await.
    ring: Arc<Mutex<Ring>>,
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
        Self::after(None, all)
    }

    /// These servers in the place of those before: one that is still there keeps its connections, and what is known of its
    /// outage.
    #[must_use]
    pub fn after(before: Option<&Self>, all: Vec<Server>) -> Self {
        let names = all.iter().map(|server| Affinity::of(server.address.as_str())).collect();
        let Some(before) = before else {
            let ring = Ring::new(all.len());
            return Self { all: all.into_iter().map(Arc::new).collect(), names, ring: Arc::new(Mutex::new(ring)) };
        };
        let places: Vec<Option<usize>> = all.iter().map(|server| before.place(server)).collect();
        let kept = |(server, place): (Server, &Option<usize>)| {
            let same = place.and_then(|place| before.all.get(place));
            same.map_or_else(|| Arc::new(server), Arc::clone)
        };
        let all: Vec<_> = all.into_iter().zip(&places).map(kept).collect();
        let unchanged = all.len() == before.all.len() && places.iter().enumerate().all(|(new, old)| *old == Some(new));
        let ring =
            if unchanged { Arc::clone(&before.ring) } else { Arc::new(Mutex::new(before.ring().moved(&places))) };
        Self { all, names, ring }
    }

    /// Which of these a server is, to whom connections are the same.
    fn place(&self, server: &Server) -> Option<usize> {
        let same = |here: &Arc<Server>| here.address.as_str() == server.address.as_str() && here.name == server.name;
        self.all.iter().position(same)
    }

    /// Whether this server, as another composition made it, is one of these, so that its connections are gone on with.
    #[must_use]
    pub fn keep(&self, server: &Arc<Server>) -> bool {
        self.all.iter().any(|here| Arc::ptr_eq(here, server))
    }

    /// The servers, in the order of the configuration.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &Server> {
        self.all.iter().map(AsRef::as_ref)
    }

    /// The server to try now by a request that made these attempts before; none is tried twice. With an affinity it is the
    /// same each time while that is up, without one servers take turns.
    pub fn next(&self, affinity: Option<Affinity>, before: &[Attempt]) -> Option<(&Server, Attempt)> {
        let now = Instant::now();
        let tried: Vec<usize> = before.iter().map(|attempt| attempt.index).collect();
        let index = match affinity {
            _ if self.is_alone() => tried.is_empty().then_some(0)?,
            None => self.ring().next(&tried, now)?,
            Some(affinity) => {
                let order = affinity.order(&self.names);
                self.ring().first(&order, &tried, now)?
            }
        };
        Some((self.all.get(index)?.as_ref(), Attempt { index, began: now }))
    }

    /// The server of an attempt.
    #[must_use]
    pub fn of(&self, attempt: Attempt) -> Option<&Arc<Server>> {
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

    /// A health check of the server at this place in [`Self::all`] ended well or not, and so many in a row are enough to
    /// take it in or to leave it out. `true`: that is news.
    pub fn checked(&self, place: usize, good: bool, enough: usize) -> bool {
        self.ring().checked(place, good, enough, Instant::now())
    }

    /// Whether the health checks of the server at this place fail.
    #[must_use]
    pub fn is_sick(&self, place: usize) -> bool {
        self.ring().is_sick(place)
    }

    /// Nobody checks these servers any more: what checks said counts no longer.
    pub fn forget_checks(&self) {
        self.ring().forget_checks();
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
        let (failed, attempt) = servers.next(None, &[]).unwrap();
        assert_eq!(servers.failed(attempt), Some(Failure::LeftOut(Duration::from_secs(1))));
        let next = || servers.next(None, &[]).map(|(server, _)| server.address.as_str().to_owned()).unwrap();
        assert!((0..4).all(|_| next() != failed.address.as_str()));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(next(), failed.address.as_str());
        assert!(servers.answered(attempt));
    }

    #[tokio::test(start_paused = true)]
    async fn servers_that_stay_keep_their_connections_and_outages_wherever_they_stand() {
        let before = servers(3);
        let (failed, attempt) = before.next(None, &[]).unwrap();
        assert_eq!((failed.address.as_str(), before.failed(attempt).is_some()), ("127.0.0.1:1", true));
        let group = |servers: &Servers, index: usize| servers.all().nth(index).unwrap().address.group();
        let same = Servers::after(
            Some(&before),
            servers(3).all.iter().map(|s| Server::plain(s.address.as_str().to_owned())).collect(),
        );
        assert!((0..3).all(|index| group(&same, index) == group(&before, index)));
        assert!(before.answered(attempt) && !same.answered(attempt), "both know the same");
        before.failed(attempt);
        let moved = ["127.0.0.1:9", "127.0.0.1:1"].map(|address| Server::plain(address.to_owned()));
        let moved = Servers::after(Some(&before), moved.into());
        assert_eq!(group(&moved, 1), group(&before, 0));
        let next = || moved.next(None, &[]).map(|(server, _)| server.address.as_str().to_owned()).unwrap();
        assert!((0..4).all(|_| next() == "127.0.0.1:9"), "the other one is still left out");
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(next(), "127.0.0.1:1");
    }

    #[tokio::test]
    async fn a_lone_server_is_tried_whatever_happened_and_its_failure_is_told_once() {
        let servers = servers(1);
        let (_, attempt) = servers.next(None, &[]).unwrap();
        assert_eq!(servers.failed(attempt), Some(Failure::Alone));
        let (_, second) = servers.next(None, &[]).unwrap();
        assert!(servers.next(None, &[second]).is_none());
        assert_eq!(servers.failed(second), None);
        assert!(servers.answered(second) && !servers.answered(second));
        assert_eq!(servers.failed(second), Some(Failure::Alone));
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_keeps_its_server_and_goes_on_while_that_is_down() {
        let servers = servers(3);
        let session = Some(Affinity::of("session"));
        let next = |before: &[Attempt]| {
            servers
                .next(session, before)
                .map(|(server, attempt)| (server.address.as_str().to_owned(), attempt))
                .unwrap()
        };
        let (own, attempt) = next(&[]);
        assert!((0..5).all(|_| next(&[]).0 == own));
        assert_ne!(next(&[attempt]).0, own, "none is tried twice");
        servers.failed(attempt);
        let (second, _) = next(&[]);
        assert!(second != own && (0..5).all(|_| next(&[]).0 == second));
        servers.answered(attempt);
        assert_eq!(next(&[]).0, own);
        assert!(servers.checked(attempt.index, false, 1));
        assert_eq!(next(&[]).0, second);
    }
}
