//! A request on its way to an upstream: what was checked is what is sent, and who is calling is said by us alone
//! (`gateway.md` 2.3, 4).

mod censor;
mod peer;
mod rewrite;
mod tries;
mod tunnel;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType};
use sidegate_filters::{Caller, CanonicalPath, Exchange, Reply, Verdict};

use super::failure::TooLong;
use super::watch::BodyWatch;
use super::websocket::Handshake;
use crate::routes::{Affinity, Balance, Route, Upstream};
use crate::seats::Seat;
use crate::store::SourceNetwork;
use crate::telemetry::Trace;
use crate::telemetry::access::Way;
use censor::Early;
pub(super) use censor::trailers as censor_trailers;
pub(super) use peer::of as peer_of;
use rewrite::Target;
use tries::{Sent, Tries};
pub(super) use tunnel::Asked;
use tunnel::{Open, Side, Tunnel};

/// A request that passed its filters and goes to an upstream.
pub(super) struct Forward {
    route: Arc<Route>,
    upstream: Arc<Upstream>,
    exchange: Exchange,
    /// The filters let it go: they are asked once, however often it is sent.
    committed: bool,
    /// The path that is sent in place of the one that was matched.
    path: Option<CanonicalPath>,
    /// The host that the client named.
    host: String,
    /// The body that is passed on as it comes.
    stream: Option<Streaming>,
    tries: Tries,
    /// When a server was last sent it, and how long the head of its answer took then.
    sent: Option<Instant>,
    took: Option<Duration>,
    early: Early,
    /// It asks for a WebSocket.
    tunnel: Option<Tunnel>,
    /// It takes a connection to the upstream.
    _way: Seat,
}

struct Streaming {
    /// How much of it may still come.
    left: Option<usize>,
    watch: Option<Arc<BodyWatch>>,
    /// Its end has come.
    ended: bool,
}

impl Forward {
    pub(super) fn new(
        (route, upstream): (Arc<Route>, Arc<Upstream>),
        exchange: Exchange,
        path: Option<CanonicalPath>,
        host: String,
        stream: bool,
        way: Seat,
    ) -> Self {
        let tries = Tries::led_by((upstream.balance == Balance::Session).then(|| affinity(&exchange)));
        let stream = stream.then(|| Streaming { left: route.body_limit, watch: BodyWatch::current(), ended: false });
        Self {
            route,
            upstream,
            exchange,
            committed: false,
            path,
            host,
            stream,
            tries,
            sent: None,
            took: None,
            early: Early::default(),
            tunnel: None,
            _way: way,
        }
    }

    /// The same, where it asks for a WebSocket and may.
    pub(super) fn with_websocket(mut self, handshake: Option<(Handshake, Asked)>) -> Self {
        self.tunnel = handshake.map(|(handshake, asked)| Tunnel::new(handshake, asked));
        self
    }

    /// The upstream's name.
    pub(super) fn name(&self) -> &str {
        &self.upstream.name
    }

    /// `host:port` of the server that was tried last.
    pub(super) fn server(&self) -> Option<&str> {
        self.tries.server(&self.upstream).map(|server| server.address.as_str())
    }

    /// For the log.
    pub(super) fn way(&self) -> Way {
        Way { upstream: self.name().to_owned(), server: self.server().map(str::to_owned), took: self.took }
    }

    /// Where to connect to next, and how long for.
    pub(super) async fn peer(&mut self) -> pingora::Result<Box<HttpPeer>> {
        self.set_flowing(false);
        let Some((server, address)) = self.tries.next_address(&self.upstream).await else {
            return Err(Error::explain(ErrorType::ConnectNoRoute, "no server of the upstream has an address").into_up());
        };
        let mut peer = peer::of(&self.upstream, server, address);
        match &mut self.tunnel {
            Some(tunnel) => peer::opened_for(&mut peer, tunnel.new_hold(), tunnel.idle()),
            None if self.tries.wants_a_new_connection() => peer::opened_anew(&mut peer, server),
            None => {}
        }
        Ok(Box::new(peer))
    }

    /// Whether another address or server is to be tried, now that this one could not be connected to.
    pub(super) fn not_connected(&mut self, error: &Error) -> bool {
        self.tries.not_connected(&self.upstream, error)
    }

    /// Whether to send the request once more after an error on a connection, `kept` from an earlier one. `unanswered`: the
    /// client got nothing yet. Only where it asks for nothing to be done (RFC 9110 9.2.1): of two PUTs or DELETEs that arrive
    /// the second may undo what somebody did in between. A body is passed on once.
    pub(super) fn broken(&mut self, error: &mut Error, kept: bool, unanswered: bool) -> bool {
        let whole = self.stream.as_ref().is_none_or(|stream| stream.ended);
        let repeatable = unanswered && self.exchange.method.is_safe() && !self.has_body();
        let sent = Sent { whole, repeatable, refusable: self.tunnel.is_some() };
        self.tries.broken(&self.upstream, error, kept, sent)
    }

    fn has_body(&self) -> bool {
        self.stream.is_some() || self.exchange.body.as_ref().is_some_and(|body| !body.is_empty())
    }

    /// Makes Pingora's copy of the client's request into ours, a part of this trace, now that there is a connection for it.
    pub(super) fn rewrite(&mut self, request: &mut RequestHeader, trace: &Trace) -> pingora::Result<()> {
        self.set_flowing(true);
        self.tunnel.iter().for_each(Tunnel::begin);
        self.sent = Some(Instant::now());
        let server = self.tries.server(&self.upstream);
        let server = server.ok_or_else(|| Error::explain(ErrorType::InternalError, "a request to no server"))?;
        let path = self.path.as_ref().unwrap_or(&self.exchange.path);
        // What is sent once more has a connection to itself, that no other such request may find closed.
        let last = self.tries.wants_a_new_connection() || self.upstream.close_after_body && self.has_body();
        let (identity_headers, websocket) = (&self.upstream.identity_headers, self.tunnel.is_some());
        let to = Target { host: server.address.as_str(), path, identity_headers, last, websocket, trace };
        rewrite::rewrite(request, &self.exchange, &to, &self.host)
    }

    /// Tells the filters that the request is sent now; one of them, of this name, may still keep it back with this answer.
    pub(super) async fn commit(&mut self) -> Result<(), (Reply, Option<Arc<str>>)> {
        if self.committed {
            return Ok(());
        }
        match self.route.filters.commit(&mut self.exchange).await {
            Verdict::Pass => self.committed = true,
            Verdict::Answer(reply) => return Err((reply, self.exchange.refused_by.take())),
        }
        Ok(())
    }

    /// Makes the upstream's answer into one that a client may get.
    pub(super) fn censor(&mut self, response: &mut ResponseHeader) -> pingora::Result<()> {
        self.tries.answered(&self.upstream);
        self.early.count(response)?;
        censor::head(response, self.tunnel.as_ref().map(Tunnel::handshake))
    }

    /// The server goes on with a WebSocket.
    pub(super) fn open_tunnel(&mut self) -> pingora::Result<()> {
        let (tunnel, server) = (self.tunnel.as_mut(), self.tries.server(&self.upstream).cloned());
        let (tunnel, server) = tunnel.zip(server).ok_or_else(|| unwatched("one that nobody asked for"))?;
        let (route, caller, path) = (self.route.clone(), self.exchange.caller.clone(), self.path.clone());
        tunnel.open(Open { route, caller, path, server })
    }

    /// Takes note of a piece of the answer that goes by.
    pub(super) fn give(&mut self, bytes: usize) -> pingora::Result<()> {
        self.tunnel.as_mut().map_or(Ok(()), |tunnel| tunnel.pass(Side::Server, bytes))
    }

    /// Takes note of a piece of the body that goes by.
    pub(super) fn pass(&mut self, body: &mut Option<Bytes>, end: bool) -> pingora::Result<()> {
        let length = body.as_ref().map_or(0, Bytes::len);
        if let Some(tunnel) = &mut self.tunnel {
            return tunnel.pass(Side::Client, length);
        }
        if end && body.as_ref().is_some_and(Bytes::is_empty) {
            // Over HTTP/2 the end may come in a frame of its own. Pingora makes a chunk of it, which ends the body, and then
            // ends it once more: a server behind that keeps the connection would read that as the next request.
            *body = None;
        }
        let Some(stream) = &mut self.stream else { return Ok(()) };
        if let Some(left) = &mut stream.left {
            let limit = self.route.body_limit.unwrap_or_default();
            let status = ErrorType::HTTPStatus(StatusCode::PAYLOAD_TOO_LARGE.as_u16());
            let too_long = || Error::because(status, "passing a body on", TooLong(limit)).into_down();
            *left = left.checked_sub(length).ok_or_else(too_long)?;
        }
        if let (Some(watch), Some(piece)) = (&stream.watch, body) {
            *piece = watch.follow(std::mem::take(piece));
        }
        if end {
            stream.ended = true;
            self.set_flowing(false);
        }
        Ok(())
    }

    /// Whether the body has somewhere to go, and more of it is to come.
    fn set_flowing(&self, flows: bool) {
        if let Some(watch) = self.stream.as_ref().and_then(|stream| stream.watch.as_ref()) {
            watch.set_flowing(flows);
        }
    }

    /// Tells the filters how the upstream answered.
    pub(super) async fn answered(&mut self, status: StatusCode) {
        self.took = self.sent.map(|sent| sent.elapsed());
        self.route.filters.response(&self.exchange, status).await;
    }
}

/// A WebSocket that nobody would close is not opened.
fn unwatched(why: &'static str) -> Box<Error> {
    Error::explain(ErrorType::InternalError, why)
}

/// What leads a request to the server of those before it: the session that a filter of its row found, or the network that
/// it comes from. Never what a client says of itself, by which all could be led to one server.
fn affinity(exchange: &Exchange) -> Affinity {
    match &exchange.caller {
        Caller::User(session) => Affinity::of(&session.sid),
        _ => Affinity::of(&SourceNetwork::of(exchange.client.address).to_string()),
    }
}

#[cfg(test)]
mod tests;
