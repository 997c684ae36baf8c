//! Where the body of a request ends. What is behind its end is the next request, and nobody may read it before its time:
//! Pingora, which reads on to see whether the client has gone, takes it for a broken body.

use crate::gateway::head::Framing;

/// Follows a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes are to come.
    Left(u64),
    /// Chunks are to come (RFC 9112 7.1).
    Chunks(Chunks),
}

/// Where in the chunks it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunks {
    /// In a line with a size.
    Size { value: u64, digits: bool },
    /// So many bytes are left of a chunk and its line end.
    Data(u64),
    /// In a trailer line of so many bytes.
    Trailer(u64),
    /// It is no chunked body; whoever reads it will say so, and nothing behind it is a request.
    Broken,
}

impl Body {
    /// The body behind a head.
    pub(super) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Length(length) => Self::Left(length),
            Framing::Chunked => Self::Chunks(Chunks::Size { value: 0, digits: true }),
        }
    }

    /// Whether its last byte was seen.
    pub(super) fn is_over(self) -> bool {
        self == Self::Left(0)
    }

    /// How many of these bytes belong to it.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        let mut used = 0;
        while let Some(rest) = bytes.get(used..).filter(|rest| !rest.is_empty() && !self.is_over()) {
            used += match self {
                Self::Left(left) | Self::Chunks(Chunks::Data(left)) => {
                    let length = rest.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= length as u64;
                    length
                }
                Self::Chunks(Chunks::Broken) => rest.len(),
                Self::Chunks(Chunks::Size { .. } | Chunks::Trailer(_)) => 1,
            };
            let last = bytes.get(used.saturating_sub(1)).copied().unwrap_or_default();
            if let Self::Chunks(chunks) = self {
                *self = chunks.after(last).map_or(Self::Left(0), Self::Chunks);
            }
        }
        used
    }
}

impl Chunks {
    /// Where it is after a byte of a line, or the last byte of a piece of data; `None` at the end.
    fn after(self, byte: u8) -> Option<Self> {
        Some(match self {
            Self::Size { value: 0, .. } if byte == b'\n' => Self::Trailer(0),
            Self::Size { value, .. } if byte == b'\n' => Self::Data(value.saturating_add(2)),
            Self::Size { value, digits: true } => match char::from(byte).to_digit(16) {
                Some(_) if value >> 56 != 0 => Self::Broken,
                Some(digit) => Self::Size { value: value << 4 | u64::from(digit), digits: true },
                None => Self::Size { value, digits: false },
            },
            Self::Data(0) => Self::Size { value: 0, digits: true },
            Self::Trailer(0 | 1) if byte == b'\n' => return None,
            Self::Trailer(_) if byte == b'\n' => Self::Trailer(0),
            Self::Trailer(0) if byte == b'\r' => Self::Trailer(1),
            Self::Trailer(_) => Self::Trailer(2),
            unchanged => unchanged,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const NEXT: &str = "GET / HTTP/1.1\r\n";

    #[rstest]
    #[case(Framing::Length(0), "")]
    #[case(Framing::Length(5), "hello")]
    #[case(Framing::Chunked, "0\r\n\r\n")]
    #[case(Framing::Chunked, "5\r\nhello\r\n0\r\n\r\n")]
    #[case(Framing::Chunked, "a;x=0\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n")]
    #[case(Framing::Chunked, "1\r\n\n\r\n000\r\nX: y\r\nZ:\r\n\r\n")]
    fn what_is_behind_a_body_is_not_of_it(#[case] framing: Framing, #[case] body: &str) {
        let bytes = format!("{body}{NEXT}");
        let mut whole = Body::new(framing);
        assert_eq!(whole.take(bytes.as_bytes()), body.len());
        assert!(whole.is_over());
        let mut pieces = Body::new(framing);
        let taken: usize = bytes.as_bytes().chunks(1).map(|byte| pieces.take(byte)).sum();
        assert_eq!((taken, pieces), (body.len(), whole));
    }

    #[test]
    fn a_size_that_no_number_holds_is_never_over() {
        let mut body = Body::new(Framing::Chunked);
        let bytes = format!("{}\r\n0\r\n\r\n{NEXT}", "F".repeat(20));
        assert_eq!(body.take(bytes.as_bytes()), bytes.len());
        assert!(!body.is_over());
    }

    proptest! {
        #[test]
        fn chunks_of_any_content_end_where_they_end(pieces in prop::collection::vec("[\\r\\n0-9a-f]{1,40}", 0..6)) {
            let chunk = |piece: &String| format!("{:x}\r\n{piece}\r\n", piece.len());
            let body: String = pieces.iter().map(chunk).chain(["0\r\n\r\n".to_owned()]).collect();
            let mut follower = Body::new(Framing::Chunked);
            prop_assert_eq!(follower.take(format!("{body}{NEXT}").as_bytes()), body.len());
            prop_assert!(follower.is_over());
        }
    }
}
