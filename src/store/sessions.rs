//! The store of sessions (`gateway.md` 3.2).

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sidegate_filters::clock::Millis;
use sidegate_filters::identity::{Login, Session};

use crate::store::operation::Era;
use crate::store::{ExtId, PasswordStamp, StoreError};

/// How long the old id of a renewed session stays valid, at its old level.
pub const RENEWAL_GRACE: Duration = Duration::from_secs(5);

/// So many sessions of a user are listed.
pub const SESSIONS_LISTED: usize = 100;

/// How exactly the last use of a session is known.
const RESOLUTION: Duration = Duration::from_secs(1);

/// SHA-256 of a session's secret: all that a store ever sees of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionKey(pub [u8; 32]);

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// What filters see of it.
    pub session: Session,
    /// The user's password when it began: it ends when that is changed.
    pub password: PasswordStamp,
    /// Our names (`extId`) of the UAF keys that were shown for it, at its login and since: it ends when one of them is gone.
    /// None where a password was all, or a server behind has keys that are not on record here.
    pub keys: Vec<String>,
    /// When the session was last used.
    pub last_used: Millis,
    /// How long it may stay unused (30 min).
    pub idle: Duration,
    /// When it ends in any case (8 h after the login).
    pub ends: Millis,
}

impl SessionRecord {
    /// The user's era that it is of.
    #[must_use]
    pub fn era(&self) -> Era {
        Era { generation: self.session.generation, password: self.password }
    }

    /// Adds a login, and the keys that were shown for it, each once.
    pub fn add(&mut self, added: AddedLogin) {
        self.session.logins = self.session.logins.clone().and(added.login);
        for key in added.keys {
            if !self.keys.contains(&key) {
                self.keys.push(key);
            }
        }
    }

    /// Until when it lives if it is not used again.
    #[must_use]
    pub fn alive_until(&self) -> Millis {
        self.last_used.after(self.idle).min(self.ends)
    }

    /// Whether a use at this moment is to be written down. One within the same second is not, nor one within the same
    /// sixtieth of a short idle time: reading is cheaper, and the session ends by no more than that too early. One before
    /// the last is, since the clock was set back: else the session would live on unused for the length of the step.
    #[must_use]
    pub fn is_use_due(&self, now: Millis) -> bool {
        now < self.last_used || now.since(self.last_used) >= RESOLUTION.min(self.idle / 60)
    }
}

/// A login that is added to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedLogin {
    /// Who logged in: the session has to be this user's.
    pub user: ExtId,
    /// By what.
    pub login: Login,
    /// The keys that were shown, as [`SessionRecord::keys`] names them.
    pub keys: Vec<String>,
}

/// Sessions by the hash of their id. A session is alive until it was idle too long, its absolute end, its being ended,
/// or the end of all sessions of its user; whatever is not alive is not there, in every call.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Keeps a new session. Its `generation` must have been read with [`Sessions::generation`] *before* the login was
    /// checked, so that an end of all sessions meanwhile voids it.
    ///
    /// # Errors
    /// [`StoreError::Full`] when there is no room; [`StoreError::Exists`] for a known key, which is left as it is.
    async fn create(&self, key: SessionKey, record: SessionRecord) -> Result<(), StoreError>;

    /// The session if it is alive; that is a use of it, written down when [`SessionRecord::is_use_due`].
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn touch(&self, key: &SessionKey) -> Result<Option<SessionRecord>, StoreError>;

    /// The session if it is alive. This is no use of it.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn look(&self, key: &SessionKey) -> Result<Option<SessionRecord>, StoreError>;

    /// Renews a session under a new id, with what [`Sessions::raise`] adds; that is a use of it. The old id lives
    /// [`RENEWAL_GRACE`] more as it is and never learns the new one. What is added to the old one is in the new one too: a
    /// login beside it comes before, or is told that the session was renewed. `None`, and nothing done, as there.
    ///
    /// # Errors
    /// As [`Sessions::create`]; the old session is left as it is.
    async fn renew(
        &self,
        old: &SessionKey,
        new: SessionKey,
        added: AddedLogin,
    ) -> Result<Option<SessionRecord>, StoreError>;

    /// Adds a login to a session under the same id (step-up with `renew: false`), and the keys that were shown to those
    /// before: what is kept then. `None`, and nothing done, if the session is not alive, was renewed, or belongs to another user.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn raise(&self, key: &SessionKey, added: AddedLogin) -> Result<Option<SessionRecord>, StoreError>;

    /// Ends a session (logout), also under the ids that it had before a renewal, and under the one that it has had since.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn end(&self, key: &SessionKey) -> Result<(), StoreError>;

    /// The generation that a new session of this user gets.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn generation(&self, user: &ExtId) -> Result<u64, StoreError>;

    /// Ends all sessions of a user: those of earlier generations are void from now on.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn end_all(&self, user: &ExtId) -> Result<(), StoreError>;

    /// The living session of a user that has this `sid`, under whatever id it is now. This is no use of it.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn of(&self, user: &ExtId, sid: &str) -> Result<Option<SessionRecord>, StoreError>;

    /// The living sessions of a user, the last used first, at most [`SESSIONS_LISTED`]. One that was renewed is there once.
    /// This is no use of them.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn list(&self, user: &ExtId) -> Result<Vec<SessionRecord>, StoreError>;

    /// Gives back the room of dead sessions; called about once a second. No answer depends on it.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn sweep(&self) -> Result<(), StoreError>;
}
