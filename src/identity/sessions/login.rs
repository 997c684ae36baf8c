//! A login, from the attempt to what came of it.

use http::HeaderValue;
use http::header::InvalidHeaderValue;
use sidegate_filters::clock::Millis;
use sidegate_filters::identity::{Login, Session};

use crate::jose::CryptoError;
use crate::store::operation::{Authenticator, Era};
use crate::store::{ExtId, SessionKey, StoreError};

/// What a successful login through a realm gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realm {
    /// Its name, as sessions and SecTokens show it.
    pub name: String,
    /// The authentication level.
    pub level: u8,
    /// Whether a step-up gives the session a new id.
    pub renew: bool,
}

impl Realm {
    /// A login through it, now.
    pub(super) fn login(&self, now: Millis) -> Login {
        Login { realm: self.name.clone(), level: self.level, at: now }
    }
}

/// The right to log a user in, once the credential proves good. It is taken before the credential is looked at, so that
/// an end of all sessions or another password meanwhile voids what comes of it.
#[derive(Debug)]
pub struct LoginAttempt {
    pub(super) ext_id: ExtId,
    pub(super) name: String,
    pub(super) era: Era,
    /// Our names of the UAF keys that proved it.
    pub(super) keys: Vec<String>,
}

impl LoginAttempt {
    /// The same, proven with these keys: what comes of it ends when one of them is gone, be that before it begins.
    #[must_use]
    pub fn proven_by(self, keys: &[Authenticator]) -> Self {
        Self { keys: keys.iter().map(|key| key.ext_id.clone()).collect(), ..self }
    }

    /// Whose attempt it is.
    #[must_use]
    pub fn user(&self) -> &ExtId {
        &self.ext_id
    }

    /// The login name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The user's era in which it was begun: in another one it comes to nothing.
    #[must_use]
    pub fn era(&self) -> Era {
        self.era
    }
}

/// What a login did.
#[derive(Debug)]
pub struct LoggedIn {
    /// The session as it is now.
    pub session: Session,
    /// `Set-Cookie`; `None` where the client keeps the cookie that it has.
    pub set_cookie: Option<HeaderValue>,
    /// Whether the user had a session already, to which the login was added.
    pub step_up: bool,
    /// Where it is kept now.
    pub(super) key: SessionKey,
    /// When it ends at the latest.
    pub(super) ends: Millis,
}

/// A login that came to nothing although its credential was good.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The session could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No id could be made.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The id fits into no cookie: our own fault.
    #[error(transparent)]
    Cookie(#[from] InvalidHeaderValue),
}
