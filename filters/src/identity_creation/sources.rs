//! What the filter asks of the house it is mounted in: sessions, tokens of others, internal callers, a login page.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, Response};

use super::{Demand, ReturnTarget, SessionDomain};
use crate::exchange::{CertificateDigest, CertificateNames, Client, Exchange, Occasion};
use crate::filter::FilterError;
use crate::identity::{Carrier, KnownCaller, Session};

/// Where sessions are looked up, at each request: what was ended is not there any more.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// The living session behind what a client carries for it, if it belongs to `domain`. Whatever is wrong with that itself
    /// is `None`. That it was shown on arrival is a use of it, in a review it is none.
    ///
    /// # Errors
    /// [`FilterError::Unavailable`] when the store can't be asked: the request is refused.
    async fn find(
        &self,
        domain: &SessionDomain,
        carrier: &Carrier,
        occasion: Occasion,
    ) -> Result<Option<Session>, FilterError>;

    /// Whether a session that was found is still alive, at least at the level that it had. To ask is no use of it.
    ///
    /// # Errors
    /// [`FilterError::Unavailable`] when the store can't be asked.
    async fn is_alive(&self, session: &Session) -> Result<bool, FilterError>;
}

/// Why a bearer token is nobody's: for its sender, of whom nothing is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bearer token is not accepted: {0}")]
pub struct BadToken(pub &'static str);

/// Bearer tokens that somebody else issued.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// Whose they are, for `sidegate explain`: `jwt partners of https://idp.example.com`.
    fn name(&self) -> String;

    /// The realm of the sessions that they make.
    fn realm(&self) -> &str;

    /// The values of `acr` that tokens may have to reach this level, none where each token does; `None`: none reaches it.
    fn acr_values(&self, level: u8) -> Option<Vec<String>>;

    /// Whom a token names, as a session of the request that it came with; or why it names nobody.
    ///
    /// # Errors
    /// [`FilterError::Unavailable`] when it can't be judged, for want of the issuer's keys say.
    async fn verify(&self, token: &str, client: &Client) -> Result<Result<Session, BadToken>, FilterError>;
}

/// Client certificates that name users.
#[async_trait]
pub trait Certificates: Send + Sync {
    /// Whose they are, for `sidegate explain`: `mtls staff`.
    fn name(&self) -> String;

    /// Whom a certificate names, as a session of the request that it came with, on the connection of this number.
    ///
    /// # Errors
    /// [`FilterError::Unavailable`] when it can't be told.
    async fn find(
        &self,
        digest: &CertificateDigest,
        names: &CertificateNames,
        connection: u64,
    ) -> Result<Option<Session>, FilterError>;
}

/// What comes of asking an authentication service.
#[derive(Debug)]
pub enum Judgement {
    /// It names this user, as a session of the request.
    User(Box<Session>),
    /// It names nobody.
    Nobody,
    /// It was not asked, since too many attempts from there failed or are under way; how long to wait.
    Slowed(Duration),
}

/// An authentication service that is there already and knows the user by what the client shows.
#[async_trait]
pub trait AuthenticationService: Send + Sync {
    /// Which it is, for `sidegate explain`: `forward corporate`.
    fn name(&self) -> String;

    /// The headers that it is shown: a request without any of them shows nothing.
    fn headers(&self) -> &[HeaderName];

    /// How many bytes of the body it is shown, at most 65,536; `None`: nothing of it.
    fn body_limit(&self) -> Option<usize> {
        None
    }

    /// Whom it names. The body is there where it has a limit.
    ///
    /// # Errors
    /// [`FilterError::Unavailable`] when it does not say: the request is refused.
    async fn ask(&self, exchange: &Exchange, body: Option<Bytes>) -> Result<Judgement, FilterError>;
}

/// Who may call on internal listeners (`gateway.md` 2.4).
#[async_trait]
pub trait InternalCallers: Send + Sync {
    /// The caller that this bearer of `client` proves; or why it proves none.
    ///
    /// # Errors
    /// [`FilterError::Unavailable`] when it can't be told, for want of an issuer's keys say.
    async fn find(&self, bearer: &str, client: &Client) -> Result<Result<KnownCaller, BadToken>, FilterError>;

    /// The caller that this certificate proves; nobody where certificates prove nothing.
    ///
    /// # Errors
    /// [`FilterError::Unavailable`] when it can't be told.
    async fn of_certificate(&self, _digest: &CertificateDigest) -> Result<Option<KnownCaller>, FilterError> {
        Ok(None)
    }
}

/// Why a browser is shown the login page.
#[derive(Debug)]
pub struct LoginPrompt<'a> {
    /// The request that was intercepted.
    pub exchange: &'a Exchange,
    /// The domain to log in to.
    pub domain: &'a SessionDomain,
    /// What the route demands.
    pub demand: &'a Demand,
    /// The session that is there but does not suffice: a step-up.
    pub session: Option<&'a Session>,
    /// Where to go afterwards.
    pub target: ReturnTarget,
}

/// Renders the login page. The target travels inside it, authenticated and expiring; nothing is stored before login.
pub trait LoginPage: Send + Sync {
    /// The page, complete with its security headers; the filter sets status 401 and the challenge.
    ///
    /// # Errors
    /// When it can't be rendered.
    fn page(&self, prompt: &LoginPrompt<'_>) -> Result<Response<Bytes>, FilterError>;
}
