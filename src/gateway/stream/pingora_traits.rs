//! What Pingora asks of a stream, passed on to the stream inside.

use std::fmt;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::tls::{SslDigest, TlsRef};
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, TimingDigest, UniqueID,
    UniqueIDType,
};
use tokio::io::AsyncWriteExt;

use super::{Guarded, Pieces, Reading};
use crate::gateway::frames::PREFACE;

#[async_trait]
impl Shutdown for Guarded {
    async fn shutdown(&mut self) {
        if let Err(error) = AsyncWriteExt::shutdown(self).await {
            tracing::trace!(%error, "a connection was gone before it was closed");
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
        self.digest.clone()
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
        f.debug_struct("Guarded").field("peer", &self.connection.peer()).finish_non_exhaustive()
    }
}
