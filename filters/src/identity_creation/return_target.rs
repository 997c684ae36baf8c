//! Where a browser goes after its login: a place on this very origin, and nothing else.

use crate::exchange::Exchange;

const LONGEST: usize = 2048;

/// A path with its query on our own origin: never a scheme, never an authority, so never an open redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnTarget(String);

impl ReturnTarget {
    /// The start page, `/`.
    #[must_use]
    pub fn start() -> Self {
        Self("/".to_owned())
    }

    /// Takes `text` if every browser reads it as path and query of the same origin: it begins with exactly one slash and
    /// holds visible ASCII only, without backslash and `#`; at most 2,048 bytes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#';
        (text.len() <= LONGEST && !rest.starts_with('/') && rest.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// The page that the exchange asks for.
    #[must_use]
    pub fn of(exchange: &Exchange) -> Option<Self> {
        Self::parse(&exchange.path.with_query(exchange.query.as_deref()))
    }

    /// The target as it stands in `Location`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/")]
    #[case("/a/b?c=d&e=%2F%2Fevil")]
    #[case("/a?next=https://evil.example//x")]
    #[case("/a//b")]
    fn a_place_on_this_origin_is_taken(#[case] text: &str) {
        assert_eq!(ReturnTarget::parse(text).unwrap().as_str(), text);
    }

    #[rstest]
    #[case("")]
    #[case("a")]
    #[case("//evil.example")]
    #[case("///evil.example")]
    #[case("/\\evil.example")]
    #[case("/a\\b")]
    #[case("https://evil.example/")]
    #[case("javascript:alert(1)")]
    #[case("/\t/evil.example")]
    #[case("/\n/evil.example")]
    #[case("/a b")]
    #[case("/a#b")]
    #[case("/\u{e9}")]
    fn anything_else_is_refused(#[case] text: &str) {
        assert_eq!(ReturnTarget::parse(text), None);
    }

    #[test]
    fn its_length_is_bounded() {
        assert!(ReturnTarget::parse(&format!("/{}", "a".repeat(2047))).is_some());
        assert!(ReturnTarget::parse(&format!("/{}", "a".repeat(2048))).is_none());
    }

    proptest! {
        #[test]
        fn what_is_taken_has_no_authority_and_splits_no_header(text in "[/\\\\a-z:@?#%\r\n\t .]{0,20}") {
            if let Some(target) = ReturnTarget::parse(&text) {
                let kept = target.as_str();
                prop_assert!(kept.starts_with('/') && !kept.starts_with("//") && !kept.contains('\\'));
                prop_assert!(kept.bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }
}
