//! HTTP/2: bytes pass as they come; a piece that is dribbled ends the connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, BytesMut};
use pingora::protocols::Stream;
use tokio::io::{AsyncRead, ReadBuf};

use super::late;
use super::timer::Timer;
use crate::gateway::frames::Frames;
use crate::gateway::settings::Limits;

/// Follows what the client sends.
pub(super) struct Pieces {
    /// Read before it was clear that the client speaks HTTP/2.
    before: BytesMut,
    frames: Frames,
    open: Option<u64>,
    timer: Timer,
}

impl Pieces {
    pub(super) fn new(before: BytesMut) -> Self {
        let frames = Frames::new();
        Self { before, open: frames.open(), frames, timer: Timer::default() }
    }

    pub(super) fn poll_read(
        &mut self,
        inner: &mut Stream,
        limits: &Limits,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let start = into.filled().len();
        let result = if self.before.is_empty() {
            Pin::new(inner).poll_read(context, into)
        } else {
            let length = self.before.len().min(into.remaining());
            into.put_slice(self.before.get(..length).unwrap_or_default());
            self.before.advance(length);
            Poll::Ready(Ok(()))
        };
        match result {
            Poll::Ready(Ok(())) => self.follow(into.filled().get(start..).unwrap_or_default()),
            Poll::Pending if self.open.is_some() && self.timer.elapsed(limits.head, context) => {
                return Poll::Ready(Err(late("the client does not finish a frame")));
            }
            _ => {}
        }
        result
    }

    fn follow(&mut self, bytes: &[u8]) {
        self.frames.feed(bytes);
        if self.frames.open() != self.open {
            self.open = self.frames.open();
            self.timer.stop();
        }
    }
}
