//! Which servers a request has tried, and whether it may try once more: never where an upstream may have acted on it.

use pingora::{Error, ErrorSource, ErrorType};

use crate::gateway::tls::refusal;
use crate::routes::{Attempt, Failure, Server, Servers, Upstream};

/// What one request has tried.
#[derive(Default)]
pub(super) struct Tries {
    made: Vec<Attempt>,
    /// A byte of an answer came.
    answered: bool,
    /// It was sent into a kept connection that turned out to be closed, and is sent once more.
    repeated: bool,
}

/// How much of a request is sent, and may be once more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    /// All of it is on its way to the server.
    pub(super) whole: bool,
    /// To do it twice is to do it once, and all of it is there.
    pub(super) repeatable: bool,
}

impl Tries {
    /// The server to try next; `None` after all of them.
    pub(super) fn next<'a>(&mut self, upstream: &'a Upstream) -> Option<&'a Server> {
        let (server, attempt) = upstream.servers.next(&self.made)?;
        self.made.push(attempt);
        Some(server)
    }

    /// The server that is being tried.
    pub(super) fn server<'a>(&self, upstream: &'a Upstream) -> Option<&'a Server> {
        upstream.servers.of(*self.made.last()?)
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

    /// Whether to try the next server, now that this one could not be connected to: nothing was sent.
    pub(super) fn not_connected(&mut self, upstream: &Upstream, error: &Error) -> bool {
        match error.etype() {
            // Our own lack, such as of open files: the next server would fare no better.
            ErrorType::InternalError => return false,
            // A kept HTTP/2 connection that takes no more streams says nothing of the server.
            ErrorType::H2Error if !self.repeated => {
                self.repeated = true;
                self.made.pop();
            }
            kind => {
                if self.failed(upstream, kind.as_str()) && *kind == ErrorType::InvalidCert {
                    refusal::tell(upstream, self.server(upstream));
                }
            }
        }
        self.made.len() < upstream.servers.all().len()
    }

    /// Whether to send the request once more after an error on a connection, `kept` from an earlier request: then it may
    /// have been closed before it was written to.
    pub(super) fn broken(&mut self, upstream: &Upstream, error: &mut Error, kept: bool, sent: Sent) -> bool {
        if self.answered || *error.esource() != ErrorSource::Upstream {
            return false;
        }
        let kind = error.etype().as_str();
        match error.etype() {
            ErrorType::ConnectionClosed | ErrorType::ReadError if !kept => _ = self.failed(upstream, kind),
            // Until it has the whole request a server need not answer.
            ErrorType::ReadTimedout if !sent.whole => {}
            ErrorType::ReadTimedout | ErrorType::WriteTimedout => {
                self.judged(upstream, kind, Servers::timed_out);
            }
            _ => {}
        }
        error.retry.decide_reuse(kept);
        let in_vain = error.retry() || (kept && *error.etype() == ErrorType::WriteError);
        if !in_vain || !sent.repeatable || self.repeated {
            return false;
        }
        // This server may be asked again.
        self.repeated = true;
        self.made.pop();
        true
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

    /// Whether the only server counts as failed after so many requests that got no answer in time.
    fn fails_after(requests: usize, kind: &ErrorType, whole: bool) -> bool {
        let upstream = Upstream::new("app", vec![Server::plain("127.0.0.1:1".to_owned())]);
        for _ in 0..requests {
            let mut tries = Tries::default();
            tries.next(&upstream).unwrap();
            let mut error = Error::new(kind.clone()).into_up();
            assert!(!tries.broken(&upstream, &mut error, true, Sent { whole, repeatable: true }));
        }
        upstream.servers.answered(upstream.servers.next(&[]).unwrap().1)
    }

    #[test]
    fn a_server_that_hangs_fails_and_one_that_waits_for_its_request_does_not() {
        assert!(!fails_after(2, &ErrorType::ReadTimedout, true));
        assert!(fails_after(3, &ErrorType::ReadTimedout, true));
        assert!(!fails_after(3, &ErrorType::ReadTimedout, false));
        assert!(fails_after(3, &ErrorType::WriteTimedout, false), "it does not read");
    }
}
