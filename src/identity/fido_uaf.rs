//! The realm `fido-uaf`: a UAF answer to a request that was made for a login (`http-api.md` 7, `gateway.md` 3.1). There is
//! no session before the answer is good: until then all there is of a login is its challenge.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sidegate_filters::AuthenticatedSession;
use zeroize::Zeroizing;

use super::sessions::{DomainSessions, LoggedIn, LoginAttempt, LoginError, Realm};
use super::throttle::Throttle;
use crate::fido::{AnswerAt, Answered, Arrival, Counted, Fido, FidoError, Received};
use crate::jose::CryptoError;
use crate::store::{SourceNetwork, StoreError, Users};
use crate::telemetry::audit::Event;

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
pub enum FidoLoginError {
    /// Too many answers from there were refused; this one was not looked at.
    #[error("too many attempts failed or are under way; wait before the next one")]
    TooMany(Duration),
    /// The answer is refused, or could not be judged.
    #[error(transparent)]
    Fido(#[from] FidoError),
    /// The answer was good, but no session came of it.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The answer proved another user than its keys are stored under: our own fault.
    #[error("a UAF answer proved another user than the owner of its key")]
    AnotherUser,
}

impl From<StoreError> for FidoLoginError {
    fn from(error: StoreError) -> Self {
        Self::Fido(error.into())
    }
}

/// The realm.
pub struct FidoUafRealm {
    realm: Realm,
    sessions: Arc<DomainSessions>,
    users: Arc<dyn Users>,
    fido: Arc<dyn Fido>,
    throttle: Arc<Throttle>,
}

/// What a phone answered, and from where.
#[derive(Debug, Clone, Copy)]
pub struct UafAnswer<'a> {
    /// The message.
    pub response: &'a str,
    /// The `context` beside it.
    pub context: Option<&'a str>,
    /// The address it came from.
    pub address: IpAddr,
}

impl FidoUafRealm {
    /// The realm whose answers `fido` judges; its logins become sessions in `sessions`.
    #[must_use]
    pub fn new(
        realm: Realm,
        sessions: Arc<DomainSessions>,
        users: Arc<dyn Users>,
        fido: Arc<dyn Fido>,
        throttle: Arc<Throttle>,
    ) -> Self {
        Self { realm, sessions, users, fido, throttle }
    }

    /// What a login gives.
    #[must_use]
    pub fn realm(&self) -> &Realm {
        &self.realm
    }

    /// Another carrier of the session that a login gave ([`DomainSessions::token`]).
    ///
    /// # Errors
    /// When it can't be signed.
    pub fn token(&self, of: &LoggedIn) -> Result<Option<Zeroizing<String>>, CryptoError> {
        self.sessions.token(of)
    }

    /// Judges an answer and logs its user in; `presented` and `secure` as in [`DomainSessions::login`].
    ///
    /// # Errors
    /// Why nobody was logged in.
    pub async fn log_in(
        &self,
        answer: UafAnswer<'_>,
        presented: Option<&AuthenticatedSession>,
        secure: bool,
    ) -> Result<LoggedIn, FidoLoginError> {
        let network = SourceNetwork::of(answer.address);
        let too_many = |wait| {
            self.audit(None, answer.address, "too-many-attempts");
            FidoLoginError::TooMany(wait)
        };
        let entered = self.throttle.enter(network).map_err(too_many)?;
        // Begun before the answer is judged, so that an end of all sessions meanwhile voids what comes of it.
        let received = self.open(answer);
        let Presumed { name, attempt } = self.presumed(&*received).await?;
        entered.unused();
        // Whom the answer names is not proven yet: good enough to count by in the network that it came from.
        let ticket = self.throttle.admit(name.as_deref(), network).map_err(too_many)?;
        match self.check(received, answer.address, attempt).await {
            Ok(attempt) => {
                ticket.succeeded();
                Ok(self.sessions.login(attempt, &self.realm, presented, secure).await?)
            }
            Err(FidoLoginError::Fido(refused)) if !refused.is_fault_of_a_server() => Err(refused.into()),
            Err(undecided) => {
                ticket.unused();
                Err(undecided)
            }
        }
    }

    fn open(&self, answer: UafAnswer<'_>) -> Box<dyn Received + '_> {
        self.fido.open(&Arrival {
            at: AnswerAt::Login,
            uaf_response: answer.response,
            context: answer.context,
            from: Some(SourceNetwork::of(answer.address)),
        })
    }

    async fn check(
        &self,
        received: Box<dyn Received + '_>,
        address: IpAddr,
        attempt: Option<LoginAttempt>,
    ) -> Result<LoginAttempt, FidoLoginError> {
        match (received.take().await, attempt) {
            (Ok(Answered { user: Some(proven), authenticators, .. }), Some(attempt))
                if *attempt.user() == proven.ext_id =>
            {
                Ok(attempt.proven_by(&authenticators))
            }
            (Ok(_), _) => Err(FidoLoginError::AnotherUser),
            (Err(error), attempt) => {
                let user = attempt.as_ref().map(|attempt| attempt.user().as_str());
                if !error.is_fault_of_a_server() {
                    self.audit(user, address, "uaf-answer-refused");
                }
                Err(error.into())
            }
        }
    }

    fn audit(&self, user: Option<&str>, address: IpAddr, reason: &'static str) {
        Event::LoginFailed { realm: &self.realm.name, user, address, reason }.record();
    }

    /// Whose answer it seems to be. Where users are hidden, one who does not exist is counted and costs as much.
    async fn presumed(&self, received: &dyn Received) -> Result<Presumed, StoreError> {
        let Some(claimed) = received.claimant().await? else {
            return Ok(Presumed { name: None, attempt: None });
        };
        let attempt = match self.users.by_ext_id(&claimed.ext_id).await? {
            Some(user) => Some(self.sessions.attempt(&user).await?),
            None => {
                self.sessions.attempt_of_nobody(&claimed.ext_id).await?;
                None
            }
        };
        let own = attempt.as_ref().map(|attempt| attempt.name().to_owned());
        let name = match claimed.counted {
            Counted::User => own,
            Counted::Called(name) => own.or(Some(name)),
            Counted::Nobody => None,
        };
        Ok(Presumed { name, attempt })
    }
}

/// Whose answer it seems to be.
struct Presumed {
    /// By what name it counts.
    name: Option<String>,
    /// What a good answer makes a session of.
    attempt: Option<LoginAttempt>,
}

#[cfg(test)]
mod tests;
