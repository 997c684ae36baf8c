//! A request on its way to an upstream: what was checked is what is sent, and who is calling is said by us alone
//! (`gateway.md` 2.3, 4).

mod reserved;
mod rewrite;

use std::sync::Arc;

use http::StatusCode;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy};
use pingora::{Error, ErrorType};
use sidegate_filters::Exchange;

use super::failure::TooLong;
use super::watch::BodyWatch;
use crate::jose::certificates::Authorities;
use crate::routes::{Route, Upstream};

/// A request that passed its filters and goes to an upstream.
pub(super) struct Forward {
    route: Arc<Route>,
    upstream: Arc<Upstream>,
    exchange: Exchange,
    /// The host that the client named.
    host: String,
    /// The body that is passed on as it comes.
    stream: Option<Streaming>,
}

struct Streaming {
    /// How much of it may still come.
    left: Option<usize>,
    watch: Option<Arc<BodyWatch>>,
}

impl Forward {
    pub(super) fn new(
        route: Arc<Route>,
        upstream: Arc<Upstream>,
        exchange: Exchange,
        host: String,
        stream: bool,
    ) -> Self {
        let stream = stream.then(|| {
            let watch = BodyWatch::current();
            if let Some(watch) = &watch {
                watch.begin();
            }
            Streaming { left: route.body_limit, watch }
        });
        Self { route, upstream, exchange, host, stream }
    }

    /// The upstream's name.
    pub(super) fn name(&self) -> &str {
        &self.upstream.name
    }

    /// Where to connect to, and how long for.
    pub(super) async fn peer(&self) -> pingora::Result<Box<HttpPeer>> {
        let upstream = &self.upstream;
        let unknown = || Error::explain(ErrorType::ConnectNoRoute, "the upstream's name has no address").into_up();
        let address = upstream.address.resolve(upstream.connect_timeout).await.ok_or_else(unknown)?;
        let name = upstream.tls.as_ref().map(|tls| tls.server_name.clone()).unwrap_or_default();
        let mut peer = HttpPeer::new(address, upstream.tls.is_some(), name);
        // Pingora's pool tells peers apart by address and name, not by the authorities that they were checked by.
        peer.group_key = upstream.address.group();
        if let Some(tls) = &upstream.tls {
            peer.options.verify_cert = tls.verify;
            peer.options.verify_hostname = tls.verify;
            peer.options.ca = tls.authorities.as_ref().map(Authorities::certificates);
        }
        peer.options.connection_timeout = Some(upstream.connect_timeout);
        peer.options.total_connection_timeout = Some(upstream.connect_timeout);
        peer.options.read_timeout = Some(upstream.read_timeout);
        peer.options.write_timeout = Some(upstream.write_timeout);
        peer.options.idle_timeout = Some(upstream.idle_timeout);
        peer.options.http_upstream_request_policy = HttpUpstreamRequestPolicy::deny_upgrades();
        Ok(Box::new(peer))
    }

    /// Makes Pingora's copy of the client's request into ours.
    pub(super) fn rewrite(&self, request: &mut RequestHeader) -> pingora::Result<()> {
        rewrite::rewrite(request, &self.exchange, &self.upstream, &self.host)
    }

    /// Makes the upstream's answer into one that a client may get.
    pub(super) fn censor(response: &mut ResponseHeader) -> pingora::Result<()> {
        rewrite::keep_sessions_ours(response)
    }

    /// Takes note of a piece of the body that goes by.
    pub(super) fn pass(&mut self, bytes: usize, end: bool) -> pingora::Result<()> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        if let Some(watch) = &stream.watch {
            watch.take(bytes, end);
        }
        if let Some(left) = &mut stream.left {
            let limit = self.route.body_limit.unwrap_or_default();
            let status = ErrorType::HTTPStatus(StatusCode::PAYLOAD_TOO_LARGE.as_u16());
            let too_long = || Error::because(status, "passing a body on", TooLong(limit)).into_down();
            *left = left.checked_sub(bytes).ok_or_else(too_long)?;
        }
        Ok(())
    }

    /// Tells the filters how the upstream answered.
    pub(super) async fn answered(&self, status: StatusCode) {
        self.route.filters.response(&self.exchange, status).await;
    }
}
