//! What an authentication service is asked, and by what of it attempts and answers are told apart.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use sidegate_filters::Exchange;
use sidegate_filters::identity_creation::{foreign_cookies, shows_session_token};

use crate::jose::sha256;

/// All of a question, as its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Whole([u8; 32]);

/// What the service is asked.
pub(super) struct Question {
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    /// Of what the client showed of itself.
    pub(super) credentials: [u8; 32],
    /// Whether it may be a guess. Cookies alone are what everybody comes with.
    pub(super) counts: bool,
    /// Of all that is sent.
    pub(super) whole: Whole,
}

impl Question {
    /// Of the client's headers that the service is shown, the body if it is shown that, and what is asked for.
    pub(super) fn of(exchange: &Exchange, shown: &[HeaderName], body: Option<Bytes>) -> Self {
        let mut headers = credentials(exchange, shown);
        let content = body.as_deref().unwrap_or_default();
        let credentials = digest(&headers, &[]);
        let counts = !content.is_empty() || headers.keys().any(|name| *name != header::COOKIE);
        let (scheme, host) = exchange.client.origin.split_once("://").unwrap_or_default();
        let query = exchange.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        for (name, value) in [
            ("x-forwarded-method", exchange.method.as_str()),
            ("x-forwarded-uri", &format!("{}{query}", exchange.path.as_str())),
            ("x-forwarded-proto", scheme),
            ("x-forwarded-host", host),
            ("x-forwarded-for", &exchange.client.address.to_string()),
        ] {
            // They come from a request that was read: only a query may have bytes that no header has, and is not sent.
            headers.extend(HeaderValue::from_str(value).ok().map(|value| (HeaderName::from_static(name), value)));
        }
        let whole = Whole(digest(&headers, &[content]));
        Self { headers, body, credentials, counts, whole }
    }

    pub(super) fn has_body(&self) -> bool {
        self.body.as_ref().is_some_and(|body| !body.is_empty())
    }
}

/// What the client shows of itself: no session of ours.
fn credentials(exchange: &Exchange, shown: &[HeaderName]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in shown {
        if *name == header::COOKIE {
            headers.extend(foreign_cookies(&exchange.headers).map(|cookies| (header::COOKIE, cookies)));
            continue;
        }
        if *name == header::AUTHORIZATION && shows_session_token(&exchange.headers) {
            continue;
        }
        for value in exchange.headers.get_all(name) {
            headers.append(name, value.clone());
        }
    }
    headers
}

/// Of names and values in their order, and of what comes with them, each with its length before it.
fn digest(headers: &HeaderMap, more: &[&[u8]]) -> [u8; 32] {
    let mut all = Vec::new();
    let mut add = |bytes: &[u8]| {
        all.extend_from_slice(&bytes.len().to_be_bytes());
        all.extend_from_slice(bytes);
    };
    for (name, value) in headers {
        add(name.as_str().as_bytes());
        add(value.as_bytes());
    }
    more.iter().for_each(|more| add(more));
    sha256(&all)
}
