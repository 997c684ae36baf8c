//! Whether a state-changing form post comes from a page of ours (`http-api.md` 7): against CSRF, on login too.

use http::HeaderMap;
use sidegate_filters::Sender;
use sidegate_filters::identity_creation::accepts_html;

/// The request was sent by another site's page, or can't show that it was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this request must come from a page of this site; open the page here and send it again")]
pub struct CrossSite;

/// Passes a request that a page of `own_origin` (`scheme://host[:port]` as the client addressed us) or the user sent.
///
/// A client that does not tell who had it send the request and does not ask for a page is none, so no page can abuse it.
///
/// # Errors
/// When the request must be refused.
pub fn check(headers: &HeaderMap, own_origin: &str) -> Result<(), CrossSite> {
    match Sender::of(headers, own_origin) {
        Sender::Own => Ok(()),
        Sender::Untold if !accepts_html(headers) => Ok(()),
        Sender::Untold | Sender::SameSite | Sender::OtherSite => Err(CrossSite),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[("sec-fetch-site", "same-origin")], true)]
    #[case(&[("sec-fetch-site", "none"), ("accept", "text/html")], true)]
    #[case(&[("sec-fetch-site", "same-origin"), ("origin", "null")], true)]
    #[case(&[("sec-fetch-site", "same-site")], false)]
    #[case(&[("sec-fetch-site", "cross-site")], false)]
    #[case(&[("sec-fetch-site", "cross-site"), ("origin", "https://gate.example")], false)]
    #[case(&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false)]
    #[case(&[("origin", "https://gate.example")], true)]
    #[case(&[("origin", "HTTPS://gate.example"), ("accept", "text/html")], true)]
    #[case(&[("origin", "https://evil.example")], false)]
    #[case(&[("origin", "http://gate.example")], false)]
    #[case(&[("origin", "https://gate.example.evil")], false)]
    #[case(&[("origin", "null")], false)]
    #[case(&[("origin", "https://gate.example"), ("origin", "https://evil.example")], false)]
    #[case(&[], true)]
    #[case(&[("accept", "application/json")], true)]
    #[case(&[("accept", "text/html")], false)]
    fn only_our_own_pages_and_programs_post(#[case] fields: &[(&'static str, &'static str)], #[case] passes: bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        assert_eq!(check(&headers, "https://gate.example").is_ok(), passes);
    }
}
