//! What a caller showed goes no further, unless its route says so: then the destination can act as the caller
//! (`gateway.md` 2.3).

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::credentials::Bearer;
use super::{SessionCookie, SessionDomain, foreign_cookies, session_cookie};
use crate::identity::CarriedBy;

/// Which credentials go on to the destination: only the one that the caller was found by, never what nobody looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PassedOn {
    /// The session cookie of the filter's domain.
    pub session_cookie: bool,
    /// A bearer that was meant for us: a session token, a token of a trusted issuer, the bearer of an internal caller.
    pub bearer: bool,
}

impl PassedOn {
    /// The words of the configuration, as `sidegate explain` shows them; none where nothing goes on.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        let words = [(self.session_cookie, "session-cookie"), (self.bearer, "bearer")];
        words.into_iter().filter_map(|(is_set, word)| is_set.then_some(word)).collect()
    }

    /// The field in which the destination gets what the caller was found by; a cookie stands among those that pass anyhow.
    pub(super) fn field(
        self,
        shown: Option<CarriedBy>,
        headers: &HeaderMap,
        (domain, secure): (&SessionDomain, bool),
    ) -> Option<(HeaderName, HeaderValue)> {
        let (name, text) = match shown? {
            CarriedBy::Cookie if self.session_cookie => {
                let SessionCookie::One(value) = session_cookie(headers, domain, secure) else { return None };
                let own = format!("{}={value}", domain.cookie_name(secure)).into_bytes();
                let others = foreign_cookies(headers).map(|others| others.as_bytes().to_vec());
                (header::COOKIE, others.into_iter().chain([own]).collect::<Vec<_>>().join(&b"; "[..]))
            }
            CarriedBy::Token if self.bearer => {
                let Bearer::Token(token) = Bearer::of(headers) else { return None };
                (header::AUTHORIZATION, format!("Bearer {token}").into_bytes())
            }
            CarriedBy::Cookie | CarriedBy::Token => return None,
        };
        let mut value = HeaderValue::from_bytes(&text).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    }
}
