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

/// Where in the chunks it is. Lines end in CR LF and nothing else: whoever takes less may see other chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunks {
    /// In a line with a size; digits are over in its extension.
    Size { value: Option<u64>, extension: bool },
    /// So many bytes are left of a chunk, then its line end.
    Data(u64),
    /// In a trailer line.
    Trailer { empty: bool },
    /// Between CR and LF.
    LineEnd(Then),
    /// It is no chunked body, and nothing behind it is a request.
    Broken,
}

/// What comes behind a line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Size,
    Data(u64),
    Trailer,
    Nothing,
}

impl Body {
    /// One that only the connection's end ends: no client sends so much.
    pub(super) const ENDLESS: Self = Self::Left(u64::MAX);

    /// The body behind a head.
    pub(super) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Length(length) => Self::Left(length),
            Framing::Chunked => Self::Chunks(Chunks::SIZE),
        }
    }

    /// Whether its last byte was seen.
    pub(super) fn is_over(self) -> bool {
        self == Self::Left(0)
    }

    /// Whether it can't be read any more.
    pub(super) fn is_broken(self) -> bool {
        self == Self::Chunks(Chunks::Broken)
    }

    /// How many of these bytes belong to it.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        let mut used = 0;
        while let Some((first, rest)) = bytes.get(used..).and_then(<[u8]>::split_first).filter(|_| !self.is_over()) {
            used += match self {
                Self::Left(left) | Self::Chunks(Chunks::Data(left)) if *left > 0 => {
                    let length = (rest.len() + 1).min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= length as u64;
                    length
                }
                Self::Left(_) | Self::Chunks(Chunks::Broken) => rest.len() + 1,
                Self::Chunks(chunks) => {
                    *self = chunks.after(*first).map_or(Self::Left(0), Self::Chunks);
                    1
                }
            };
        }
        used
    }
}

impl Chunks {
    /// At the beginning of a chunk.
    const SIZE: Self = Self::Size { value: None, extension: false };

    /// Where it is after a byte that is no data; `None` at the end.
    fn after(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::LineEnd(then), b'\n') => return then.chunks(),
            (Self::Data(0), b'\r') => Self::LineEnd(Then::Size),
            (Self::Size { value: Some(0), .. }, b'\r') => Self::LineEnd(Then::Trailer),
            (Self::Size { value: Some(value), .. }, b'\r') => Self::LineEnd(Then::Data(value)),
            (Self::Size { value: Some(_), extension: true }, byte) if byte != b'\n' => self,
            (Self::Size { value: value @ Some(_), .. }, b';' | b' ' | b'\t') => Self::Size { value, extension: true },
            (Self::Size { value, extension: false }, byte) => Self::digit(value.unwrap_or_default(), byte),
            (Self::Trailer { empty }, b'\r') => Self::LineEnd(if empty { Then::Nothing } else { Then::Trailer }),
            (Self::Trailer { .. }, byte) if byte != b'\n' => Self::Trailer { empty: false },
            _ => Self::Broken,
        })
    }

    fn digit(value: u64, byte: u8) -> Self {
        match char::from(byte).to_digit(16) {
            Some(digit) if value >> 56 == 0 => {
                Self::Size { value: Some(value << 4 | u64::from(digit)), extension: false }
            }
            _ => Self::Broken,
        }
    }
}

impl Then {
    fn chunks(self) -> Option<Chunks> {
        match self {
            Self::Size => Some(Chunks::SIZE),
            Self::Data(length) => Some(Chunks::Data(length)),
            Self::Trailer => Some(Chunks::Trailer { empty: true }),
            Self::Nothing => None,
        }
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

    #[rstest]
    #[case("2;\nxx\r\n")]
    #[case("2\nxx\r\n")]
    #[case("2;a\rb\r\n")]
    #[case("2\r\nxx\n")]
    #[case("2\r\nxxx")]
    #[case("2\r\nxx\r2\r\n")]
    #[case("0\r\nX: y\n")]
    #[case("0\r\nX: y\rZ")]
    #[case("0\r\n\n")]
    #[case("0;\n")]
    #[case("\r\n")]
    #[case(";\r\n")]
    #[case("0x2\r\n")]
    #[case("-2\r\n")]
    fn lines_end_in_cr_lf_and_sizes_are_digits(#[case] body: &str) {
        let bytes = format!("{body}{NEXT}");
        let mut whole = Body::new(Framing::Chunked);
        assert_eq!(whole.take(bytes.as_bytes()), bytes.len());
        assert!(whole.is_broken());
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
