//! Heads of HTTP/1 requests, read whole and checked before they are handed on, and their bodies, up to their end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use pingora::protocols::Stream;
use tokio::io::{AsyncRead, ReadBuf};

use super::body::Body;
use super::late;
use super::timer::Timer;
use crate::gateway::connection::Connection;
use crate::gateway::frames::PREFACE;
use crate::gateway::head::{Head, HeadFault, HeadScan};
use crate::gateway::settings::Limits;

/// Stands in for a head that was refused: what the gateway answers to it is decided by the fault.
const SUBSTITUTE: &[u8] = b"GET / HTTP/1.1\r\nHost: refused.invalid\r\nConnection: close\r\n\r\n";
const CHUNK: usize = 16 * 1024;

/// Reads heads.
#[derive(Default)]
pub(super) struct Heads {
    buffer: BytesMut,
    scan: HeadScan,
    state: State,
    idle: Timer,
    head: Timer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// A head is to come, or is coming.
    Head,
    /// This much of a good head is to be handed on, and then its body.
    Good(usize, Body),
    /// A body, and behind its end nothing until a head is expected.
    Body(Body),
    /// The head was refused: this much of the substitute is to be handed on, and nothing after it.
    Refused(usize),
}

impl Default for State {
    fn default() -> Self {
        Self::Body(Body::Left(0))
    }
}

enum Outcome {
    Good(Head),
    Refused(HeadFault),
    /// The client closed, or was idle for too long.
    End,
}

impl Heads {
    pub(super) fn poll_read(
        &mut self,
        inner: &mut Stream,
        connection: &Connection,
        limits: &Limits,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if matches!(self.state, State::Body(_)) && connection.is_tunnel() {
            self.state = State::Body(Body::ENDLESS);
        }
        if let State::Body(body) = self.state
            && connection.take_head_expected()
        {
            if !body.is_over() {
                // Pingora saw an end where there is none: what follows is no request.
                return Poll::Ready(Ok(()));
            }
            self.state = State::Head;
            self.scan = HeadScan::default();
        }
        if self.state == State::Head {
            match ready!(self.poll_head(inner, limits, context))? {
                Outcome::Good(head) => {
                    self.state = State::Good(head.length, Body::new(head.framing));
                    self.idle.stop();
                    self.head.stop();
                }
                Outcome::Refused(fault) => {
                    connection.refuse(fault);
                    self.buffer = BytesMut::from(SUBSTITUTE);
                    self.state = State::Refused(SUBSTITUTE.len());
                }
                Outcome::End => return Poll::Ready(Ok(())),
            }
        }
        self.poll_rest(inner, connection, context, into)
    }

    /// Reads until it is clear whether the client speaks HTTP/2 with prior knowledge (RFC 9113 3.3): the bytes that it
    /// sent for that, if it does.
    pub(super) fn poll_preface(
        &mut self,
        inner: &mut Stream,
        limits: &Limits,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Option<BytesMut>>> {
        loop {
            if self.buffer.starts_with(PREFACE) {
                return Poll::Ready(Ok(Some(self.buffer.split())));
            }
            if !PREFACE.starts_with(&self.buffer) {
                return Poll::Ready(Ok(None));
            }
            match self.poll_fill(inner, context)? {
                Poll::Ready(0) => return Poll::Ready(Ok(None)),
                Poll::Ready(_) => {}
                Poll::Pending => {
                    return if self.is_late(limits, context) { Poll::Ready(Ok(None)) } else { Poll::Pending };
                }
            }
        }
    }

    fn poll_head(
        &mut self,
        inner: &mut Stream,
        limits: &Limits,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Outcome>> {
        loop {
            match self.scan.advance(&self.buffer, limits) {
                Ok(Some(head)) => return Poll::Ready(Ok(Outcome::Good(head))),
                Ok(None) => {}
                Err(fault) => return Poll::Ready(Ok(Outcome::Refused(fault))),
            }
            match self.poll_fill(inner, context)? {
                Poll::Ready(0) => return Poll::Ready(Ok(Outcome::End)),
                Poll::Ready(_) => {}
                Poll::Pending if !self.is_late(limits, context) => return Poll::Pending,
                Poll::Pending if self.buffer.is_empty() => return Poll::Ready(Ok(Outcome::End)),
                Poll::Pending => return Poll::Ready(Ok(Outcome::Refused(HeadFault::Slow))),
            }
        }
    }

    fn is_late(&mut self, limits: &Limits, context: &mut Context<'_>) -> bool {
        if self.buffer.is_empty() {
            self.idle.elapsed(limits.idle, context)
        } else {
            self.head.elapsed(limits.head, context)
        }
    }

    /// Reads some more into the buffer: how much.
    fn poll_fill(&mut self, inner: &mut Stream, context: &mut Context<'_>) -> io::Result<Poll<usize>> {
        let mut chunk = [0; CHUNK];
        let mut read = ReadBuf::new(&mut chunk);
        match Pin::new(inner).poll_read(context, &mut read) {
            Poll::Ready(Ok(())) => {
                self.buffer.extend_from_slice(read.filled());
                Ok(Poll::Ready(read.filled().len()))
            }
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Ok(Poll::Pending),
        }
    }

    fn poll_rest(
        &mut self,
        inner: &mut Stream,
        connection: &Connection,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.state {
            State::Good(left, body) => {
                let left = left - self.give(left, into);
                self.state = if left == 0 { State::Body(body) } else { State::Good(left, body) };
            }
            State::Refused(left) => self.state = State::Refused(left - self.give(left, into)),
            State::Body(_) if connection.is_stalled(context) => {
                return Poll::Ready(Err(late("the client stands still")));
            }
            State::Body(body) => return self.poll_body(body, inner, context, into),
            State::Head => {}
        }
        Poll::Ready(Ok(()))
    }

    fn poll_body(
        &mut self,
        mut body: Body,
        inner: &mut Stream,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if body.is_over() {
            return self.poll_gone(inner, context);
        }
        if self.buffer.is_empty() && ready!(self.poll_fill(inner, context)?) == 0 {
            return Poll::Ready(Ok(()));
        }
        let most = into.remaining().min(self.buffer.len());
        let length = body.take(self.buffer.get(..most).unwrap_or_default());
        self.state = State::Body(body);
        if body.is_broken() {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "this is no chunked body")));
        }
        self.give(length, into);
        Poll::Ready(Ok(()))
    }

    /// Comes back when the client has closed. What it sends until then is for later.
    fn poll_gone(&mut self, inner: &mut Stream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.buffer.len() < CHUNK {
            if ready!(self.poll_fill(inner, context)?) == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Pending
    }

    fn give(&mut self, most: usize, into: &mut ReadBuf<'_>) -> usize {
        let length = most.min(self.buffer.len()).min(into.remaining());
        into.put_slice(self.buffer.get(..length).unwrap_or_default());
        self.buffer.advance(length);
        length
    }
}
