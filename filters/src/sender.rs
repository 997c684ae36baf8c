//! Which page had a browser send a request: it sends along what it has, cookies and certificates, whoever asks it to.

use http::header::ORIGIN;
use http::{HeaderMap, HeaderValue};

/// Who had a request sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A page of ours, or the user.
    Own,
    /// A page of the same site, which is another one of ours or of somebody beside us.
    SameSite,
    /// A page of another site, or one of which it can't be told.
    OtherSite,
    /// Nobody says: a program, or an old browser where it has a page show something.
    Untold,
}

impl Sender {
    /// Of a request to `own_origin` (`scheme://host[:port]` as the client addressed us). Browsers tell by `Sec-Fetch-Site`,
    /// which no page can set; older ones by `Origin`.
    #[must_use]
    pub fn of(headers: &HeaderMap, own_origin: &str) -> Self {
        let (Ok(site), Ok(origin)) = (only(headers, "sec-fetch-site"), only(headers, ORIGIN.as_str())) else {
            return Self::OtherSite;
        };
        let is_own = |origin: &HeaderValue| origin.as_bytes().eq_ignore_ascii_case(own_origin.as_bytes());
        match (site.map(HeaderValue::as_bytes), origin) {
            (Some(b"same-origin" | b"none"), _) => Self::Own,
            (Some(b"same-site"), _) => Self::SameSite,
            (None, None) => Self::Untold,
            (None, Some(origin)) if is_own(origin) => Self::Own,
            _ => Self::OtherSite,
        }
    }
}

/// The field, if it is there; an error where it is there more than once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a HeaderValue>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (first, None) => Ok(first),
        _ => Err(()),
    }
}
