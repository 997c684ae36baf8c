//! A WebSocket that is open: bytes pass both ways, for as long as its session and its row let it.

mod asked;
mod held;

use std::sync::Arc;
use std::time::Duration;

use pingora::{Error, ErrorType};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument as _;

use super::unwatched;
use crate::gateway::watch::BodyWatch;
use crate::gateway::websocket::Handshake;
pub(in crate::gateway) use asked::Asked;
pub(super) use asked::Open;
pub(super) use held::Hold;

/// How often it is asked whether it may go on: a session that ended is to be void within 5 s (`gateway.md` 3.2).
const STEP: Duration = Duration::from_secs(2);

/// A request for a WebSocket, and what comes of it.
pub(super) struct Tunnel {
    handshake: Handshake,
    /// The request, until it is open.
    asked: Option<Asked>,
    /// Of the connection that the handshake goes by.
    hold: Hold,
    /// Bytes of the client, and of the server.
    passed: [usize; 2],
    /// Ends with the request.
    watch: JoinSet<()>,
}

/// Whose bytes pass.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Client,
    Server,
}

/// Ends the request when the watch over it does, in whichever way: a filter that panics leaves no WebSocket unwatched.
struct End(Arc<BodyWatch>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Tunnel {
    pub(super) fn new(handshake: Handshake, asked: Asked) -> Self {
        Self { handshake, asked: Some(asked), hold: Hold::default(), passed: [0; 2], watch: JoinSet::new() }
    }

    /// What the server has to understand.
    pub(super) fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// How long the server may say nothing.
    pub(super) fn idle(&self) -> Duration {
        self.handshake.terms.idle
    }

    /// What makes the connection that the handshake goes by next.
    pub(super) fn new_hold(&mut self) -> Hold {
        self.hold = Hold::default();
        self.hold.clone()
    }

    /// The handshake is sent now, by that connection.
    pub(super) fn begin(&self) {
        self.hold.set();
    }

    /// It is open now: from here on it is watched.
    pub(super) fn open(&mut self, open: Open) -> pingora::Result<()> {
        let watched = BodyWatch::current().zip(self.asked.take());
        let (request, asked) = watched.ok_or_else(|| unwatched("a WebSocket that can't be watched"))?;
        let end = End(request);
        let watch = async move {
            let _end = end;
            let why = closed(asked, open).await;
            tracing::info!(why, "a WebSocket is closed");
        };
        self.watch.spawn(watch.in_current_span());
        Ok(())
    }

    /// Counts bytes that pass.
    pub(super) fn pass(&mut self, from: Side, bytes: usize) -> pingora::Result<()> {
        let [client, server] = &mut self.passed;
        let passed = match from {
            Side::Client => client,
            Side::Server => server,
        };
        *passed = passed.saturating_add(bytes);
        if self.handshake.terms.bytes.is_none_or(|most| *passed <= most) {
            return Ok(());
        }
        let error = Error::explain(ErrorType::InvalidHTTPHeader, "more bytes than a WebSocket may carry here");
        Err(match from {
            Side::Client => error.into_down(),
            Side::Server => error.into_up(),
        })
    }
}

/// Comes back when it may go on no longer, and says why.
async fn closed(mut asked: Asked, mut open: Open) -> &'static str {
    let begun = Instant::now();
    loop {
        let left = open.lifetime().saturating_sub(begun.elapsed());
        match timeout(left, step(&mut asked, &mut open)).await {
            Ok(None) => {}
            Ok(Some(why)) => return why,
            Err(_) => return "it was open for as long as its row lets it",
        }
    }
}

async fn step(asked: &mut Asked, open: &mut Open) -> Option<&'static str> {
    sleep(STEP).await;
    if !asked.stands(open).await {
        return Some("its handshake would be refused now");
    }
    (!open.route.filters.holds(&open.caller, &asked.exchange).await)
        .then_some("its session has ended, or lost a level or a role")
}

#[cfg(test)]
mod tests;
