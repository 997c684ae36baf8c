//! The realm `oob`: a browser asks, the phone approves (`gateway.md` 3.1). Until then all there is of the login is an
//! operation, and a cookie that shows which browser asked: only that one is logged in, and once.

mod asked;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use sidegate_filters::clock::Clock;
use sidegate_filters::{AuthenticatedSession, SessionDomain};

use super::seal::Seal;
use super::sessions::{DomainSessions, LoggedIn, LoginAttempt, LoginError, Realm};
use super::throttle::{Throttle, Ticket};
use crate::jose::MacKey;
use crate::store::operation::{Era, Event, Operation, Refused, Stage};
use crate::store::{ExtId, OperationId, Operations, SourceNetwork, StoreError, TransitionError, User, Users};
use crate::telemetry::audit;
pub use asked::Asked;

/// How the realm is set up.
pub struct Settings {
    /// What a login gives.
    pub realm: Realm,
    /// How tokens reach the phone.
    pub dispatcher: String,
    /// What seals the browsers' cookies, used for nothing else.
    pub key: MacKey,
    /// How long a login may be under way, from its token until its end is forgotten.
    pub lifetime: Duration,
}

/// The realm.
pub struct OobRealm {
    realm: Realm,
    dispatcher: String,
    seal: Seal,
    sessions: Arc<DomainSessions>,
    users: Arc<dyn Users>,
    operations: Arc<dyn Operations>,
    throttle: Arc<Throttle>,
    clock: Arc<dyn Clock>,
}

/// The browser that asks how its login stands.
#[derive(Debug, Clone, Copy)]
pub struct Browser<'a> {
    /// As in [`DomainSessions::login`].
    pub presented: Option<&'a AuthenticatedSession>,
    /// Whether it came over TLS.
    pub secure: bool,
    /// Its address.
    pub address: IpAddr,
}

/// How a login stands.
#[derive(Debug)]
pub enum Standing {
    /// Nobody opened the link yet.
    Asked,
    /// Somebody did, and has not answered.
    Opened,
    /// The browser is logged in, just now.
    LoggedIn(Box<LoggedIn>),
    /// It came to nothing.
    Failed(NotApproved),
    /// Its end was told before, to this browser too.
    Told,
    /// It is not known, or not any more.
    Unknown,
}

/// Why a login came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotApproved {
    /// The user, or the device, said no.
    Denied,
    /// The answer was no good.
    Refused,
    /// There was no answer in time.
    TimedOut,
    /// It was approved, but meanwhile all sessions of the user were ended, the password is another, or the user is gone.
    Void,
}

impl OobRealm {
    /// The realm whose logins become sessions in `sessions`; `throttle` is that of all rows that ask for UAF answers.
    #[must_use]
    pub fn new(
        settings: Settings,
        sessions: Arc<DomainSessions>,
        users: Arc<dyn Users>,
        operations: Arc<dyn Operations>,
        throttle: Arc<Throttle>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let Settings { realm, dispatcher, key, lifetime } = settings;
        let seal = Seal::new(key, "browser-login", &[sessions.domain().as_str(), &realm.name], lifetime);
        Self { realm, dispatcher, seal, sessions, users, operations, throttle, clock }
    }

    /// The session domain that it logs in to.
    #[must_use]
    pub fn domain(&self) -> &SessionDomain {
        self.sessions.domain()
    }

    /// How tokens reach the phone.
    #[must_use]
    pub fn dispatcher(&self) -> &str {
        &self.dispatcher
    }

    /// Lets somebody ask for a login of the user of this name.
    ///
    /// # Errors
    /// How long to wait.
    pub fn admit(&self, name: &str, address: IpAddr) -> Result<Ticket, Duration> {
        self.throttle
            .admit(Some(name), SourceNetwork::of(address))
            .inspect_err(|_| self.audit(None, address, "too-many-attempts"))
    }

    /// What the operation of a login keeps of its user: to be taken when it is asked for.
    ///
    /// # Errors
    /// When a store can't be asked.
    pub async fn era(&self, user: &ExtId) -> Result<Era, StoreError> {
        self.sessions.eras().of(user).await
    }

    /// `Set-Cookie` for the browser that asked and was given this token.
    ///
    /// # Errors
    /// When none can be made.
    pub fn cookie(&self, asked: &Asked, secure: bool) -> Result<HeaderValue, LoginError> {
        let sealed = asked.seal(&self.seal, self.clock.now())?;
        Ok(self.domain().set_login_cookie(secure, &sealed, self.seal.lifetime())?)
    }

    /// `Set-Cookie` that makes the browser forget it.
    ///
    /// # Errors
    /// Never for a domain that was parsed.
    pub fn clearing_cookie(&self, secure: bool) -> Result<HeaderValue, LoginError> {
        Ok(self.domain().clear_login_cookie(secure)?)
    }

    /// What the browser asked for, out of its cookie; nothing where that is not one of this realm, or too old.
    #[must_use]
    pub fn open(&self, cookie: &str) -> Option<Asked> {
        Asked::open(&self.seal, cookie, self.clock.now())
    }

    /// How the login of this operation stands, and once, if it was approved, logs the browser in. The browser showed the
    /// cookie of the operation.
    ///
    /// # Errors
    /// When a store can't be asked: the next look may find it. When no session could be made: the approval is used up.
    pub async fn look(&self, id: OperationId, browser: Browser<'_>) -> Result<Standing, LoginError> {
        let Some(operation) = self.operations.get(id).await? else { return Ok(Standing::Unknown) };
        let era = match operation.collectable(self.clock.now()) {
            Ok(era) => era,
            Err(refused) => return Ok(self.without_end(&operation, refused)),
        };
        let user = match &operation.user {
            Some(ext_id) => self.users.by_ext_id(ext_id).await?,
            None => None,
        };
        let outcome = self.outcome(&operation, user.as_ref(), era).await?;
        match self.operations.transition(id, Event::Collect).await {
            Ok(_) => {}
            Err(TransitionError::Refused(refused)) => return Ok(self.without_end(&operation, refused)),
            Err(TransitionError::Store(error)) => return Err(error.into()),
        }
        let why = match outcome {
            Ok(attempt) => {
                let done = self.sessions.login(attempt, &self.realm, browser.presented, browser.secure).await?;
                return Ok(Standing::LoggedIn(Box::new(done)));
            }
            Err(why) => why,
        };
        audit::about(operation.id.in_log().as_deref());
        self.audit(user.as_ref().map(|user| user.ext_id.as_str()), browser.address, why.word());
        Ok(Standing::Failed(why))
    }

    fn without_end(&self, operation: &Operation, refused: Refused) -> Standing {
        match refused {
            Refused::UnderWay => {
                let stage = operation.status(self.clock.now()).map(|status| status.stage);
                if stage == Some(Stage::TokenCreated) { Standing::Asked } else { Standing::Opened }
            }
            Refused::Collected => Standing::Told,
            _ => Standing::Unknown,
        }
    }

    /// What the phone's answer proved, or why nothing.
    async fn outcome(
        &self,
        operation: &Operation,
        user: Option<&User>,
        era: Era,
    ) -> Result<Result<LoginAttempt, NotApproved>, StoreError> {
        let Some(keys) = operation.proven() else { return Ok(Err(self.why(operation))) };
        let Some(user) = user else { return Ok(Err(NotApproved::Void)) };
        let attempt = self.sessions.attempt(user).await?.proven_by(keys);
        Ok(if attempt.era() == era { Ok(attempt) } else { Err(NotApproved::Void) })
    }

    fn why(&self, operation: &Operation) -> NotApproved {
        let Some(status) = operation.status(self.clock.now()) else { return NotApproved::TimedOut };
        match status.uaf_status_code {
            // A token that timed out has no code.
            None | Some(1408) => NotApproved::TimedOut,
            // Nothing but a denial says why.
            Some(_) if status.asm_status_code.or(status.client_error_code).is_some() => NotApproved::Denied,
            Some(_) => NotApproved::Refused,
        }
    }

    fn audit(&self, user: Option<&str>, address: IpAddr, reason: &'static str) {
        audit::Event::LoginFailed { realm: &self.realm.name, user, address, reason }.record();
    }
}

impl NotApproved {
    /// The word for it in the audit.
    const fn word(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Refused => "not-approved",
            Self::TimedOut => "timed-out",
            Self::Void => "void",
        }
    }
}
