//! Between the listener and the proxy: TLS, the watched stream, the watch over each request.

mod requests;

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use pingora::apps::{HttpServerApp as _, ServerApp};
use pingora::protocols::{ALPN, Stream};
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;
use sidegate_filters::{CertificateDigest, CertificateNames, Network, TrustedProxies};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::connection::{Connection, Ends, Shown};
use super::proxy::Front;
use super::proxy_protocol;
use super::rare::Rare;
use super::settings::{Limits, Listener};
use super::snapshot::Served;
use super::stream::Guarded;
use super::tls::{Tls, Unmet};
use crate::seats::{NoSeat, Seat, Seats};
use crate::store::SourceNetwork;
use crate::telemetry::Metrics;
use requests::{Http, reached};

/// Why a connection is refused that should have begun with a PROXY header, in the metrics.
pub(super) const PROXY_PROTOCOL: &str = "proxy-protocol";

/// Why one is refused whose client certificate is no good, or missing.
pub(super) const CLIENT_CERTIFICATE: &str = "client-certificate";

/// What ends at a stop, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ending {
    /// Nothing.
    Nothing,
    /// Connections without a request.
    Idle,
    /// WebSockets too: their clients find another gateway at the same address.
    Tunnels,
    /// Requests too: their time is over.
    All,
}

/// Takes connections of one listener.
pub(super) struct Edge {
    http: Arc<Http>,
    /// Where certificates are.
    served: Served,
    /// Whether it speaks TLS: as long as it listens.
    secure: bool,
    /// Whose connections begin with a PROXY header; empty: nobody's.
    balancers: Vec<Network>,
    /// Which proxies are believed when they say whom they speak for.
    proxies: Option<Arc<TrustedProxies>>,
    /// Of connections.
    seats: Arc<Seats>,
    /// For lines that strangers cause.
    rare: Rare,
}

impl Edge {
    pub(super) fn new(
        proxy: Arc<HttpProxy<Front>>,
        (served, listener): (Served, &Listener),
        limits: Arc<Limits>,
        metrics: Arc<Metrics>,
        ending: watch::Receiver<Ending>,
    ) -> Self {
        let class = listener.class;
        let share = limits.share(class);
        let connections = Seats::new(limits.connections, share);
        let seats = Seats::new(limits.requests, share);
        Self {
            http: Arc::new(Http { proxy, limits, class, seats, metrics, ending }),
            served,
            secure: listener.tls.is_some(),
            balancers: listener.balancers.clone(),
            proxies: listener.proxies.clone().map(Arc::new),
            seats: connections,
            rare: Rare::default(),
        }
    }
}

impl Edge {
    /// The client and what it connected to: as the socket knows them, or a balancer that is believed. Whoever is not, or
    /// does not say it, is let go of unheard.
    async fn begin(&self, mut stream: Stream) -> Option<(Stream, Ends)> {
        let digest = stream.get_socket_digest();
        let peer = digest.as_ref().and_then(|digest| digest.peer_addr()?.as_inet().copied());
        let local = digest.as_ref().and_then(|digest| digest.local_addr()?.as_inet().copied());
        let socket = Ends { peer, local, ..Ends::default() };
        if self.balancers.is_empty() {
            return Some((stream, socket));
        }
        let is_known = peer.is_some_and(|peer| self.balancers.iter().any(|network| network.contains(peer.ip())));
        let read = async {
            if !is_known {
                return Err("it is none of the balancers");
            }
            // A place for as long as nobody knows whose it is, so that no network pays for its balancer.
            let _seat = self.seats.take(None).map_err(NoSeat::name)?;
            match timeout(self.http.limits.head, proxy_protocol::read(&mut stream)).await {
                Ok(ends) => ends.map_err(|error| proxy_protocol::why(&error)),
                Err(_) => Err("its PROXY header took too long"),
            }
        };
        match read.await {
            Ok(None) => Some((stream, socket)),
            Ok(Some(told)) => {
                let (peer, local) = (Some(told.client), Some(told.local));
                Some((stream, Ends { peer, local, encrypted: told.encrypted, proxies: None }))
            }
            Err(why) => {
                self.http.metrics.refused_connection(self.http.class.name(), PROXY_PROTOCOL);
                let client = peer.map(|peer| peer.to_string());
                tracing::info!(client, why, "a connection to a listener with PROXY protocol is closed");
                None
            }
        }
    }

    /// The handshake. A client whose certificate is refused is counted, and told in the log now and then.
    async fn shake(
        &self,
        tls: &Tls,
        stream: Stream,
        peer: Option<SocketAddr>,
    ) -> Option<(Stream, Option<CertificateNames>)> {
        match tls.accept(stream, peer).await {
            Ok(accepted) => Some(accepted),
            Err(Unmet::Other) => None,
            Err(Unmet::Certificate(reason)) => {
                self.http.metrics.refused_connection(self.http.class.name(), CLIENT_CERTIFICATE);
                if let Some(unsaid) = self.rare.is_due(Instant::now()) {
                    let client = peer.map(|peer| peer.to_string());
                    tracing::info!(client, reason, unsaid, "the certificate of a client is refused");
                }
                None
            }
        }
    }

    /// The proxies that are believed, if the other end is one of them.
    fn proxies(&self, peer: Option<SocketAddr>) -> Option<Arc<TrustedProxies>> {
        self.proxies.clone().filter(|proxies| peer.is_some_and(|peer| proxies.trusts(peer.ip())))
    }

    /// A network has its share. A proxy that is believed connects for many: it has none.
    fn seat(&self, client: Option<SocketAddr>) -> Option<Seat> {
        let taken = self.seats.take(client.map(|client| SourceNetwork::of(client.ip())));
        let refused = |reason: &NoSeat| self.http.metrics.refused_connection(self.http.class.name(), reason.name());
        taken.inspect_err(refused).ok()
    }
}

#[async_trait]
impl ServerApp for Edge {
    async fn process_new(self: &Arc<Self>, stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        let (stream, ends) = self.begin(stream).await?;
        let peer = ends.peer;
        // It is held as long as the connection is open, the handshake included.
        let proxies = self.proxies(peer);
        let _seat = self.seat(peer.filter(|_| proxies.is_none()))?;
        let open = self.http.metrics.connection();
        // Without its certificate a listener with TLS serves nobody.
        let tls = if self.secure { Some(self.served.tls()?) } else { None };
        let (stream, names) = match &tls {
            Some(tls) => self.shake(tls, stream, peer).await?,
            None => (stream, None),
        };
        let http2 = stream.selected_alpn_proto() == Some(ALPN::H2);
        let certificate = shown(&stream, names);
        let authorities = tls.as_ref().and_then(Tls::authorities);
        let ends = Ends { proxies, ..ends };
        let connection = Connection::new(ends, self.secure, (certificate, authorities), open);
        let stream = Guarded::new(stream, connection, self.http.limits.clone(), http2);
        self.http.process_new(Box::new(stream), shutdown).await
    }

    /// No more connections come: those that are idle end when their time has come.
    async fn cleanup(&self) {
        reached(self.http.ending.clone(), Ending::Idle).await;
        self.http.http_cleanup().await;
    }
}

/// The certificate that the client showed: the listener asks for one only where it verifies it.
fn shown(stream: &Stream, names: Option<CertificateNames>) -> Option<Shown> {
    let digest = stream.get_ssl_digest()?.cert_digest.as_slice().try_into().ok().map(CertificateDigest)?;
    Some(Shown { digest, names: names.map(Arc::new) })
}
