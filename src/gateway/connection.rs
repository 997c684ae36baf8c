//! What one connection and the requests on it share.

use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::task::AtomicWaker;
use http::HeaderMap;
use pingora::http::ResponseHeader;
use pingora::protocols::http::ServerSession;
use pingora::protocols::raw_connect::ProxyDigest;
use sidegate_filters::ForwardedError;
use sidegate_filters::forwarded::Origin;
use sidegate_filters::{CertificateDigest, CertificateNames, TrustedProxies};
use tokio::sync::SetOnce;

use super::head::HeadFault;
use super::tls::Authorities;
use crate::store::SourceNetwork;
use crate::telemetry::metrics::Opened;

/// How many connections there were.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// A certificate that a client showed.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) digest: CertificateDigest,
    /// Whom it names; `None` where that can't be read.
    pub(super) names: Option<Arc<CertificateNames>>,
}

/// Who is at the ends of a connection.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// The other end, as the socket knows it or a balancer says.
    pub(super) peer: Option<SocketAddr>,
    /// Our end of the socket.
    pub(super) local: Option<SocketAddr>,
    /// A balancer says that the client came to it over TLS.
    pub(super) encrypted: bool,
    /// By which rules the peer is believed when it says whom it speaks for; `None`: by none, it is the client.
    pub(super) proxies: Option<Arc<TrustedProxies>>,
}

/// Shared by the stream of a connection, which sees its bytes, and its requests, which know what they mean.
#[derive(Debug)]
pub(super) struct Connection {
    /// No other has it.
    pub(super) number: u64,
    ends: Ends,
    /// Whether it is encrypted.
    pub(super) secure: bool,
    /// What the client showed of itself.
    pub(super) certificate: Option<Shown>,
    /// By which authorities it was asked for one.
    pub(super) authorities: Option<Authorities>,
    /// A request may begin.
    next: AtomicBool,
    fault: Mutex<Option<HeadFault>>,
    /// The client stands still in the middle of a body.
    stalled: AtomicBool,
    /// Bytes of the client may be left unread when the connection closes.
    linger: AtomicBool,
    /// A WebSocket has it: what comes is no request any more.
    tunnel: SetOnce<()>,
    reader: AtomicWaker,
    _open: Opened,
}

impl Connection {
    pub(super) fn new(
        ends: Ends,
        secure: bool,
        (certificate, authorities): (Option<Shown>, Option<Authorities>),
        open: Opened,
    ) -> Arc<Self> {
        Arc::new(Self {
            number: CONNECTIONS.fetch_add(1, Ordering::Relaxed),
            ends,
            secure,
            certificate,
            authorities,
            next: AtomicBool::new(true),
            fault: Mutex::new(None),
            stalled: AtomicBool::new(false),
            linger: AtomicBool::new(false),
            tunnel: SetOnce::new(),
            reader: AtomicWaker::new(),
            _open: open,
        })
    }

    /// Where a request with these headers comes from; `None` where not even the socket knows it.
    pub(super) fn client(&self, headers: &HeaderMap) -> Result<Option<Origin>, ForwardedError> {
        let Some(peer) = self.peer() else { return Ok(None) };
        let socket = Origin { address: peer, secure: self.ends.encrypted.then_some(true) };
        self.ends.proxies.as_ref().map_or(Ok(socket), |proxies| proxies.client(peer, headers)).map(Some)
    }

    /// The address of that; the other end's where it can't be told.
    pub(super) fn address(&self, headers: &HeaderMap) -> Option<IpAddr> {
        self.client(headers).map_or_else(|_| self.peer(), |client| client.map(|client| client.address))
    }

    /// The network that a request with these headers counts for, be it refused later for what they say.
    pub(super) fn counted(&self, headers: &HeaderMap) -> Option<SourceNetwork> {
        self.address(headers).map(SourceNetwork::of)
    }

    /// The other end.
    pub(super) fn peer(&self) -> Option<IpAddr> {
        self.ends.peer.map(|peer| peer.ip().to_canonical())
    }

    /// Our end.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        self.ends.local
    }

    /// The connection that a request came on.
    pub(super) fn of(session: &ServerSession) -> Option<Arc<Self>> {
        let digest = session.digest()?.proxy_digest.as_ref()?;
        digest.user_data.as_ref()?.downcast_ref::<Arc<Self>>().cloned()
    }

    /// Packs the connection up so that it reaches its requests: the only place in Pingora's digest that takes values
    /// of others.
    pub(super) fn digest(self: &Arc<Self>) -> Option<Arc<ProxyDigest>> {
        let header = ResponseHeader::build_no_case(200_u16, Some(0)).ok()?;
        let data: Box<dyn Any + Send + Sync> = Box::new(self.clone());
        Some(Arc::new(ProxyDigest::new(Box::new(header), Some(data))))
    }

    /// The request before is done: what comes next is a head.
    pub(super) fn expect_head(&self) {
        self.next.store(true, Ordering::Release);
    }

    pub(super) fn take_head_expected(&self) -> bool {
        self.next.swap(false, Ordering::AcqRel)
    }

    /// The head was refused; the request that now comes up stands in for it.
    pub(super) fn refuse(&self, fault: HeadFault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        self.linger();
    }

    pub(super) fn take_fault(&self) -> Option<HeadFault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Ends the read under way, and every later one, with an error.
    pub(super) fn stall(&self) {
        self.stalled.store(true, Ordering::Release);
        self.reader.wake();
    }

    /// Whether the client was found standing still; registers the reader to be woken when it is.
    pub(super) fn is_stalled(&self, context: &std::task::Context<'_>) -> bool {
        self.reader.register(context.waker());
        self.stalled.load(Ordering::Acquire)
    }

    /// From here on bytes pass as they come, to the end of the connection.
    pub(super) fn open_tunnel(&self) {
        // Where it is one already there is nothing to say.
        let _ = self.tunnel.set(());
    }

    /// Comes back once it is a tunnel.
    pub(super) async fn tunnel_opened(&self) {
        self.tunnel.wait().await;
    }

    pub(super) fn is_tunnel(&self) -> bool {
        self.tunnel.initialized()
    }

    /// Has the stream read on for a while before it closes, so that the client gets to see the answer.
    pub(super) fn linger(&self) {
        self.linger.store(true, Ordering::Release);
    }

    pub(super) fn lingers(&self) -> bool {
        self.linger.load(Ordering::Acquire)
    }
}
