//! Which servers a request has tried, and whether it may try once more: never where an upstream may have acted on it.

use pingora::{Error, ErrorSource, ErrorType};

use crate::routes::{Attempt, Server, Upstream};

/// What one request has tried.
#[derive(Default)]
pub(super) struct Tries {
    made: Vec<Attempt>,
    /// A byte of an answer came.
    answered: bool,
    /// It was sent into a kept connection that turned out to be closed, and is sent once more.
    repeated: bool,
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

    /// Leaves the server that is being tried out for a while.
    pub(super) fn failed(&self, upstream: &Upstream, kind: &str) {
        let Some(attempt) = self.made.last() else { return };
        if let (Some(pause), Some(server)) = (upstream.servers.failed(*attempt), upstream.servers.of(*attempt)) {
            let (upstream, server, pause) = (&upstream.name, server.address.as_str(), pause.as_secs());
            tracing::warn!(upstream, server, kind, pause, "a server failed and is left out for so many seconds");
        }
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
            kind => self.failed(upstream, kind.as_str()),
        }
        self.made.len() < upstream.servers.all().len()
    }

    /// Whether to send the request once more after an error on a connection, `kept` from an earlier request: then it may
    /// have been closed before it was written to. `repeatable`: to do it twice is to do it once, and all of it is there.
    pub(super) fn broken(&mut self, upstream: &Upstream, error: &mut Error, kept: bool, repeatable: bool) -> bool {
        if self.answered || *error.esource() != ErrorSource::Upstream {
            return false;
        }
        if !kept && matches!(error.etype(), ErrorType::ConnectionClosed | ErrorType::ReadError) {
            self.failed(upstream, error.etype().as_str());
        }
        error.retry.decide_reuse(kept);
        let in_vain = error.retry() || (kept && *error.etype() == ErrorType::WriteError);
        if !in_vain || !repeatable || self.repeated {
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
