//! The strict reading of an HTTP/1 request head, before anything else looks at it (`gateway.md` 2.2).
//!
//! Pingora mends what it can: it escapes spaces and NULs in a request line, drops a `Content-Length` beside a
//! `Transfer-Encoding`, joins equal duplicates, takes bare line feeds. Two readers that mend differently see two different
//! requests, so what would need mending is refused here (RFC 9112 2.2, 3, 5, 6).

mod fields;
mod line;

use http::StatusCode;
use sidegate_filters::Reason;

use super::settings::Limits;

pub(super) use fields::{is_host, is_length};
pub(super) use line::is_target_byte;

const LINE_END: &[u8] = b"\r\n";
const END: &[u8] = b"\r\n\r\n";

/// What is wrong with a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeadFault {
    #[error("the head was not complete in time")]
    Slow,
    #[error("the head is longer than this server accepts")]
    TooLong,
    #[error("the request has more header fields than this server accepts")]
    TooMany,
    #[error("lines must end with CR LF, and nothing may stand before the request line")]
    LineEnd,
    #[error("the request line must be a method, a target and a version, with one space between")]
    RequestLine,
    #[error("the target is neither a path nor a plain http URL")]
    Target,
    #[error("the method is not served")]
    Method,
    #[error("only HTTP/1.1 and HTTP/1.0 are spoken here")]
    Version,
    #[error("a header field is malformed")]
    Field,
    #[error("a request needs exactly one Host, a plain host name with an optional port")]
    Host,
    #[error("the request must say in exactly one way how long its body is")]
    Framing,
    #[error("the only transfer coding is chunked, on HTTP/1.1")]
    Coding,
}

impl HeadFault {
    /// The answer's status.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLong | Self::TooMany => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The same in a word.
    pub(super) fn reason(self) -> Reason {
        match self {
            Self::Slow => Reason::TooSlow,
            Self::TooLong | Self::TooMany => Reason::HeadTooLong,
            Self::Method => Reason::Method,
            Self::Version => Reason::Version,
            Self::Host => Reason::Host,
            Self::Framing | Self::Coding => Reason::Framing,
            Self::LineEnd | Self::RequestLine | Self::Target | Self::Field => Reason::Malformed,
        }
    }
}

/// A head that is complete and good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Its bytes, the blank line included.
    pub(super) length: usize,
    /// What follows it.
    pub(super) framing: Framing,
}

/// How the end of a body is known (RFC 9112 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// After the last chunk and its trailers.
    Chunked,
}

/// Looks for the end of a head in a buffer that grows; looks at each byte once, however slowly they come.
#[derive(Debug, Default)]
pub(super) struct HeadScan {
    seen: usize,
}

impl HeadScan {
    /// The head if it is complete and good; `None` if more bytes are needed.
    pub(super) fn advance(&mut self, buffer: &[u8], limits: &Limits) -> Result<Option<Head>, HeadFault> {
        match buffer.first() {
            Some(b'\r' | b'\n') => return Err(HeadFault::LineEnd),
            // Such as the greeting of TLS, which may have no line end to wait for.
            Some(first) if !is_token(std::slice::from_ref(first)) => return Err(HeadFault::RequestLine),
            _ => {}
        }
        while let Some(line_end) = self.next_line_end(buffer)? {
            if buffer.get(..line_end).is_some_and(|head| head.ends_with(END)) {
                let head = buffer.get(..line_end).unwrap_or_default();
                return check(head, limits).map(|framing| Some(Head { length: line_end, framing }));
            }
        }
        if buffer.len() > limits.head_bytes { Err(HeadFault::TooLong) } else { Ok(None) }
    }

    /// The position after the next line feed, which must follow a carriage return.
    fn next_line_end(&mut self, buffer: &[u8]) -> Result<Option<usize>, HeadFault> {
        let unseen = buffer.get(self.seen..).unwrap_or_default();
        let Some(offset) = unseen.iter().position(|&byte| byte == b'\n') else {
            self.seen = buffer.len();
            return Ok(None);
        };
        let line_feed = self.seen + offset;
        self.seen = line_feed + 1;
        let before = line_feed.checked_sub(1).and_then(|index| buffer.get(index));
        if before == Some(&b'\r') { Ok(Some(self.seen)) } else { Err(HeadFault::LineEnd) }
    }
}

/// Checks a complete head, its blank line included.
fn check(head: &[u8], limits: &Limits) -> Result<Framing, HeadFault> {
    if head.len() > limits.head_bytes {
        return Err(HeadFault::TooLong);
    }
    let lines = head.strip_suffix(LINE_END).unwrap_or(head).split_inclusive(|&byte| byte == b'\n');
    let mut lines = lines.map(|line| line.strip_suffix(LINE_END).unwrap_or(line));
    let line = line::check(lines.next().unwrap_or_default())?;
    fields::check(lines, line, limits.fields)
}

/// RFC 9110 5.6.2.
fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

#[cfg(test)]
mod tests;
