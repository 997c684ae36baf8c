//! Parsing a raw request path into the one spelling that is matched and forwarded.

use crate::reason::Reason;
use crate::reply::Problem;

/// Spellings that a route may allow; everything else of `gateway.md` 2.1 is refused always. Allowed spellings stay
/// encoded and are opaque to matching.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathRules {
    /// `//`.
    pub empty_segments: bool,
    /// `%2F` and `%5C`.
    pub encoded_slashes: bool,
    /// `%25` followed by two hex digits.
    pub double_encoding: bool,
    /// `;` parameters, also behind `%3B`: a server that decodes first finds them there.
    pub parameters: bool,
}

impl PathRules {
    /// Whether everything that `found` names is allowed here.
    #[must_use]
    pub fn allow(self, found: Self) -> bool {
        (self.empty_segments || !found.empty_segments)
            && (self.encoded_slashes || !found.encoded_slashes)
            && (self.double_encoding || !found.double_encoding)
            && (self.parameters || !found.parameters)
    }
}

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin with `/`.
    #[error("the path must begin with a slash")]
    NotAbsolute,
    /// A dot segment, raw or escaped, also beside an escaped slash or a parameter, or escaped twice.
    #[error("the path holds a dot segment")]
    DotSegment,
    /// A backslash, `#`, control character or other byte that has no place in a path.
    #[error("the path holds a character that must be escaped or is never allowed")]
    Character,
    /// `%` without two hex digits.
    #[error("the path holds an invalid escape")]
    Escape,
    /// The escapes do not decode to UTF-8.
    #[error("the path does not decode to UTF-8")]
    NotUtf8,
    /// A spelling that [`PathRules`] do not allow here.
    #[error("the path is spelt in a way that is not allowed here")]
    Unusual,
}

impl From<PathError> for Problem {
    fn from(error: PathError) -> Self {
        Self::bad_request(error.to_string()).because(Reason::PathSpelling)
    }
}

/// A path that passed the rules of `gateway.md` 2.1: begins with `/`, escapes of unreserved characters decoded, the
/// others upper-case, no dot segments. Spellings that only some routes allow are noted in [`CanonicalPath::unusual`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalPath {
    pub(super) text: String,
    pub(super) unusual: PathRules,
}

impl CanonicalPath {
    /// Parses a raw path, without its query.
    ///
    /// # Errors
    /// When the path belongs to a class that no route may allow.
    pub fn parse(raw: &str) -> Result<Self, PathError> {
        if !raw.starts_with('/') {
            return Err(PathError::NotAbsolute);
        }
        let (text, decoded) = decode(raw.as_bytes())?;
        let decoded = String::from_utf8(decoded).map_err(|_| PathError::NotUtf8)?;
        if decoded.chars().any(char::is_control) {
            return Err(PathError::Character);
        }
        if holds_dot_segment(&decode_again(decoded.as_bytes())) {
            return Err(PathError::DotSegment);
        }
        let unusual = unusual(&text);
        Ok(Self { text, unusual })
    }

    /// The path as text: what is matched and forwarded.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The target of a request for this path with a query, if it has one: what is sent.
    ///
    /// ```
    /// let path = sidegate_filters::CanonicalPath::parse("/a%7eb").unwrap();
    /// assert_eq!(path.with_query(Some("q=%41")), "/a~b?q=%41");
    /// assert_eq!(path.with_query(None), "/a~b");
    /// ```
    #[must_use]
    pub fn with_query(&self, query: Option<&str>) -> String {
        match query {
            Some(query) => format!("{}?{query}", self.text),
            None => self.text.clone(),
        }
    }

    /// The spellings found that a route has to allow.
    #[must_use]
    pub fn unusual(&self) -> PathRules {
        self.unusual
    }
}

/// Found in the canonical text: `%25%32%66` is no double encoding as it comes in, but `%252f` goes out.
fn unusual(text: &str) -> PathRules {
    let is_double = |(at, _): (usize, &str)| {
        text.as_bytes().get(at + 3..at + 5).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    PathRules {
        empty_segments: text.contains("//"),
        encoded_slashes: text.contains("%2F") || text.contains("%5C"),
        double_encoding: text.match_indices("%25").any(is_double),
        parameters: text.contains(';') || text.contains("%3B"),
    }
}

/// Whether a reader who takes any slash for a separator, and cuts parameters off, would climb.
fn holds_dot_segment(decoded: &[u8]) -> bool {
    decoded.split(|byte| matches!(byte, b'/' | b'\\')).any(|segment| {
        let name = segment.split(|byte| *byte == b';').next().unwrap_or(segment);
        matches!(name, b"." | b"..")
    })
}

/// What a reader who decodes twice would see. Whatever dots and slashes were there before are there still.
fn decode_again(decoded: &[u8]) -> Vec<u8> {
    let (mut twice, mut rest) = (Vec::with_capacity(decoded.len()), decoded);
    while let Some((&byte, tail)) = rest.split_first() {
        let (byte, tail) = if byte == b'%' { escape(tail).unwrap_or((byte, tail)) } else { (byte, tail) };
        twice.push(byte);
        rest = tail;
    }
    twice
}

/// The canonical text, and the fully decoded bytes.
fn decode(raw: &[u8]) -> Result<(String, Vec<u8>), PathError> {
    let mut text = String::with_capacity(raw.len());
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, tail)) = rest.split_first() {
        let (byte, tail) = if byte == b'%' {
            let (escaped, tail) = escape(tail).ok_or(PathError::Escape)?;
            push_escaped(&mut text, escaped);
            (escaped, tail)
        } else if is_path_character(byte) {
            text.push(char::from(byte));
            (byte, tail)
        } else {
            return Err(PathError::Character);
        };
        decoded.push(byte);
        rest = tail;
    }
    Ok((text, decoded))
}

pub(super) fn push_escaped(text: &mut String, byte: u8) {
    if is_unreserved(byte) {
        return text.push(char::from(byte));
    }
    let digit = |value: u8| char::from_digit(value.into(), 16).map(|digit| digit.to_ascii_uppercase());
    text.push('%');
    text.extend(digit(byte >> 4).into_iter().chain(digit(byte & 0xf)));
}

pub(super) fn escape(tail: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], rest) = tail.split_first_chunk::<2>()?;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some((digit(high)? << 4 | digit(low)?, rest))
}

/// RFC 3986 unreserved.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986 pchar and `/`.
fn is_path_character(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'/' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@'
        )
}
