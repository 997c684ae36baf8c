//! The `base-url` of the link dispatcher, kept as the text that the administrator wrote.

use url::Url;

/// The query parameter of a link that its token comes in (`http-api.md` 10).
pub(super) const PARAMETER: &str = "dispatchTokenResponse";

/// Why a text can't be the base of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It is not `scheme://host` with what may follow (RFC 3986, 3.1 and 3.2).
    #[error("this is no URL with a scheme, // and a host")]
    Url,
    /// It has a user name or a password, which every reader of a link would learn.
    #[error("the URL holds a user name or a password")]
    Credentials,
    /// The scheme opens no app, or sends the token over the network in clear.
    #[error("this scheme opens no app, or lets others read the link")]
    Scheme,
    /// It has a fragment: the payload would land in it and never reach the application.
    #[error("the URL has a fragment, which would swallow the payload behind it")]
    Fragment,
    /// It has more than one question mark: the parsers of mobile applications split at the first or at the last one.
    #[error("the URL has more than one question mark")]
    QuestionMarks,
    /// Its query has the parameter of the token already: which of the two an application takes is its own affair.
    #[error("the query of the URL has a {PARAMETER} already, which is what links bear their token in: leave it out")]
    Parameter,
    /// It has a character that no URI has: a space, a control character, or one outside ASCII.
    #[error("the URL has characters that must be percent-encoded")]
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
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)) {
            return Err(BaseUrlError::Character);
        }
        if text.contains('#') {
            return Err(BaseUrlError::Fragment);
        }
        if text.matches('?').count() > 1 {
            return Err(BaseUrlError::QuestionMarks);
        }
        check_parts(text)?;
        if bears_token(text) {
            return Err(BaseUrlError::Parameter);
        }
        Ok(Self(text.to_owned()))
    }

    /// Where phones look for what makes links of the web an application's; `None`: it is one of an application already.
    #[must_use]
    pub fn web(&self) -> Option<WebBase> {
        let url = Url::parse(&self.0).ok().filter(|url| url.scheme() == "https")?;
        Some(WebBase { host: url.host_str()?.to_owned(), port: url.port(), path: url.path().to_owned() })
    }

    /// The link that carries `payload` (base64url without padding) as its last query parameter (`http-api.md` 10).
    #[must_use]
    pub fn link(&self, payload: &str) -> String {
        let separator = if self.0.contains('?') { '&' } else { '?' };
        format!("{}{separator}{PARAMETER}={payload}", self.0)
    }
}

/// A base of links that is a page of the web.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebBase {
    /// Its host, in lower case.
    pub host: String,
    /// Its port, where that is not the one of `https`.
    pub port: Option<u16>,
    /// Its path, at least a slash.
    pub path: String,
}

impl WebBase {
    /// Whether its path means other paths, too, where a pattern is looked for: a `*`, or a variable such as `$(lang)`, of
    /// Apple's `applinks`. Their `?` is none that a path can have.
    #[must_use]
    pub fn is_pattern(&self) -> bool {
        ["*", "$("].into_iter().any(|sign| self.path.contains(sign))
    }
}

fn check_parts(text: &str) -> Result<(), BaseUrlError> {
    // The URL type of browsers mends what is missing between scheme and host, and phones may not.
    let (_, rest) = text.split_once("://").ok_or(BaseUrlError::Url)?;
    let url = Url::parse(text).map_err(|_| BaseUrlError::Url)?;
    if !url.has_host() || rest.starts_with(['/', '?']) || rest.is_empty() {
        return Err(BaseUrlError::Url);
    }
    if rest.split(['/', '?']).next().is_some_and(|authority| authority.contains('@')) {
        return Err(BaseUrlError::Credentials);
    }
    match url.scheme() {
        "javascript" | "data" | "file" | "blob" | "http" => Err(BaseUrlError::Scheme),
        _ => Ok(()),
    }
}

/// By its name as applications read it, percent-encoded or not.
fn bears_token(text: &str) -> bool {
    let query = text.split_once('?').map_or("", |(_, query)| query);
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == PARAMETER)
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
    #[case("https://siven.ch/@me?b=c@d", "https://siven.ch/@me?b=c@d&dispatchTokenResponse=e30")]
    #[case(
        "https://siven.ch/dispatchTokenResponse?b=dispatchTokenResponse&dispatchTokenResponses=1",
        "https://siven.ch/dispatchTokenResponse?b=dispatchTokenResponse&dispatchTokenResponses=1&dispatchTokenResponse=e30"
    )]
    fn the_text_is_kept_and_the_payload_comes_last(#[case] base: &str, #[case] link: &str) {
        assert_eq!(BaseUrl::parse(base).unwrap().link("e30"), link);
    }

    #[rstest]
    #[case("siven.ch", BaseUrlError::Url)]
    #[case("://siven.ch", BaseUrlError::Url)]
    #[case("1a://siven.ch", BaseUrlError::Url)]
    #[case("a_b://siven.ch", BaseUrlError::Url)]
    #[case("mailto:x", BaseUrlError::Url)]
    #[case("https:siven.ch", BaseUrlError::Url)]
    #[case("https:siven.ch/://", BaseUrlError::Url)]
    #[case("https:///siven.ch", BaseUrlError::Url)]
    #[case("https://", BaseUrlError::Url)]
    #[case("myapp://", BaseUrlError::Url)]
    #[case("myapp:///path", BaseUrlError::Url)]
    #[case("myapp://?a=1", BaseUrlError::Url)]
    #[case("https://me:pw@siven.ch", BaseUrlError::Credentials)]
    #[case("https://@siven.ch", BaseUrlError::Credentials)]
    #[case("http://siven.ch", BaseUrlError::Scheme)]
    #[case("HTTP://siven.ch", BaseUrlError::Scheme)]
    #[case("javascript://siven.ch", BaseUrlError::Scheme)]
    #[case("file://siven.ch/x", BaseUrlError::Scheme)]
    #[case("https://siven.ch#top", BaseUrlError::Fragment)]
    #[case("https://siven.ch?a=1?b=2", BaseUrlError::QuestionMarks)]
    #[case("https://siven.ch?dispatchTokenResponse=x", BaseUrlError::Parameter)]
    #[case("https://siven.ch/?a=1&dispatchTokenResponse", BaseUrlError::Parameter)]
    #[case("myapp://open?dispatch%54okenResponse=&a=1", BaseUrlError::Parameter)]
    #[case("https://siven.ch/a b", BaseUrlError::Character)]
    #[case("https://siven.ch/\u{e9}", BaseUrlError::Character)]
    #[case("https://siven.ch/<a>", BaseUrlError::Character)]
    #[case("https://siven.ch\\x", BaseUrlError::Character)]
    fn what_would_break_a_link_is_refused(#[case] base: &str, #[case] error: BaseUrlError) {
        assert_eq!(BaseUrl::parse(base), Err(error));
    }

    #[rstest]
    #[case("https://siven.ch", Some(("siven.ch", None, "/")))]
    #[case("HTTPS://Siven.ch:443/open?x=1", Some(("siven.ch", None, "/open")))]
    #[case("https://siven.ch:8443/open", Some(("siven.ch", Some(8443), "/open")))]
    #[case("sidegate://x-callback-url/authenticate", None)]
    fn links_of_the_web_have_a_host_that_is_asked(#[case] base: &str, #[case] web: Option<(&str, Option<u16>, &str)>) {
        let expected = web.map(|(host, port, path)| WebBase { host: host.to_owned(), port, path: path.to_owned() });
        assert_eq!(BaseUrl::parse(base).unwrap().web(), expected);
    }

    #[rstest]
    #[case("https://siven.ch/open", false)]
    #[case("https://siven.ch/open?x=*", false)]
    #[case("https://siven.ch/$5(a)", false)]
    #[case("https://siven.ch/o*", true)]
    #[case("https://siven.ch/$(lang)/open", true)]
    fn a_path_that_means_others_is_a_pattern(#[case] base: &str, #[case] expected: bool) {
        assert_eq!(BaseUrl::parse(base).unwrap().web().unwrap().is_pattern(), expected);
    }

    proptest! {
        #[test]
        fn the_payload_is_what_follows_the_last_equals_sign(base in "myapp://[a-z][a-z./]{0,20}(\\?[a-z=&]{0,20})?", payload in "[A-Za-z0-9_-]{1,80}") {
            let link = BaseUrl::parse(&base).unwrap().link(&payload);
            prop_assert!(link.starts_with(&base));
            prop_assert_eq!(link.matches('?').count(), 1);
            prop_assert_eq!(link.rsplit_once("dispatchTokenResponse=").unwrap().1, payload);
        }
    }
}
