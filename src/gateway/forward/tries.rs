//! Which servers a request has tried, and whether it may try once more: where an upstream may have got it only if it
//! asks for nothing to be done.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use pingora::{Error, ErrorSource, ErrorType};

use crate::gateway::tls::refusal;
use crate::routes::{Affinity, Attempt, Failure, Server, Servers, Upstream};

/// What one request has tried.
#[derive(Default)]
pub(super) struct Tries {
    /// What leads it to a server of its own.
    affinity: Option<Affinity>,
    made: Vec<Attempt>,
    /// The addresses of the server that is being tried; it is connected to at the first, and may be at the others.
    addresses: VecDeque<SocketAddr>,
    /// A byte of an answer came.
    answered: bool,
    /// It was sent into a kept connection that turned out to be closed, and is sent once more: into a new one, since others
    /// that were kept for that server are closed with it where it restarts.
    repeated: bool,
    /// A server took the connection and closed it without a word, as one that stops does, and another one is asked.
    passed_on: bool,
}

/// How much of a request is sent, and may be once more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    /// All of it is on its way to the server.
    pub(super) whole: bool,
    /// It does nothing, so that it may arrive twice.
    pub(super) repeatable: bool,
    /// It asks for a WebSocket: many a server refuses one by closing the connection, and means no other request.
    pub(super) refusable: bool,
}

impl Tries {
    /// Of a request that has a server of its own by this.
    pub(super) fn led_by(affinity: Option<Affinity>) -> Self {
        Self { affinity, ..Self::default() }
    }

    /// The server to try next, and its address; `None` after all of them.
    pub(super) async fn next_address<'a>(&mut self, upstream: &'a Upstream) -> Option<(&'a Server, SocketAddr)> {
        loop {
            if let Some(address) = self.addresses.front() {
                return self.server(upstream).map(AsRef::as_ref).zip(Some(*address));
            }
            let server = self.next(upstream)?;
            self.addresses = server.address.resolve(upstream.connect_timeout).await.iter().copied().collect();
            if self.addresses.is_empty() {
                self.failed(upstream, "no address");
            }
        }
    }

    fn next<'a>(&mut self, upstream: &'a Upstream) -> Option<&'a Server> {
        let (server, attempt) = upstream.servers.next(self.affinity, &self.made)?;
        self.made.push(attempt);
        Some(server)
    }

    /// The server that is being tried.
    pub(super) fn server<'a>(&self, upstream: &'a Upstream) -> Option<&'a Arc<Server>> {
        upstream.servers.of(*self.made.last()?)
    }

    /// Whether only a connection that is opened for it will do.
    pub(super) fn wants_a_new_connection(&self) -> bool {
        self.repeated
    }

    /// Leaves the server that is being tried out for a while; whether that is news.
    pub(super) fn failed(&self, upstream: &Upstream, kind: &str) -> bool {
        self.judged(upstream, kind, Servers::failed)
    }

    fn judged(&self, upstream: &Upstream, kind: &str, judge: fn(&Servers, Attempt) -> Option<Failure>) -> bool {
        let Some(attempt) = self.made.last() else { return false };
        let news = judge(&upstream.servers, *attempt).zip(upstream.servers.of(*attempt));
        let Some((failure, server)) = news else { return false };
        let (upstream, server) = (&upstream.name, server.address.as_str());
        match failure {
            Failure::LeftOut(pause) => {
                let pause = pause.as_secs();
                tracing::warn!(upstream, server, kind, pause, "a server failed and is left out for so many seconds");
            }
            Failure::Alone => {
                tracing::warn!(upstream, server, kind, "the only server failed and is asked all the same")
            }
        }
        true
    }

    /// Whether to try the next address or server, now that this one could not be connected to: nothing was sent.
    pub(super) fn not_connected(&mut self, upstream: &Upstream, error: &Error) -> bool {
        match error.etype() {
            // A kept HTTP/2 connection that takes no more streams says nothing of the server.
            ErrorType::H2Error if !self.repeated => self.repeat(),
            // That this machine has no IPv6 is an error of its own, which says nothing of the next address.
            kind if self.pass_over(upstream, kind.as_str()) => return true,
            // Our own lack, such as of open files: the next server would fare no better.
            ErrorType::InternalError => return false,
            kind => {
                if self.failed(upstream, kind.as_str()) && *kind == ErrorType::InvalidCert {
                    refusal::tell(upstream, self.server(upstream).map(AsRef::as_ref));
                }
            }
        }
        self.made.len() < upstream.servers.all().len()
    }

    /// Whether to send the request once more after an error on a connection, `kept` from an earlier request: then it may
    /// have been closed before it was written to. A new one may have waited with a server that stops, for nobody to take it.
    pub(super) fn broken(&mut self, upstream: &Upstream, error: &mut Error, kept: bool, sent: Sent) -> bool {
        if self.answered || *error.esource() != ErrorSource::Upstream {
            return false;
        }
        let kind = error.etype().as_str();
        let closed = matches!(error.etype(), ErrorType::ConnectionClosed | ErrorType::ReadError);
        let gone = closed && !kept && !sent.refusable;
        match error.etype() {
            _ if gone => _ = self.failed(upstream, kind),
            // Until it has the whole request a server need not answer.
            ErrorType::ReadTimedout if !sent.whole => {}
            ErrorType::ReadTimedout | ErrorType::WriteTimedout => {
                self.judged(upstream, kind, Servers::timed_out);
            }
            _ => {}
        }
        error.retry.decide_reuse(kept);
        let in_vain = error.retry() || (kept && *error.etype() == ErrorType::WriteError);
        match sent.repeatable {
            true if in_vain && !self.repeated => self.repeat(),
            true if gone => return self.pass_on(upstream),
            _ => return false,
        }
        true
    }

    /// Whether another server is asked: one of them only, since the request may be what made the first one close.
    fn pass_on(&mut self, upstream: &Upstream) -> bool {
        self.addresses.clear();
        !std::mem::replace(&mut self.passed_on, true) && self.made.len() < upstream.servers.all().len()
    }

    /// The server that is being tried may be asked again.
    fn repeat(&mut self) {
        self.repeated = true;
        self.made.pop();
        self.addresses.clear();
    }

    /// Goes on to the next address of the server that is being tried, if it has one.
    fn pass_over(&mut self, upstream: &Upstream, kind: &str) -> bool {
        let Some(failed) = self.addresses.pop_front() else { return false };
        if let Some(server) = self.server(upstream) {
            server.address.pass_over(failed);
            if !self.addresses.is_empty() {
                let (upstream, server, address) = (&upstream.name, server.address.as_str(), failed.to_string());
                tracing::info!(kind, upstream, server, address, "a server is tried at its next address");
            }
        }
        !self.addresses.is_empty()
    }

    /// The server that is being tried answers.
    pub(super) fn answered(&mut self, upstream: &Upstream) {
        let Some(attempt) = self.made.last().filter(|_| !self.answered) else { return };
        self.answered = true;
        if let (true, Some(server)) = (upstream.servers.answered(*attempt), upstream.servers.of(*attempt)) {
            tracing::info!(upstream = upstream.name, server = server.address.as_str(), "a server answers again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::Address;

    /// Whether the only server counts as failed after so many requests that got no answer in time.
    fn fails_after(requests: usize, kind: &ErrorType, whole: bool) -> bool {
        let upstream = Upstream::new("app", vec![Server::plain("127.0.0.1:1".to_owned())]);
        for _ in 0..requests {
            let mut tries = Tries::default();
            tries.next(&upstream).unwrap();
            let mut error = Error::new(kind.clone()).into_up();
            assert!(!tries.broken(&upstream, &mut error, true, Sent { whole, repeatable: true, refusable: false }));
        }
        upstream.servers.answered(upstream.servers.next(None, &[]).unwrap().1)
    }

    #[test]
    fn a_server_that_hangs_fails_and_one_that_waits_for_its_request_does_not() {
        assert!(!fails_after(2, &ErrorType::ReadTimedout, true));
        assert!(fails_after(3, &ErrorType::ReadTimedout, true));
        assert!(!fails_after(3, &ErrorType::ReadTimedout, false));
        assert!(fails_after(3, &ErrorType::WriteTimedout, false), "it does not read");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_has_failed_once_none_of_its_addresses_could_be_connected_to() {
        let addresses = ["[::1]:1", "127.0.0.1:1", "127.0.0.2:1"].map(|address| address.parse().unwrap());
        for kind in [ErrorType::ConnectRefused, ErrorType::InternalError] {
            let server = Server { address: Address::of("app.internal:1", &addresses), name: String::new() };
            let upstream = Upstream::new("app", vec![server]);
            let (mut tries, mut tried) = (Tries::default(), Vec::new());
            while let Some((_, address)) = tries.next_address(&upstream).await {
                assert!(!upstream.servers.answered(tries.made[0]), "it has not failed yet");
                tried.push(address);
                let again = tries.not_connected(&upstream, &Error::new(kind.clone()).into_up());
                assert_eq!(again, tried.len() < addresses.len());
            }
            assert_eq!(tried, addresses);
            assert_eq!(upstream.servers.answered(tries.made[0]), kind == ErrorType::ConnectRefused);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_request_begins_where_the_last_one_went_on() {
        let addresses = ["[::1]:1", "127.0.0.1:1"].map(|address| address.parse().unwrap());
        let server = Server { address: Address::of("app.internal:1", &addresses), name: String::new() };
        let upstream = Upstream::new("app", vec![server]);
        let mut first = Tries::default();
        first.next_address(&upstream).await.unwrap();
        assert!(first.not_connected(&upstream, &Error::new(ErrorType::ConnectRefused).into_up()));
        assert_eq!(Tries::default().next_address(&upstream).await.unwrap().1, addresses[1]);
    }
}
