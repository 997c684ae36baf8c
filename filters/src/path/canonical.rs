//! Parsing a raw request path into the one spelling that is matched and forwarded.

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
    /// `;` parameters.
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
    /// A dot segment, raw or escaped.
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
}

/// A path that passed the rules of `gateway.md` 2.1: begins with `/`, escapes of unreserved characters decoded, the
/// others upper-case, no dot segments. Spellings that only some routes allow are noted in [`CanonicalPath::unusual`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalPath {
    text: String,
    unusual: PathRules,
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
        let (text, decoded, mut unusual) = decode(raw.as_bytes())?;
        std::str::from_utf8(&decoded).map_err(|_| PathError::NotUtf8)?;
        if text.split('/').any(|segment| is_dots(segment.split(';').next().unwrap_or(segment))) {
            return Err(PathError::DotSegment);
        }
        unusual.empty_segments = text.contains("//");
        Ok(Self { text, unusual })
    }

    /// The path as text: what is matched and forwarded.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The spellings found that a route has to allow.
    #[must_use]
    pub fn unusual(&self) -> PathRules {
        self.unusual
    }
}

fn is_dots(segment: &str) -> bool {
    segment == "." || segment == ".."
}

/// The canonical text, the fully decoded bytes (to check for UTF-8), and what is unusual.
fn decode(raw: &[u8]) -> Result<(String, Vec<u8>, PathRules), PathError> {
    let mut text = String::with_capacity(raw.len());
    let mut decoded = Vec::with_capacity(raw.len());
    let mut unusual = PathRules::default();
    let mut rest = raw;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            if !is_path_character(byte) {
                return Err(PathError::Character);
            }
            unusual.parameters |= byte == b';';
            text.push(char::from(byte));
            decoded.push(byte);
            continue;
        }
        let (escaped, tail) = escape(tail).ok_or(PathError::Escape)?;
        rest = tail;
        if escaped.is_ascii_control() {
            return Err(PathError::Character);
        }
        unusual.encoded_slashes |= matches!(escaped, b'/' | b'\\');
        unusual.double_encoding |=
            escaped == b'%' && matches!(rest, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
        decoded.push(escaped);
        if is_unreserved(escaped) {
            text.push(char::from(escaped));
        } else {
            text.push_str(&format!("%{escaped:02X}"));
        }
    }
    Ok((text, decoded, unusual))
}

fn escape(tail: &[u8]) -> Option<(u8, &[u8])> {
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
