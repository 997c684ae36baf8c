//! The realm `password`: name and password against the argon2id file (`gateway.md` 3.1).

mod hashing;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sidegate_filters::clock::Clock;
use sidegate_filters::{AuthenticatedSession, SessionDomain};
use zeroize::Zeroizing;

use super::sessions::{DomainSessions, LoggedIn, LoginAttempt, LoginError, Realm};
use super::throttle::{Paces, Throttle, Ticket};
use crate::jose::{self, CryptoError};
use crate::store::users::PasswordHash;
use crate::store::users::password::BadHash;
use crate::store::{ExtId, SourceNetwork, StoreError, User, Users};
use crate::telemetry::Metrics;
use crate::telemetry::audit::Event;
pub use hashing::NotChecked;
use hashing::{Hashing, Place, Question};

/// How the realm is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What a login gives.
    pub realm: Realm,
    /// Passwords checked at the same time; each takes a core, and as much memory as the dearest hash of all users.
    pub parallel: usize,
    /// Passwords that may wait for their check; beyond that logins are 503. The first attempt at a time of a user who is
    /// familiar ([`Paces::familiar`]) has as many places that strangers get none of: these take turns with the others.
    pub queue: usize,
    /// How failed attempts slow the next ones.
    pub paces: Paces,
}

/// What somebody typed, and from where.
pub struct Credentials {
    /// The login name.
    pub name: String,
    /// The password.
    pub password: Zeroizing<String>,
    /// The address it came from.
    pub address: IpAddr,
}

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// No such user or another password; which of the two is not told, nor to be seen from the time it took.
    #[error("the user name or the password is wrong")]
    Wrong,
    /// Too many attempts failed from there, or are under way; the password was not looked at.
    #[error("too many attempts failed or are under way; wait before the next one")]
    TooMany(Duration),
    /// The queue is full; the password was not looked at.
    #[error("too many logins are under way; try again in a moment")]
    Busy,
    /// The password could not be checked.
    #[error("a password could not be checked: {0}")]
    NotChecked(#[from] NotChecked),
    /// The password was good, but no session came of it, or a store failed before.
    #[error(transparent)]
    Login(#[from] LoginError),
}

impl From<StoreError> for PasswordError {
    fn from(error: StoreError) -> Self {
        Self::Login(error.into())
    }
}

/// The realm could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No randomness for the decoy.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The decoy could not be hashed.
    #[error(transparent)]
    Hash(#[from] BadHash),
}

/// The realm.
pub struct PasswordRealm {
    realm: Realm,
    sessions: Arc<DomainSessions>,
    users: Arc<dyn Users>,
    hashing: Arc<Hashing>,
    throttle: Arc<Throttle>,
    /// In the place of a user who does not exist.
    decoy: User,
}

impl PasswordRealm {
    /// The realm of these users; its logins become sessions in `sessions`.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub fn new(
        settings: Settings,
        sessions: Arc<DomainSessions>,
        users: Arc<dyn Users>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, BuildError> {
        let secret = Zeroizing::new(jose::random::<32>()?);
        let password = PasswordHash::of(secret.as_slice())?;
        let decoy = User { name: String::new(), ext_id: ExtId::random(), password, roles: Vec::new() };
        let hashing = Arc::new(Hashing::new(settings.parallel, settings.queue, metrics));
        let throttle = Arc::new(Throttle::new(settings.paces, clock));
        Ok(Self { realm: settings.realm, sessions, users, hashing, throttle, decoy })
    }

    /// The realm of another configuration in the place of this one: what failed here slows there, and both together check
    /// no more passwords at a time.
    #[must_use]
    pub fn reconfigured(&self, realm: Realm, sessions: Arc<DomainSessions>) -> Self {
        let (users, decoy) = (Arc::clone(&self.users), self.decoy.clone());
        let (hashing, throttle) = (Arc::clone(&self.hashing), Arc::clone(&self.throttle));
        Self { realm, sessions, users, hashing, throttle, decoy }
    }

    /// What a login gives.
    #[must_use]
    pub fn realm(&self) -> &Realm {
        &self.realm
    }

    /// The session domain that it logs in to.
    #[must_use]
    pub fn domain(&self) -> &SessionDomain {
        self.sessions.domain()
    }

    /// Checks a password and logs its user in; `presented` and `secure` as in [`DomainSessions::login`].
    ///
    /// # Errors
    /// Why nobody was logged in; the session that was presented is as it was, except after [`PasswordError::Login`].
    pub async fn log_in(
        &self,
        credentials: Credentials,
        presented: Option<&AuthenticatedSession>,
        secure: bool,
    ) -> Result<LoggedIn, PasswordError> {
        let address = credentials.address;
        let network = SourceNetwork::of(address);
        // A request that is let go of before its answer drops the ticket, and has used its attempt.
        let mut ticket = match self.throttle.admit(Some(&credentials.name), network) {
            Ok(ticket) => ticket,
            Err(wait) => {
                self.audit(None, address, "too-many-attempts");
                self.tell_guesses(&credentials.name, address).await?;
                return Err(PasswordError::TooMany(wait));
            }
        };
        match self.check(credentials, &mut ticket).await {
            Ok(attempt) => {
                ticket.succeeded();
                Ok(self.sessions.login(attempt, &self.realm, presented, secure).await?)
            }
            Err(PasswordError::Wrong) => Err(PasswordError::Wrong),
            Err(undecided) => {
                ticket.unused();
                Err(undecided)
            }
        }
    }

    /// The same steps whether the user exists or not.
    async fn check(&self, credentials: Credentials, ticket: &mut Ticket) -> Result<LoginAttempt, PasswordError> {
        let known = self.users.by_name(&credentials.name).await?;
        let (exists, hash) = (known.is_some(), known.as_ref().map(|user| user.password.clone()));
        let user = known.unwrap_or_else(|| self.decoy.clone());
        let (attempt, costs) = (self.sessions.attempt(&user).await?, self.users.costs().await?);
        let place = self.place(ticket).ok_or(PasswordError::Busy)?;
        let good = place.verify(Question { hash, costs, password: credentials.password }).await?;
        if good && exists {
            return Ok(attempt);
        }
        self.audit(exists.then(|| user.ext_id.as_str()), credentials.address, "wrong-password");
        Err(PasswordError::Wrong)
    }

    async fn tell_guesses(&self, name: &str, address: IpAddr) -> Result<(), StoreError> {
        if self.throttle.tells_guesses(name) {
            let user = self.users.by_name(name).await?;
            let user = user.as_ref().map(|user| user.ext_id.as_str());
            Event::GuessedAt { realm: &self.realm.name, user, address }.record();
        }
        Ok(())
    }

    fn place(&self, ticket: &mut Ticket) -> Option<Place> {
        let place = self.hashing.place(ticket.lane());
        place.or_else(|| if ticket.leaves_reserve() { self.hashing.place(ticket.lane()) } else { None })
    }

    fn audit(&self, user: Option<&str>, address: IpAddr, reason: &'static str) {
        Event::LoginFailed { realm: &self.realm.name, user, address, reason }.record();
    }
}

#[cfg(test)]
mod tests;
