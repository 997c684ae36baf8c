//! The stream under Pingora: holds clients to their time, and lets whole, good heads through, nothing else.
//!
//! HTTP/1: a head is kept here until it is complete, checked ([`super::head`]), then handed on. One that is refused is
//! replaced by a harmless request, so that the answer takes the way of all answers and is logged and counted.
//! HTTP/2: bytes pass, frames are followed ([`super::frames`]).

mod body;
mod closing;
mod http1;
mod http2;
mod pingora_traits;
mod timer;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::BytesMut;
use pingora::protocols::Stream;
use pingora::protocols::raw_connect::ProxyDigest;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::closing::Closing;
use self::http1::Heads;
use self::http2::Pieces;
use self::timer::Timer;
use super::connection::Connection;
use super::settings::Limits;

/// A client's stream under watch.
pub(super) struct Guarded {
    inner: Stream,
    connection: Arc<Connection>,
    digest: Option<Arc<ProxyDigest>>,
    limits: Arc<Limits>,
    reading: Reading,
    /// Runs while our bytes wait for the client.
    writing: Timer,
    closing: Closing,
}

/// What is read.
enum Reading {
    Http1(Heads),
    Http2(Pieces),
}

impl Guarded {
    /// Watches a stream that speaks HTTP/1, or HTTP/2 if `http2` (known by ALPN).
    pub(super) fn new(inner: Stream, connection: Arc<Connection>, limits: Arc<Limits>, http2: bool) -> Self {
        let reading =
            if http2 { Reading::Http2(Pieces::new(BytesMut::new())) } else { Reading::Http1(Heads::default()) };
        let digest = connection.digest();
        Self { inner, connection, digest, limits, reading, writing: Timer::default(), closing: Closing::default() }
    }

    fn timed_write<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.writing.stop();
        } else if self.writing.elapsed(self.limits.write, context) {
            return Poll::Ready(Err(late("the client does not read")));
        }
        result
    }
}

fn late(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

impl AsyncRead for Guarded {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match &mut this.reading {
            Reading::Http1(heads) => heads.poll_read(&mut this.inner, &this.connection, &this.limits, context, into),
            Reading::Http2(pieces) => pieces.poll_read(&mut this.inner, &this.limits, context, into),
        }
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_write(context, bytes);
        this.timed_write(context, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_write_vectored(context, slices);
        this.timed_write(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_flush(context);
        this.timed_write(context, result)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.closing.is_half_closed() {
            let result = Pin::new(&mut this.inner).poll_shutdown(context);
            std::task::ready!(this.timed_write(context, result))?;
        }
        if this.connection.lingers() { this.closing.poll_rest(&mut this.inner, context) } else { Poll::Ready(Ok(())) }
    }
}

#[cfg(test)]
mod tests;
