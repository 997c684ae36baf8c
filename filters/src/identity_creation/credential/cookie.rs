//! The session cookie.

use std::sync::Arc;

use async_trait::async_trait;
use http::header;

use super::super::{SessionCookie, SessionDomain, Sessions, foreign_cookies, login_cookie, session_cookie};
use super::{Credential, Shown};
use crate::body::BodySource;
use crate::exchange::Exchange;
use crate::filter::FilterError;
use crate::identity::{AuthenticatedSession, CarriedBy, Carrier};
use crate::reason::Reason;
use crate::reply::Problem;

/// The cookie of a session that is kept here.
pub struct CookieSession {
    domain: SessionDomain,
    sessions: Arc<dyn Sessions>,
}

impl CookieSession {
    /// Sessions of this domain.
    #[must_use]
    pub fn new(domain: SessionDomain, sessions: Arc<dyn Sessions>) -> Self {
        Self { domain, sessions }
    }
}

#[async_trait]
impl Credential for CookieSession {
    fn name(&self) -> String {
        "cookie".to_owned()
    }

    fn carried_by(&self) -> Option<CarriedBy> {
        Some(CarriedBy::Cookie)
    }

    async fn find(&self, exchange: &mut Exchange, _: &mut dyn BodySource) -> Result<Shown, FilterError> {
        // Cookies of ours do not go on: what a destination of ours may want of them is kept.
        if let SessionCookie::One(cookie) = login_cookie(&exchange.headers, &self.domain, exchange.client.secure) {
            exchange.proofs.insert(LoginUnderWay(Carrier::new(CarriedBy::Cookie, cookie)));
        }
        let cookie = match session_cookie(&exchange.headers, &self.domain, exchange.client.secure) {
            SessionCookie::Absent => return Ok(Shown::Nothing),
            SessionCookie::Several => {
                let detail = "several session cookies were sent; delete this site's cookies and log in again";
                let problem = Problem::bad_request(detail).because(Reason::SeveralCookies);
                return Ok(Shown::Refused(Box::new(problem)));
            }
            SessionCookie::One(cookie) => Carrier::new(CarriedBy::Cookie, cookie),
        };
        let session = self.sessions.find(&self.domain, &cookie, exchange.occasion).await?;
        if let Some(session) = session.filter(|session| session.domain == self.domain.as_str()) {
            return Ok(Shown::User(Box::new(session), Some(cookie)));
        }
        let cleared = self.domain.clear_cookie(exchange.client.secure);
        exchange.dead_cookie = Some(cleared.map_err(|error| FilterError::Internal(error.to_string()))?);
        Ok(Shown::Nobody(Reason::SessionEnded))
    }

    async fn holds(&self, session: &AuthenticatedSession, _: &Exchange) -> Result<bool, FilterError> {
        if session.carrier().is_none() { Ok(true) } else { self.sessions.is_alive(session).await }
    }

    fn strip(&self, exchange: &mut Exchange) {
        let headers = &mut exchange.headers;
        match foreign_cookies(headers) {
            Some(cookies) => headers.insert(header::COOKIE, cookies),
            None => headers.remove(header::COOKIE),
        };
    }
}

/// What the browser's cookie says of a login that it began and that is under way elsewhere: one cookie, whose value nobody
/// has looked at yet. It is the secret behind [`SessionDomain::set_login_cookie`].
#[derive(Debug, Clone)]
pub struct LoginUnderWay(pub Carrier);
