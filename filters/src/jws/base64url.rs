//! base64url as JOSE writes it (RFC 7515, section 2): no padding, and one spelling only for each value.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The text has another character than `A-Z a-z 0-9 - _`, padding, an impossible length or trailing bits set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not canonical base64url (no padding, zero trailing bits)")]
pub struct Base64UrlError;

/// The text of `bytes`, unpadded.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of `text`, if it is the very text that [`encode`] gives for them.
///
/// # Errors
/// When the text is not canonical.
pub fn decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, Base64UrlError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Base64UrlError)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::padding("Zg==")]
    #[case::trailing_bits("Zh")]
    #[case::one_character("Z")]
    #[case::standard_alphabet("+/+/")]
    #[case::white_space("Zm9v ")]
    #[case::line_end("Zm9v\n")]
    #[case::not_ascii("Zmé")]
    fn refuses_all_but_the_canonical_text(#[case] text: &str) {
        assert_eq!(decode(text), Err(Base64UrlError));
    }

    proptest! {
        #[test]
        fn one_text_for_each_value(text in "[A-Za-z0-9_=-]{0,12}") {
            if let Ok(bytes) = decode(&text) {
                prop_assert_eq!(encode(bytes), text);
            }
        }

        #[test]
        fn every_value_has_a_text(bytes: Vec<u8>) {
            prop_assert_eq!(decode(encode(&bytes)), Ok(bytes));
        }
    }
}
