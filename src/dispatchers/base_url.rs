//! The `base-url` of the link dispatcher, kept as the text that the administrator wrote.

/// Why a text can't be the base of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It does not begin with a URI scheme and `:` (RFC 3986, 3.1).
    #[error("a base-url begins with a scheme, such as https:// or myapp://")]
    Scheme,
    /// It has a fragment: the payload would land in it and never reach the application.
    #[error("a base-url can't have a fragment (#)")]
    Fragment,
    /// It has more than one question mark: the parsers of mobile applications split at the first or at the last one.
    #[error("a base-url has at most one question mark")]
    QuestionMarks,
    /// It has a character that no URI has: a space, a control character, or one outside ASCII.
    #[error("a base-url has only the characters of a URI, others are percent-encoded")]
    Character,
}

/// A base of links (seed `link-dispatcher.txt`, "Base URL Configuration"). The text is never parsed and written anew:
/// `https://siven.ch` stays without a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Checks a configured text.
    ///
    /// # Errors
    /// Why it can't carry a payload as its last query parameter.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let (scheme, _) = text.split_once(':').ok_or(BaseUrlError::Scheme)?;
        if !is_scheme(scheme) {
            return Err(BaseUrlError::Scheme);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)) {
            return Err(BaseUrlError::Character);
        }
        if text.contains('#') {
            return Err(BaseUrlError::Fragment);
        }
        if text.matches('?').count() > 1 {
            return Err(BaseUrlError::QuestionMarks);
        }
        Ok(Self(text.to_owned()))
    }

    /// The link that carries `payload` (base64url without padding) as its last query parameter (`http-api.md` 10).
    #[must_use]
    pub fn link(&self, payload: &str) -> String {
        let separator = if self.0.contains('?') { '&' } else { '?' };
        format!("{}{separator}dispatchTokenResponse={payload}", self.0)
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://siven.ch", "https://siven.ch?dispatchTokenResponse=e30")]
    #[case("https://siven.ch/", "https://siven.ch/?dispatchTokenResponse=e30")]
    #[case("HTTPS://Siven.ch:443", "HTTPS://Siven.ch:443?dispatchTokenResponse=e30")]
    #[case(
        "nevisaccessapp://x-callback-url/authenticate?x-success=https://success.siven.ch&x-error=https://error.siven.ch",
        "nevisaccessapp://x-callback-url/authenticate?x-success=https://success.siven.ch&x-error=https://error.siven.ch&dispatchTokenResponse=e30"
    )]
    fn the_text_is_kept_and_the_payload_comes_last(#[case] base: &str, #[case] link: &str) {
        assert_eq!(BaseUrl::parse(base).unwrap().link("e30"), link);
    }

    #[rstest]
    #[case("siven.ch", BaseUrlError::Scheme)]
    #[case("://siven.ch", BaseUrlError::Scheme)]
    #[case("1a://siven.ch", BaseUrlError::Scheme)]
    #[case("a_b://siven.ch", BaseUrlError::Scheme)]
    #[case("https://siven.ch#top", BaseUrlError::Fragment)]
    #[case("https://siven.ch?a=1?b=2", BaseUrlError::QuestionMarks)]
    #[case("https://siven.ch/a b", BaseUrlError::Character)]
    #[case("https://siven.ch/\u{e9}", BaseUrlError::Character)]
    #[case("https://siven.ch/<a>", BaseUrlError::Character)]
    fn what_would_break_a_link_is_refused(#[case] base: &str, #[case] error: BaseUrlError) {
        assert_eq!(BaseUrl::parse(base), Err(error));
    }

    proptest! {
        #[test]
        fn the_payload_is_what_follows_the_last_equals_sign(base in "[a-z]{1,8}://[a-z./]{0,20}(\\?[a-z=&]{0,20})?", payload in "[A-Za-z0-9_-]{1,80}") {
            let link = BaseUrl::parse(&base).unwrap().link(&payload);
            prop_assert!(link.starts_with(&base));
            prop_assert_eq!(link.matches('?').count(), 1);
            prop_assert_eq!(link.rsplit_once("dispatchTokenResponse=").unwrap().1, payload);
        }
    }
}
