//! `/auth/logout`: GET asks, POST ends the session and clears the cookies (`http-api.md` 7).

use std::sync::Arc;

use async_trait::async_trait;
use http::header::InvalidHeaderValue;
use http::{HeaderValue, StatusCode, header};
use sidegate_filters::identity_creation::{LoginUnderWay, accepts_html};
use sidegate_filters::{Exchange, Reply};

use super::answers::json;
use super::auth_answer::{cross_site, see_other, session};
use super::problems::{internal, store};
use crate::identity::{DomainSessions, LoginPages};
use crate::routes::{Endpoint, Media, Medium};

/// GET: a page with the button. It changes nothing, so a link or an image can't log anybody out.
pub struct LogoutPageEndpoint(Arc<LoginPages>);

impl LogoutPageEndpoint {
    /// Shows pages of `pages`.
    #[must_use]
    pub fn new(pages: Arc<LoginPages>) -> Self {
        Self(pages)
    }
}

#[async_trait]
impl Endpoint for LogoutPageEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[Medium::Html] }
    }

    async fn answer(&self, _exchange: Exchange) -> Reply {
        Reply::Response(self.0.log_out())
    }
}

/// POST: the end of the session.
pub struct LogoutEndpoint {
    sessions: Arc<DomainSessions>,
    pages: Arc<LoginPages>,
}

impl LogoutEndpoint {
    /// Ends sessions of `sessions`.
    #[must_use]
    pub fn new(sessions: Arc<DomainSessions>, pages: Arc<LoginPages>) -> Self {
        Self { sessions, pages }
    }
}

impl LogoutEndpoint {
    /// The cookies that the browser is to forget: that of a login that a phone may still approve, too.
    fn forgotten(&self, exchange: &Exchange) -> Result<Vec<HeaderValue>, InvalidHeaderValue> {
        let (sessions, secure) = (&self.sessions, exchange.client.secure);
        let begun = exchange.proofs.get::<LoginUnderWay>().map(|_| sessions.domain().clear_login_cookie(secure));
        std::iter::once(sessions.clearing_cookie(secure)).chain(begun).collect()
    }
}

#[async_trait]
impl Endpoint for LogoutEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[Medium::Json, Medium::Html] }
    }

    /// Without a session there is nothing to end; the cookie is cleared all the same.
    async fn answer(&self, exchange: Exchange) -> Reply {
        let html = accepts_html(&exchange.headers);
        if let Some(refused) = cross_site(&exchange, &self.pages, html) {
            return refused;
        }
        if let Some(session) = session(&exchange)
            && let Err(error) = self.sessions.logout(session).await
        {
            // The cookie stays with the client, who can try again: the session may be alive.
            return store(&error).into();
        }
        let response = match self.pages.row("/login") {
            login if html => see_other(&login),
            _ => Ok(json(StatusCode::OK, &serde_json::json!({"status": "succeeded"}))),
        };
        match (response, self.forgotten(&exchange)) {
            (Ok(mut response), Ok(cookies)) => {
                let cookies = cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie));
                response.headers_mut().extend(cookies);
                Reply::Response(response)
            }
            (Err(error), _) => internal(&error).into(),
            (_, Err(error)) => internal(&error).into(),
        }
    }
}

#[cfg(test)]
mod tests;
