//! How UAF writes bytes and limited strings into JSON: base64url without padding, lengths checked while reading
//! (UAF protocol 1.1, section 2.1.2).

mod bounded;
pub(crate) mod dictionary;
mod json;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use bounded::{Octets, Text};
pub(crate) use dictionary::{dictionary, read_as_dictionary};
pub(crate) use json::{EMPTY_LIST, JsonError, parse, parse_file, parse_with_null_members};

/// A value that is not what the encoding demands. It never repeats the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// Not base64url without padding, or with stray bits in the last character.
    #[error("not base64url without padding")]
    Base64Url,
    /// Shorter or longer than the dictionary allows.
    #[error("length out of range")]
    Length,
}

/// Base64url without padding (RFC 4648 section 5).
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes behind unpadded base64url; padding, the standard alphabet, white space and stray bits are refused.
///
/// # Errors
/// [`EncodingError::Base64Url`].
pub fn decode(text: &str) -> Result<Vec<u8>, EncodingError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| EncodingError::Base64Url)
}

/// As [`decode`], but right padding is allowed: authenticators in the field pad the `assertion` member, of which only
/// the decoded bytes are ever hashed or verified, and old clients fcParams, which are hashed as they came.
pub(crate) fn decode_padded(text: &str) -> Result<Vec<u8>, EncodingError> {
    let bare = text.trim_end_matches('=');
    match text.len() - bare.len() {
        0 => decode(bare),
        1 | 2 if text.len().is_multiple_of(4) => decode(bare),
        _ => Err(EncodingError::Base64Url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_forms_of_base64_are_refused() {
        for text in ["AA==", "AA=", "+/+/", "AB", "A", "AA A", "AAA\n"] {
            assert_eq!(decode(text), Err(EncodingError::Base64Url), "{text:?}");
        }
        assert_eq!(decode("-_-_").unwrap(), [0xfb, 0xff, 0xbf]);
    }

    #[test]
    fn only_right_padding_may_be_borne() {
        assert_eq!(decode_padded("AA==").unwrap(), [0]);
        assert_eq!(decode_padded("AA").unwrap(), [0]);
        for text in ["AA=", "AAA==", "AAAA=", "AA===", "====", "=AA="] {
            assert!(decode_padded(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_encoded_decodes_and_nothing_else_gives_the_same(bytes: Vec<u8>, text in "[A-Za-z0-9_=+/-]{0,12}") {
            prop_assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
            if let Ok(decoded) = decode(&text) {
                prop_assert_eq!(encode(&decoded), text);
            }
        }
    }
}
