//! The realm `forward`: an authentication service that is there already says who is calling (`gateway.md` 3.1). It is shown
//! what the configuration lists, and whom it names it says in headers of its answer: never the client.

mod answer;
mod attempts;
mod question;
mod shown_users;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, StatusCode};
use sidegate_filters::clock::{Clock, Millis};
use sidegate_filters::identity::Session;
use sidegate_filters::identity_creation::{AuthenticationService, Judgement};
use sidegate_filters::recent::Recent;
use sidegate_filters::{Client, Exchange, FilterError};

use super::remote::Remote;
use super::throttle::{Lane, Ticket};
use crate::seats::Seats;
use crate::store::SourceNetwork;
use crate::telemetry::audit::Event;
use attempts::Attempts;
pub use attempts::Memory;
use question::{Question, Whole};
pub use shown_users::ShownUsers;

/// Answers that are remembered.
const REMEMBERED: usize = 20_000;

/// How a service is asked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The realm's name, as SecTokens show it.
    pub realm: String,
    /// The domain whose routes ask it.
    pub domain: String,
    /// The upstream that it is, for the log.
    pub upstream: String,
    /// The authentication level.
    pub level: u8,
    /// What it is shown and what it says.
    pub terms: Terms,
}

/// What a service is shown and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The client's headers that it is shown; a request without any of them is not asked about.
    pub headers: Vec<HeaderName>,
    /// How much of the body it is shown, in bytes; `None`: nothing.
    pub body: Option<usize>,
    /// The header of its answer with the user.
    pub user: HeaderName,
    /// That with the login name; `None`: the same.
    pub name: Option<HeaderName>,
    /// That with the roles, with commas between them; `None`: no roles.
    pub roles: Option<HeaderName>,
    /// That with what names the session over there; `None`: a user has one.
    pub session: Option<HeaderName>,
    /// How long an answer that names a user is good for the same question; `None`: it is asked each time.
    pub cache: Option<Duration>,
}

/// The realm.
pub struct ForwardRealm {
    settings: Settings,
    remote: Remote,
    seats: Arc<Seats>,
    attempts: Attempts,
    known: Mutex<Recent<Whole, (Session, Millis)>>,
    /// Of whom the audit has that they came with these credentials.
    told: Mutex<Recent<([u8; 32], String), ()>>,
    clock: Arc<dyn Clock>,
}

/// What a service says.
enum Said {
    User(Session),
    /// 401.
    Refused,
    /// 403.
    Forbidden,
    /// Nobody, for another reason.
    Nobody,
}

impl ForwardRealm {
    /// A realm that asks `remote`, as often at once as there are seats; what is refused slows by what is remembered.
    #[must_use]
    pub fn new(settings: Settings, remote: Remote, seats: Arc<Seats>, memory: Memory, clock: Arc<dyn Clock>) -> Self {
        let (known, told) = (Mutex::new(Recent::new(REMEMBERED)), Mutex::new(Recent::new(REMEMBERED)));
        let attempts = Attempts::new(settings.realm.clone(), memory);
        Self { settings, remote, seats, attempts, known, told, clock }
    }

    fn remembered(&self, question: &Question) -> Option<Session> {
        let now = self.clock.now();
        let (session, until) = self.known().get(&question.whole)?;
        let age = self.settings.terms.cache?;
        // An answer from after now was given before the clock was set back.
        (now < until && until <= now.after(age)).then_some(session)
    }

    /// A reserved place is none of the network's share of the seats, which strangers may have taken: of these places it has no
    /// more than its share anyhow.
    async fn judge(&self, question: &Question, client: &Client, lane: Option<Lane>) -> Result<Said, FilterError> {
        let counts = !client.internal && lane != Some(Lane::Reserved);
        let network = counts.then(|| SourceNetwork::of(client.address));
        let _seat = self.seats.take(network).map_err(|reason| self.failed(&reason.name()))?;
        let asked = self.remote.ask(question.headers.clone(), question.body.clone()).await;
        let (status, answer) = asked.map_err(|error| self.failed(&error))?;
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(self.failed(&format!("it answered with HTTP status {status}")));
        }
        match status {
            StatusCode::UNAUTHORIZED => return Ok(Said::Refused),
            StatusCode::FORBIDDEN => return Ok(Said::Forbidden),
            _ if !status.is_success() => return Ok(Said::Nobody),
            _ => {}
        }
        let session = answer::session(&self.settings, &answer);
        if session.is_none() {
            let Settings { realm, upstream, .. } = &self.settings;
            tracing::warn!(
                realm,
                upstream,
                "an authentication service let a request pass and named no user: nobody is let in"
            );
        }
        Ok(session.map_or(Said::Nobody, Said::User))
    }

    fn known(&self) -> MutexGuard<'_, Recent<Whole, (Session, Millis)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same credentials of the same user are told once, as a token is, however often the service is asked.
    fn tell(&self, credentials: [u8; 32], session: &Session) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = (credentials, session.sid.clone());
        if told.get(&shown).is_none() {
            told.insert(shown, ());
            Event::Login { realm: session.realm(), user: &session.ext_id }.record();
        }
    }

    fn failed(&self, reason: &dyn std::fmt::Display) -> FilterError {
        let (Settings { realm, upstream, .. }, at) = (&self.settings, self.remote.shown());
        tracing::warn!(realm, upstream, at, %reason, "an authentication service did not say who is calling");
        FilterError::unavailable(format!("realm {realm}: the authentication service at the upstream {upstream}"))
    }
}

#[async_trait]
impl AuthenticationService for ForwardRealm {
    fn name(&self) -> String {
        format!("forward {}", self.settings.realm)
    }

    fn headers(&self) -> &[HeaderName] {
        &self.settings.terms.headers
    }

    fn body_limit(&self) -> Option<usize> {
        self.settings.terms.body
    }

    async fn ask(&self, exchange: &Exchange, body: Option<Bytes>) -> Result<Judgement, FilterError> {
        let (question, client) = (Question::of(exchange, &self.settings.terms.headers, body), &exchange.client);
        if let Some(session) = self.remembered(&question) {
            return Ok(Judgement::User(Box::new(session)));
        }
        let ticket = match self.attempts.admit(&question, client) {
            Ok(ticket) => ticket,
            Err(wait) => return Ok(Judgement::Slowed(wait)),
        };
        let said = self.judge(&question, client, ticket.as_ref().map(Ticket::lane)).await;
        self.attempts.settle(&question, ticket, &said, client);
        let Said::User(session) = said? else { return Ok(Judgement::Nobody) };
        self.tell(question.credentials, &session);
        if let Some(age) = self.settings.terms.cache {
            self.known().insert(question.whole, (session.clone(), self.clock.now().after(age)));
        }
        Ok(Judgement::User(Box::new(session)))
    }
}
