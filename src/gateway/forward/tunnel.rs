//! A WebSocket that is open: bytes pass both ways, for as long as its session and its row let it.

use std::sync::Arc;
use std::time::Duration;

use pingora::{Error, ErrorType};
use sidegate_filters::Caller;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::Instrument as _;

use crate::gateway::watch::BodyWatch;
use crate::gateway::websocket::Handshake;
use crate::routes::Route;

/// How often the filters are asked whether it may go on: a session that ended is to be void within 5 s (`gateway.md` 3.2).
const STEP: Duration = Duration::from_secs(2);

/// A request for a WebSocket, and what comes of it.
pub(super) struct Tunnel {
    handshake: Handshake,
    /// Bytes of the client, and of the server.
    passed: [usize; 2],
    /// Ends with the request.
    watch: JoinSet<()>,
}

/// Whose bytes pass.
#[derive(Debug, Clone, Copy)]
pub(super) enum From {
    Client,
    Server,
}

impl Tunnel {
    pub(super) fn new(handshake: Handshake) -> Self {
        Self { handshake, passed: [0; 2], watch: JoinSet::new() }
    }

    /// What the server has to understand.
    pub(super) fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// How long the server may say nothing.
    pub(super) fn idle(&self) -> Duration {
        self.handshake.terms.idle
    }

    /// It is open now: from here on it is watched.
    pub(super) fn open(&mut self, route: Arc<Route>, caller: Caller) {
        let Some(request) = BodyWatch::current() else { return };
        let lifetime = self.handshake.terms.lifetime;
        let watch = async move {
            let why = match timeout(lifetime, ended(&route, &caller)).await {
                Ok(()) => "its session has ended",
                Err(_) => "it was open for as long as its row lets it",
            };
            tracing::info!(why, "a WebSocket is closed");
            request.end();
        };
        self.watch.spawn(watch.in_current_span());
    }

    /// Counts bytes that pass.
    pub(super) fn pass(&mut self, from: From, bytes: usize) -> pingora::Result<()> {
        let [client, server] = &mut self.passed;
        let passed = match from {
            From::Client => client,
            From::Server => server,
        };
        *passed = passed.saturating_add(bytes);
        if self.handshake.terms.bytes.is_none_or(|most| *passed <= most) {
            return Ok(());
        }
        let error = Error::explain(ErrorType::InvalidHTTPHeader, "more bytes than a WebSocket may carry here");
        Err(match from {
            From::Client => error.into_down(),
            From::Server => error.into_up(),
        })
    }
}

/// Comes back when the filters let it go on no longer.
async fn ended(route: &Route, caller: &Caller) {
    loop {
        sleep(STEP).await;
        if !route.filters.holds(caller).await {
            return;
        }
    }
}
