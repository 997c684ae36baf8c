//! The realm `forward`: an authentication service that is there already says who is calling (`gateway.md` 3.1). It is shown
//! what the configuration lists, and whom it names it says in headers of its answer: never the client.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use sidegate_filters::clock::{Clock, Millis};
use sidegate_filters::identity::{Login, Session};
use sidegate_filters::identity_creation::{AuthenticationService, Judgement, foreign_cookies, shows_session_token};
use sidegate_filters::jws::base64url;
use sidegate_filters::recent::Recent;
use sidegate_filters::{Client, Exchange, FilterError};

use super::remote::Remote;
use super::throttle::{Lane, Throttle, Ticket};
use crate::jose::sha256;
use crate::seats::Seats;
use crate::store::SourceNetwork;
use crate::store::users::are_roles;
use crate::telemetry::audit::Event;

/// Answers that are remembered.
const REMEMBERED: usize = 20_000;
/// The longest text that names a user, in bytes.
const LONGEST: usize = 256;

/// How a service is asked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The realm's name, as SecTokens show it.
    pub realm: String,
    /// The domain whose routes ask it.
    pub domain: String,
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
    throttle: Arc<Throttle>,
    known: Mutex<Recent<[u8; 32], (Session, Millis)>>,
    /// Of whom the audit has that they came with these credentials.
    told: Mutex<Recent<([u8; 32], String), ()>>,
    clock: Arc<dyn Clock>,
}

/// What the service is asked.
struct Question {
    headers: HeaderMap,
    body: Option<Bytes>,
    /// Of what the client showed of itself.
    credentials: [u8; 32],
    /// Of all that may be judged, whatever of it is the secret: what was good with one query, body or cookie is a guess with
    /// another one. The path is what is asked for. `None` where cookies alone were shown: who is no user has some too.
    attempt: Option<[u8; 32]>,
    /// Of all that is sent.
    whole: [u8; 32],
}

/// What a service says.
enum Verdict {
    User(Session),
    Refused,
    /// Nobody, for another reason.
    Nobody,
}

impl ForwardRealm {
    /// A realm that asks `remote`, as often at once as there are seats; what is refused slows by `throttle`.
    #[must_use]
    pub fn new(
        settings: Settings,
        remote: Remote,
        seats: Arc<Seats>,
        throttle: Arc<Throttle>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (known, told) = (Mutex::new(Recent::new(REMEMBERED)), Mutex::new(Recent::new(REMEMBERED)));
        Self { settings, remote, seats, throttle, known, told, clock }
    }

    fn question(&self, exchange: &Exchange, body: Option<Bytes>) -> Question {
        let mut headers = HeaderMap::new();
        for name in &self.settings.terms.headers {
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
        let content = body.as_deref().unwrap_or_default();
        let asked = exchange.query.as_deref().unwrap_or_default().as_bytes();
        let credentials = digest(&headers, &[]);
        let counts = headers.keys().any(|name| *name != header::COOKIE);
        let attempt = counts.then(|| digest(&headers, &[asked, content]));
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
        let whole = digest(&headers, &[content]);
        Question { headers, body, credentials, attempt, whole }
    }

    fn remembered(&self, question: &Question) -> Option<Session> {
        let now = self.clock.now();
        let (session, until) = self.known().get(&question.whole)?;
        let age = self.settings.terms.cache?;
        // An answer from after now was given before the clock was set back.
        (now < until && until <= now.after(age)).then_some(session)
    }

    /// Lets the question be asked. What is shown stands for its user, whose name only the service knows: what was good
    /// from there lately is not held up by what others there guess. Internal callers vouch for their clients, which have no
    /// network of their own.
    fn admit(&self, question: &Question, client: &Client) -> Result<Option<Ticket>, Duration> {
        let Some(attempt) = question.attempt.filter(|_| !client.internal) else { return Ok(None) };
        let name = format!("{} {}", self.settings.realm, base64url::encode(attempt));
        let admitted = self.throttle.admit(Some(&name), SourceNetwork::of(client.address));
        admitted.map(Some).inspect_err(|_| self.audit(client, "too-many-attempts"))
    }

    /// A reserved place is none of the network's share of the seats, which strangers may have taken: of these places it has no
    /// more than its share anyhow.
    async fn judge(&self, question: &Question, client: &Client, lane: Option<Lane>) -> Result<Verdict, FilterError> {
        let counts = !client.internal && lane != Some(Lane::Reserved);
        let network = counts.then(|| SourceNetwork::of(client.address));
        let _seat = self.seats.take(network).map_err(|reason| self.failed(&reason.name()))?;
        let asked = self.remote.ask(question.headers.clone(), question.body.clone()).await;
        let (status, answer) = asked.map_err(|error| self.failed(&error))?;
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(self.failed(&format!("it answered with HTTP status {status}")));
        }
        if !status.is_success() {
            let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
            return Ok(if refused { Verdict::Refused } else { Verdict::Nobody });
        }
        let session = self.session(&answer);
        if session.is_none() {
            let realm = self.settings.realm.as_str();
            tracing::warn!(realm, "an authentication service let a request pass and named no user: nobody is let in");
        }
        Ok(session.map_or(Verdict::Nobody, Verdict::User))
    }

    /// What counts as an attempt that failed, and what as one that did not; a client that hangs up before has used it.
    fn settle(&self, ticket: Ticket, verdict: &Result<Verdict, FilterError>, client: &Client) {
        match verdict {
            Ok(Verdict::User(_)) => ticket.succeeded(),
            Ok(Verdict::Refused) => {
                drop(ticket);
                self.audit(client, "authentication-service");
            }
            Ok(Verdict::Nobody) | Err(_) => ticket.unused(),
        }
    }

    fn audit(&self, client: &Client, reason: &'static str) {
        let (realm, address) = (self.settings.realm.as_str(), client.address);
        Event::LoginFailed { realm, user: None, address, reason }.record();
    }

    /// Whom an answer names. One that names nobody in a way that can be read denies.
    fn session(&self, answer: &HeaderMap) -> Option<Session> {
        let Settings { realm, domain, level, terms } = &self.settings;
        let user = text(answer, &terms.user)?;
        let name = terms.name.as_ref().map_or_else(|| Some(user.clone()), |name| text(answer, name))?;
        let roles = terms.roles.as_ref().map_or_else(|| Some(Vec::new()), |name| roles(answer, name))?;
        // Of what the service says alone: a client could make itself as many sessions as it likes with what it shows.
        let own = terms.session.as_ref().map_or_else(|| Some(String::new()), |name| text(answer, name))?;
        let sid = sha256(&[b"sid of a service", realm.as_bytes(), user.as_bytes(), own.as_bytes()].join(&0));
        Some(Session {
            sid: base64url::encode(sid.get(..16).unwrap_or(&sid)),
            domain: domain.clone(),
            ext_id: user,
            name,
            // It does not say when its user was last there.
            logins: Login { realm: realm.clone(), level: *level, at: Millis(0) }.into(),
            roles,
            generation: 0,
        })
    }

    fn known(&self) -> MutexGuard<'_, Recent<[u8; 32], (Session, Millis)>> {
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
        tracing::warn!(realm = self.settings.realm, %reason, "an authentication service did not say who is calling");
        FilterError::Unavailable("an authentication service")
    }
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

/// The only value of a header, if it is plain text.
fn text(answer: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = answer.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let value = std::str::from_utf8(value.as_bytes()).ok()?;
    let plain =
        !value.is_empty() && value.len() <= LONGEST && value.trim() == value && !value.contains(char::is_control);
    plain.then(|| value.to_owned())
}

/// Texts with commas between them, in any number of fields; none where there is no field.
fn roles(answer: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let mut roles = Vec::new();
    for value in answer.get_all(name) {
        let value = std::str::from_utf8(value.as_bytes()).ok().filter(|value| !value.contains(char::is_control))?;
        roles.extend(value.split(',').map(str::trim).filter(|role| !role.is_empty()).map(str::to_owned));
    }
    are_roles(&roles).then_some(roles)
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
        let (question, client) = (self.question(exchange, body), &exchange.client);
        if let Some(session) = self.remembered(&question) {
            return Ok(Judgement::User(Box::new(session)));
        }
        let ticket = match self.admit(&question, client) {
            Ok(ticket) => ticket,
            Err(wait) => return Ok(Judgement::Slowed(wait)),
        };
        let verdict = self.judge(&question, client, ticket.as_ref().map(Ticket::lane)).await;
        if let Some(ticket) = ticket {
            self.settle(ticket, &verdict, client);
        }
        let Verdict::User(session) = verdict? else { return Ok(Judgement::Nobody) };
        self.tell(question.credentials, &session);
        if let Some(age) = self.settings.terms.cache {
            self.known().insert(question.whole, (session.clone(), self.clock.now().after(age)));
        }
        Ok(Judgement::User(Box::new(session)))
    }
}
