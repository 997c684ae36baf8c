//! The session token: what clients without cookies carry in place of the session cookie (`http-api.md` 7).

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use http::{HeaderMap, header};

use super::{Bearer, Credential, SessionDomain, Sessions, Shown};
use crate::body::BodySource;
use crate::exchange::Exchange;
use crate::filter::FilterError;
use crate::identity::{AuthenticatedSession, CarriedBy, Carrier};
use crate::jws::base64url;
use crate::reason::Reason;

/// `typ` in the header of session tokens, where it stands first.
pub const SESSION_TOKEN_TYP: &str = "sidegate-session+jwt";

/// How each of them begins: whole groups of three bytes, so that nothing of what follows is in it.
static BEGINNING: LazyLock<String> = LazyLock::new(|| base64url::encode(format!("{{\"typ\":\"{SESSION_TOKEN_TYP}\",")));

/// A session token in `Authorization`: another carrier of a session that is kept here, looked up at each use. A bearer of
/// another kind is none, and one whose session has ended is nobody's.
pub struct SessionToken {
    domain: SessionDomain,
    sessions: Arc<dyn Sessions>,
}

impl SessionToken {
    /// Sessions of this domain.
    #[must_use]
    pub fn new(domain: SessionDomain, sessions: Arc<dyn Sessions>) -> Self {
        Self { domain, sessions }
    }
}

#[async_trait]
impl Credential for SessionToken {
    fn name(&self) -> String {
        "session token".to_owned()
    }

    fn carried_by(&self) -> Option<CarriedBy> {
        Some(CarriedBy::Token)
    }

    async fn find(&self, exchange: &mut Exchange, _: &mut dyn BodySource) -> Result<Shown, FilterError> {
        let token = match Bearer::of(&exchange.headers) {
            Bearer::Token(token) if token.starts_with(BEGINNING.as_str()) => Carrier::new(CarriedBy::Token, token),
            _ => return Ok(Shown::Nothing),
        };
        let session = self.sessions.find(&self.domain, &token, exchange.occasion).await?;
        let session = session.filter(|session| session.domain == self.domain.as_str());
        Ok(session.map_or(Shown::Nobody(Reason::SessionEnded), |session| Shown::User(Box::new(session), Some(token))))
    }

    async fn holds(&self, session: &AuthenticatedSession, _: &Exchange) -> Result<bool, FilterError> {
        if session.carrier().is_none() { Ok(true) } else { self.sessions.is_alive(session).await }
    }

    fn strip(&self, exchange: &mut Exchange) {
        if shows_session_token(&exchange.headers) {
            exchange.headers.remove(header::AUTHORIZATION);
        }
    }
}

/// Whether `Authorization` may hold a session token, of whatever domain, living or dead: no upstream learns it.
#[must_use]
pub fn shows_session_token(headers: &HeaderMap) -> bool {
    let beginning = BEGINNING.as_str();
    // A search in text costs a small part of comparing at each byte, and each forwarded request has one.
    let has_it = |field: &http::HeaderValue| match str::from_utf8(field.as_bytes()) {
        Ok(text) => text.contains(beginning),
        Err(_) => String::from_utf8_lossy(field.as_bytes()).contains(beginning),
    };
    headers.get_all(header::AUTHORIZATION).iter().any(has_it)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[], false)]
    #[case(&["Bearer eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.e30.AA"], false)]
    #[case(&["Bearer eyJ0eXAiOiJzaWRlZ2F0ZS1zZXNzaW9uK2p3dCIsImFsZyI6IkVTMjU2In0.e30.AA"], true)]
    #[case(&["bearer eyJ0eXAiOiJzaWRlZ2F0ZS1zZXNzaW9uK2p3dCIs"], true)]
    #[case(&["Basic YTpi", "x=eyJ0eXAiOiJzaWRlZ2F0ZS1zZXNzaW9uK2p3dCIs,"], true)]
    fn one_is_known_wherever_it_stands(#[case] fields: &[&'static str], #[case] expected: bool) {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(field));
        }
        assert_eq!(shows_session_token(&headers), expected);
    }

    #[test]
    fn one_is_known_among_bytes_that_are_no_text() {
        for before in ["", "x", "eyJ0eXAi"] {
            let field = [&b"\xff\xc3"[..], before.as_bytes(), BEGINNING.as_bytes(), b"\xe9"].concat();
            let headers = [(header::AUTHORIZATION, HeaderValue::from_bytes(&field).unwrap())];
            assert!(shows_session_token(&headers.into_iter().collect()), "{before}");
        }
        let (start, _) = BEGINNING.split_at(BEGINNING.len() - 1);
        let headers =
            [(header::AUTHORIZATION, HeaderValue::from_bytes(&[start.as_bytes(), b"\xff"].concat()).unwrap())];
        assert!(!shows_session_token(&headers.into_iter().collect()));
    }
}
