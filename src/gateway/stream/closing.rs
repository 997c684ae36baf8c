//! Closing on a client that still sends. A socket that is closed with unread bytes is reset, and the reset may overtake
//! the answer; so the other half is read on for a while (RFC 9112 9.6).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pingora::protocols::Stream;
use tokio::io::{AsyncRead, ReadBuf};

use super::timer::Timer;

/// How long, and how much, is read and dropped.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 16 * 1024 * 1024;
const CHUNK: usize = 16 * 1024;

/// How far the closing has come.
#[derive(Default)]
pub(super) struct Closing {
    half_closed: bool,
    read: usize,
    timer: Timer,
}

impl Closing {
    /// Whether our half is closed, and only the client's is read.
    pub(super) fn is_half_closed(&self) -> bool {
        self.half_closed
    }

    /// Reads until the client closes its half, or it has had its time.
    pub(super) fn poll_rest(&mut self, inner: &mut Stream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.half_closed = true;
        let mut chunk = [0; CHUNK];
        while self.read < LINGER_BYTES {
            let mut read = ReadBuf::new(&mut chunk);
            match Pin::new(&mut *inner).poll_read(context, &mut read) {
                Poll::Ready(Ok(())) if !read.filled().is_empty() => self.read += read.filled().len(),
                Poll::Pending if !self.timer.elapsed(LINGER, context) => return Poll::Pending,
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
