//! IdentityCreationFilter: whoever passes is authenticated by the rules of the route (`gateway.md` 3.1).
//!
//! The filter finds out who calls (an internal caller by its bearer, a user by one of the credentials that the route
//! accepts), compares that with what the route demands, and either attaches the identity or answers with a challenge.
//! Credentials that were meant for the gateway do not go on to the destination (`gateway.md` 2.3) unless the route
//! says so.

mod answers;
mod challenge;
mod cookie;
mod credential;
mod credentials;
mod demand;
mod passed_on;
mod plain;
mod return_target;
mod session_token;
mod set_cookie;
mod settings;
mod sources;

use std::sync::Arc;

use async_trait::async_trait;
use http::header;

pub use challenge::Challenge;
pub use cookie::{
    BadDomain, SessionCookie, SessionDomain, foreign_cookies, login_cookie, session_cookie, sets_session_cookie,
};
pub use credential::{BearerToken, ClientCertificate, CookieSession, Credential, Forwarded, LoginUnderWay, Shown};
pub use credentials::{accepts_html, shows_bearer};
pub use demand::{Demand, Shortfall};
pub use passed_on::PassedOn;
pub use plain::NoLoginPage;
pub use return_target::ReturnTarget;
pub use session_token::{SESSION_TOKEN_TYP, SessionToken, shows_session_token};
pub use settings::{Admission, Interception, InternalAccess, Settings};
pub use sources::{
    AuthenticationService, BadToken, Certificates, InternalCallers, Judgement, LoginPage, LoginPrompt, Sessions, Tokens,
};

use crate::audit::Event;
use crate::body::BodySource;
use crate::clock::Clock;
use crate::exchange::{Exchange, TurnedAway};
use crate::filter::{Filter, FilterError, Verdict};
use crate::identity::{AuthenticatedSession, Caller, CarriedBy, InternalCaller};
use crate::reason::Reason;
use crate::reply::{Problem, Reply};
use credentials::Bearer;

/// The filter `identity-creation`.
pub struct IdentityCreationFilter {
    settings: Settings,
    credentials: Vec<Arc<dyn Credential>>,
    internal_callers: Arc<dyn InternalCallers>,
    login_page: Arc<dyn LoginPage>,
    clock: Arc<dyn Clock>,
}

impl IdentityCreationFilter {
    /// The filter for one route, which takes users by these credentials, in this order.
    #[must_use]
    pub fn new(
        settings: Settings,
        credentials: Vec<Arc<dyn Credential>>,
        internal_callers: Arc<dyn InternalCallers>,
        login_page: Arc<dyn LoginPage>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { settings, credentials, internal_callers, login_page, clock }
    }

    /// An internal caller, asked for only on internal listeners: there every bearer is meant for us, and a bad one is
    /// refused rather than taken for nobody. Without a bearer a certificate may tell who it is.
    async fn internal(&self, exchange: &mut Exchange) -> Result<Option<Known>, Refusal> {
        if !exchange.client.internal {
            return Ok(None);
        }
        let bearer = Bearer::of(&exchange.headers);
        let shown = (bearer != Bearer::Absent).then_some(CarriedBy::Token);
        let found = match (bearer, &exchange.client.certificate) {
            (Bearer::Absent, None) => return Ok(None),
            (Bearer::Absent, Some(certificate)) => match self.internal_callers.of_certificate(certificate).await? {
                None => return Ok(None),
                Some(known) => Ok(known),
            },
            (Bearer::Malformed, _) => Err(BadToken("Authorization is not one field with one bearer")),
            (Bearer::Token(token), _) => self.internal_callers.find(&token, &exchange.client).await?,
        };
        let caller = found.map_err(|BadToken(reason)| {
            Event::InternalCallerRefused { address: exchange.client.address, reason }.record();
            Refusal::BadBearer
        })?;
        if self.settings.internal.admits(&caller) {
            return Ok(Some((Caller::Internal(InternalCaller::proven(caller)), shown)));
        }
        exchange.turned_away = Some(TurnedAway::Internal);
        Err(Refusal::Forbidden(caller.name))
    }

    /// Whether the bearer that proved an internal caller still does: a token ends. A certificate does for its connection.
    async fn is_still(&self, caller: &InternalCaller, asked: &Exchange) -> Result<bool, FilterError> {
        let Bearer::Token(bearer) = Bearer::of(&asked.headers) else { return Ok(true) };
        let found = self.internal_callers.find(&bearer, &asked.client).await?;
        let found = found.inspect_err(|BadToken(reason)| {
            Event::InternalCallerRefused { address: asked.client.address, reason }.record();
        });
        Ok(found.is_ok_and(|known| known.name == caller.name))
    }

    /// The user, and what was shown; or why there is none.
    async fn user(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Result<Found<'_>, Refusal> {
        let mut reason = Reason::NoCredential;
        for credential in &self.credentials {
            match credential.find(exchange, body).await? {
                Shown::Nothing => {}
                Shown::Nobody(why) => reason = why,
                Shown::User(session, carrier) => {
                    return Ok(Ok((AuthenticatedSession::granted(*session, carrier), credential.as_ref())));
                }
                Shown::Refused(problem) => return Err(Refusal::Credential(problem)),
            }
        }
        Ok(Err(reason))
    }

    /// What a client showed us stays here.
    fn strip_credentials(&self, exchange: &mut Exchange) {
        self.credentials.iter().for_each(|credential| credential.strip(exchange));
        if matches!(exchange.caller, Caller::Internal(_)) {
            exchange.headers.remove(header::AUTHORIZATION);
        }
    }

    async fn caller(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Result<Known, Refusal> {
        if let Some(caller) = self.internal(exchange).await? {
            return Ok(caller);
        }
        match &self.settings.admission {
            Admission::InternalOnly => Err(Refusal::NoBearer),
            Admission::Open => Ok(self.user(exchange, body).await?.map_or((Caller::Anonymous, None), known)),
            Admission::Session(demand) => {
                let (session, shown) = self.user(exchange, body).await?.map_err(Refusal::NoSession)?;
                let shortfall = match demand.check(&session, self.clock.now()) {
                    Ok(()) => return Ok(known((session, shown))),
                    Err(shortfall) => shortfall,
                };
                exchange.turned_away = Some(TurnedAway::User(session.ext_id.clone()));
                Err(match shortfall {
                    Shortfall::Role => Refusal::MissingRole,
                    Shortfall::Authentication(why) => {
                        Refusal::StepUp(Box::new(session), shown.acr_values(demand.level), why)
                    }
                })
            }
        }
    }
}

/// A user by what was shown, or why there is none.
type Found<'a> = Result<(AuthenticatedSession, &'a dyn Credential), Reason>;

/// Who is calling, and what in the headers told it.
type Known = (Caller, Option<CarriedBy>);

fn known((session, shown): (AuthenticatedSession, &dyn Credential)) -> Known {
    (Caller::User(session), shown.carried_by())
}

/// Why a request does not pass.
enum Refusal {
    BadBearer,
    NoBearer,
    Forbidden(String),
    Credential(Box<Problem>),
    NoSession(Reason),
    MissingRole,
    StepUp(Box<AuthenticatedSession>, Option<Vec<String>>, Reason),
    Undecided(FilterError),
}

impl From<FilterError> for Refusal {
    fn from(error: FilterError) -> Self {
        Self::Undecided(error)
    }
}

#[async_trait]
impl Filter for IdentityCreationFilter {
    fn name(&self) -> &'static str {
        "identity-creation"
    }

    fn settings(&self) -> String {
        let Settings { domain, admission, internal, interception, passed_on, .. } = &self.settings;
        let passed_on = match passed_on.words() {
            words if words.is_empty() => String::new(),
            words => format!("; passes on {}", words.join(", ")),
        };
        let credentials: Vec<String> = self.credentials.iter().map(|credential| credential.name()).collect();
        let admission = match admission {
            Admission::Open => "open, a session is recognised".to_owned(),
            // No cookie and no session token lets anybody pass.
            Admission::InternalOnly => return format!("internal callers only; {internal}{passed_on}"),
            Admission::Session(demand) => demand.to_string(),
        };
        let interception = match interception {
            Interception::Auto => "auto",
            Interception::Never => "never",
        };
        let (domain, credentials) = (domain.as_str(), credentials.join(", "));
        format!("domain {domain} by {credentials}; {admission}; {internal}; interception {interception}{passed_on}")
    }

    async fn request(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        match self.caller(exchange, body).await {
            Ok((caller, shown)) => {
                exchange.personal = caller != Caller::Anonymous;
                exchange.caller = caller;
                let place = (&self.settings.domain, exchange.client.secure);
                let passed_on = self.settings.passed_on.field(shown, &exchange.headers, place);
                self.strip_credentials(exchange);
                exchange.upstream_headers.extend(passed_on);
                Ok(Verdict::Pass)
            }
            Err(refusal) => self.refuse(exchange, refusal).map(Verdict::Answer),
        }
    }

    async fn holds(&self, caller: &Caller, asked: &Exchange) -> Result<bool, FilterError> {
        let session = match caller {
            Caller::Anonymous => return Ok(true),
            Caller::Internal(caller) => return self.is_still(caller, asked).await,
            Caller::User(session) => session,
        };
        for credential in &self.credentials {
            if !credential.holds(session, asked).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
