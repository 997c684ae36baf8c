//! The connection that a handshake goes by, whose answer waits until the end of the request has gone the same way.
//!
//! Pingora 0.9.1 takes the end of the request from a channel while it reads the answer, one or the other first. Where it has
//! read 101 before it, it takes that end for the end of the WebSocket and closes what is just open. So nothing is read
//! from here on after the handshake was written, until a flush comes with nothing new to send: that is how a request ends
//! that has no body.
//! A request whose end never comes is ended by the read timeout.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};

use async_trait::async_trait;
use pingora::connectors::L4Connect;
use pingora::protocols::l4::ext::{connect, set_tcp_keepalive};
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::l4::virt::{VirtualSockOpt, VirtualSocket, VirtualSocketStream};
use pingora::{Error, ErrorType};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Makes such a connection, and says from when on what is read of it waits: TLS has to be agreed on before.
#[derive(Debug, Clone, Default)]
pub(in crate::gateway::forward) struct Hold(Arc<AtomicBool>);

impl Hold {
    /// What is written from here on is the handshake.
    pub(in crate::gateway::forward) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[async_trait]
impl L4Connect for Hold {
    async fn connect(&self, address: &SocketAddr) -> pingora::Result<Stream> {
        let address = address.as_inet();
        let address = address.ok_or_else(|| Error::explain(ErrorType::InternalError, "a server without an address"))?;
        let tcp = connect(address, None).await.map_err(|error| match error.etype() {
            // As Pingora tells its own: what this machine lacks says nothing of the server.
            ErrorType::SocketError | ErrorType::BindError => {
                Error::because(ErrorType::InternalError, "connecting for a WebSocket", error)
            }
            _ => error,
        })?;
        let held = Held::new(tcp, self.clone());
        Ok(VirtualSocketStream::new(Box::new(held)).into())
    }
}

#[derive(Debug)]
struct Held {
    tcp: TcpStream,
    hold: Hold,
    /// Something was written since the last flush.
    wrote: bool,
    /// The end of the request has passed.
    is_free: bool,
    reader: Option<Waker>,
}

impl Held {
    fn new(tcp: TcpStream, hold: Hold) -> Self {
        Self { tcp, hold, wrote: false, is_free: false, reader: None }
    }
}

impl AsyncRead for Held {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.hold.is_set() && !self.is_free {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Pin::new(&mut self.tcp).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Held {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.wrote = true;
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.tcp).poll_flush(cx))?;
        if self.hold.is_set() && !std::mem::take(&mut self.wrote) {
            self.is_free = true;
            self.reader.take().into_iter().for_each(Waker::wake);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

impl VirtualSocket for Held {
    fn set_socket_option(&self, option: VirtualSockOpt) -> io::Result<()> {
        match option {
            VirtualSockOpt::NoDelay => self.tcp.set_nodelay(true),
            VirtualSockOpt::KeepAlive(terms) => set_tcp_keepalive(&self.tcp, &terms).map_err(io::Error::other),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
