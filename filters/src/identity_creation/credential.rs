//! What users show to be known. A route asks the credentials that it accepts in their order, each in the same way; the
//! first one that is there decides.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::{
    AuthenticationService, Bearer, Certificates, Challenge, Judgement, SessionCookie, SessionDomain, Sessions, Tokens,
    foreign_cookies, login_cookie, session_cookie, shows_bearer, shows_session_token,
};
use crate::body::BodySource;
use crate::delegation::RemovedHeaders;
use crate::exchange::Exchange;
use crate::filter::FilterError;
use crate::identity::{AuthenticatedSession, CarriedBy, Carrier, Session};
use crate::reason::Reason;
use crate::reply::Problem;
use crate::sender::Sender;

/// The scheme of sessions and tokens.
pub(super) const BEARER: &str = "Bearer";

/// What a request shows of one kind of credential.
#[derive(Debug)]
pub enum Shown {
    /// Nothing of the kind: the next kind is asked.
    Nothing,
    /// Something that names no user here: the next kind is asked too, and if nothing names one, this is the reason.
    Nobody(Reason),
    /// A user. The carrier is there where a session is kept behind it; without one the session is of this request alone.
    User(Box<Session>, Option<Carrier>),
    /// Something that must not be taken for nothing: no other kind is asked.
    Refused(Box<Problem>),
}

/// One kind of credential.
#[async_trait]
pub trait Credential: Send + Sync {
    /// For `sidegate explain`: `cookie`, or the kind with its realm.
    fn name(&self) -> String;

    /// The scheme of a challenge that asks for it. There is no registered one for what does not stand in `Authorization`.
    fn scheme(&self) -> &'static str {
        BEARER
    }

    /// Which of the headers that were meant for us hold it; `None` where it is no session cookie and no bearer.
    fn carried_by(&self) -> Option<CarriedBy> {
        None
    }

    /// Looks for it in a request, once: a look may be told in the audit, and cost a request elsewhere. What it has to know
    /// of the body it reads, where the head shows anything of the kind.
    ///
    /// # Errors
    /// When it can't be judged: the request is refused.
    async fn find(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Result<Shown, FilterError>;

    /// Whether a session that this credential, or another of its row, was shown for is still alive: no where this one keeps
    /// it and it has ended. One that is of its request alone is kept nowhere; what it was shown with is in `asked`, the
    /// request as it came, and counts again where that costs nobody anything.
    ///
    /// # Errors
    /// When that can't be told.
    async fn holds(&self, _session: &AuthenticatedSession, _asked: &Exchange) -> Result<bool, FilterError> {
        Ok(true)
    }

    /// What its users would have to show for this level, in the words of whoever authenticates them (`acr`, RFC 9470 3);
    /// `None`: it does not reach the level, or knows no words of its own.
    fn acr_values(&self, _level: u8) -> Option<Vec<String>> {
        None
    }

    /// Takes it out of what goes on to the destination (`gateway.md` 2.3), whoever the caller is.
    fn strip(&self, _exchange: &mut Exchange) {}
}

/// The cookie of a session that is kept here.
pub struct CookieSession {
    domain: SessionDomain,
    sessions: Arc<dyn Sessions>,
}

/// What the browser's cookie says of a login that it began and that is under way elsewhere: one cookie, whose value nobody
/// has looked at yet. It is the secret behind [`SessionDomain::set_login_cookie`].
#[derive(Debug, Clone)]
pub struct LoginUnderWay(pub Carrier);

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

/// A bearer token that somebody else issued (RFC 6750). Where a route accepts it, every bearer is one: a bad one is
/// refused and never taken for nobody.
pub struct BearerToken {
    domain: SessionDomain,
    tokens: Arc<dyn Tokens>,
}

impl BearerToken {
    /// Tokens that `tokens` verifies, for routes of this domain.
    #[must_use]
    pub fn new(domain: SessionDomain, tokens: Arc<dyn Tokens>) -> Self {
        Self { domain, tokens }
    }

    fn refused(&self, detail: &str) -> Shown {
        let problem = Problem::unauthorized(detail, Challenge::OtherToken(&self.domain).value());
        Shown::Refused(Box::new(problem.because(Reason::Token)))
    }
}

#[async_trait]
impl Credential for BearerToken {
    fn name(&self) -> String {
        self.tokens.name()
    }

    fn carried_by(&self) -> Option<CarriedBy> {
        Some(CarriedBy::Token)
    }

    async fn find(&self, exchange: &mut Exchange, _: &mut dyn BodySource) -> Result<Shown, FilterError> {
        let token = match Bearer::of(&exchange.headers) {
            Bearer::Absent => return Ok(Shown::Nothing),
            Bearer::Malformed => return Ok(self.refused("Authorization must be one field with one bearer token")),
            Bearer::Token(token) => token,
        };
        Ok(match self.tokens.verify(&token, &exchange.client).await? {
            Ok(session) => Shown::User(Box::new(session), None),
            Err(bad) => self.refused(&bad.to_string()),
        })
    }

    /// A token ends by its `exp`, or with its key.
    async fn holds(&self, session: &AuthenticatedSession, asked: &Exchange) -> Result<bool, FilterError> {
        if session.carrier().is_some() || session.realm() != self.tokens.realm() {
            return Ok(true);
        }
        let Bearer::Token(token) = Bearer::of(&asked.headers) else { return Ok(false) };
        Ok(self.tokens.verify(&token, &asked.client).await?.is_ok_and(|now| now.sid == session.sid))
    }

    fn acr_values(&self, level: u8) -> Option<Vec<String>> {
        self.tokens.acr_values(level)
    }

    fn strip(&self, exchange: &mut Exchange) {
        if shows_bearer(&exchange.headers) {
            exchange.headers.remove(header::AUTHORIZATION);
        }
    }
}

/// The certificate that the client showed when it connected. One that names nobody here is no credential, nor is one that
/// another site's page made the browser show: what else is shown decides.
pub struct ClientCertificate(Arc<dyn Certificates>);

impl ClientCertificate {
    /// Certificates whose users `certificates` knows.
    #[must_use]
    pub fn new(certificates: Arc<dyn Certificates>) -> Self {
        Self(certificates)
    }
}

#[async_trait]
impl Credential for ClientCertificate {
    fn name(&self) -> String {
        self.0.name()
    }

    fn scheme(&self) -> &'static str {
        "ClientCertificate"
    }

    async fn find(&self, exchange: &mut Exchange, _: &mut dyn BodySource) -> Result<Shown, FilterError> {
        let Some(digest) = &exchange.client.certificate else { return Ok(Shown::Nothing) };
        if is_of_another_site(exchange) {
            return Ok(Shown::Nobody(Reason::OtherSite));
        }
        let Some(names) = &exchange.client.names else { return Ok(Shown::Nobody(Reason::Certificate)) };
        let found = self.0.find(digest, names, exchange.client.connection).await?;
        Ok(found.map_or(Shown::Nobody(Reason::Certificate), |session| Shown::User(Box::new(session), None)))
    }
}

/// Whether another site's page had a browser send the request, which shows a certificate by itself: it counts where a
/// cookie with `SameSite=Lax` would be sent, and nowhere else: not in a frame. Programs have no such header, and pages can't
/// set it.
fn is_of_another_site(exchange: &Exchange) -> bool {
    let says = |name: &str, what: &str| exchange.headers.get_all(name).iter().any(|field| field == what);
    let visit = matches!(exchange.method, Method::GET | Method::HEAD)
        && says("sec-fetch-mode", "navigate")
        && says("sec-fetch-dest", "document");
    Sender::of(&exchange.headers, &exchange.client.origin) == Sender::OtherSite && !visit
}

/// Whatever an authentication service knows its users by.
pub struct Forwarded {
    service: Arc<dyn AuthenticationService>,
    /// What it is shown.
    judged: RemovedHeaders,
}

impl Forwarded {
    /// Credentials that `service` judges.
    #[must_use]
    pub fn new(service: Arc<dyn AuthenticationService>) -> Self {
        let judged = service.headers().iter().collect();
        Self { service, judged }
    }

    /// A cookie or a session token of ours is nothing for it to judge.
    fn is_shown(&self, headers: &HeaderMap) -> bool {
        let is_there = |name: &HeaderName| match *name {
            header::COOKIE => foreign_cookies(headers).is_some(),
            header::AUTHORIZATION if shows_session_token(headers) => false,
            _ => headers.contains_key(name),
        };
        self.service.headers().iter().any(is_there)
    }
}

#[async_trait]
impl Credential for Forwarded {
    fn name(&self) -> String {
        self.service.name()
    }

    fn scheme(&self) -> &'static str {
        "Forward"
    }

    async fn find(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Result<Shown, FilterError> {
        if !self.is_shown(&exchange.headers) {
            return Ok(Shown::Nothing);
        }
        let body = match self.service.body_limit() {
            None => None,
            Some(limit) => match exchange.read_body(body, limit).await {
                Ok(body) => Some(body),
                Err(problem) => return Ok(Shown::Refused(Box::new(problem))),
            },
        };
        Ok(match self.service.ask(exchange, body).await? {
            Judgement::User(session) => Shown::User(session, None),
            Judgement::Nobody => Shown::Nobody(Reason::Service),
            Judgement::Slowed(wait) => {
                let detail = "too many attempts failed or are under way; wait before the next one";
                Shown::Refused(Box::new(Problem::too_many(detail, wait)))
            }
        })
    }

    /// In each spelling that a server may fold into what was judged, since the service saw one of them alone; and where a
    /// filter before took it over for the upstream. Cookies stay: which of them are the service's, and which the
    /// application's, nobody can tell.
    fn strip(&self, exchange: &mut Exchange) {
        let Exchange { headers, upstream_headers, .. } = exchange;
        let is_judged = |name: &HeaderName| *name != header::COOKIE && self.judged.covers(name.as_str());
        let names: Vec<HeaderName> = headers.keys().filter(|name| is_judged(name)).cloned().collect();
        let said: Vec<HeaderValue> = names.iter().flat_map(|name| headers.get_all(name)).cloned().collect();
        upstream_headers.retain(|(name, value)| !(is_judged(name) && said.contains(value)));
        for name in names {
            headers.remove(name);
        }
    }
}
