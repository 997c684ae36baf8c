//! What Pingora asks of a stream, passed on to the stream inside.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::tls::{SslDigest, TlsRef};
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, TimingDigest, UniqueID,
    UniqueIDType,
};
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use super::{Guarded, Pieces, Reading};
use crate::gateway::frames::PREFACE;

/// How long, and how much, is read of a client that still sends after its answer. A socket that is closed with unread
/// bytes is reset, and the reset may overtake the answer (RFC 9112 9.6).
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 16 * 1024 * 1024;

#[async_trait]
impl Shutdown for Guarded {
    async fn shutdown(&mut self) {
        self.inner.shutdown().await;
        if self.connection.lingers() {
            let mut rest = (&mut self.inner).take(LINGER_BYTES);
            let _ = timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
        }
    }
}

#[async_trait]
impl Peek for Guarded {
    /// Asked on plain listeners that speak HTTP/2, and only for the client preface.
    async fn try_peek(&mut self, into: &mut [u8]) -> io::Result<bool> {
        into.fill(0);
        let Self { inner, limits, reading, .. } = self;
        let Reading::Http1(heads) = reading else { return Ok(false) };
        if let Some(before) = std::future::poll_fn(|context| heads.poll_preface(inner, limits, context)).await? {
            *reading = Reading::Http2(Pieces::new(before));
            for (to, from) in into.iter_mut().zip(PREFACE) {
                *to = *from;
            }
        }
        Ok(true)
    }
}

impl GetProxyDigest for Guarded {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.connection.digest()
    }
}

impl UniqueID for Guarded {
    fn id(&self) -> UniqueIDType {
        self.inner.id()
    }
}

impl Ssl for Guarded {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.inner.get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.inner.selected_alpn_proto()
    }
}

impl GetTimingDigest for Guarded {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner.get_timing_digest()
    }
}

impl GetSocketDigest for Guarded {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.get_socket_digest()
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("peer", &self.connection.peer).finish_non_exhaustive()
    }
}
