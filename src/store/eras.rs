//! What sessions rest on, and what they began: for how long it stands.

use std::sync::Arc;

use crate::store::operation::Era;
use crate::store::{Belongings, ExtId, Operation, PasswordStamp, SessionRecord, Sessions, StoreError, Users};

/// The eras of all users, out of the stores that know what ends one, and the keys that users have.
#[derive(Clone)]
pub struct Eras {
    /// Who exists, with which password.
    pub users: Arc<dyn Users>,
    /// How often all sessions of a user were ended.
    pub sessions: Arc<dyn Sessions>,
    /// Which keys are still there.
    pub belongings: Arc<dyn Belongings>,
}

/// An operation does not go on.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// What the session rested on that began it is gone.
    #[error("what the session rested on that began the operation is gone")]
    Over,
    /// It can't be told.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Eras {
    /// The era that this user is in. Where there is no such user it is one that nobody is in, and the work is the same.
    ///
    /// # Errors
    /// When a store can't be asked.
    pub async fn of(&self, user: &ExtId) -> Result<Era, StoreError> {
        let password = self.users.password_stamp(user).await?;
        let generation = self.sessions.generation(user).await?;
        Ok(Era { generation, password: password.unwrap_or(PasswordStamp([0; 32])) })
    }

    /// Whether all that a session rests on is still there: its user, the password, and the keys that were shown.
    ///
    /// # Errors
    /// When a store can't be asked.
    pub async fn stands(&self, session: &SessionRecord) -> Result<bool, StoreError> {
        self.stand(&session.session.ext_id.as_str().into(), session.era(), &session.keys).await
    }

    /// The living session of a user that has this `sid`, if it stands. This is no use of it.
    ///
    /// # Errors
    /// When a store can't be asked.
    pub async fn session(&self, user: &ExtId, sid: &str) -> Result<Option<SessionRecord>, StoreError> {
        let Some(found) = self.sessions.of(user, sid).await? else { return Ok(None) };
        Ok(self.stands(&found).await?.then_some(found))
    }

    /// Whether an operation may go on: what a session began ends with what that session rested on. Where no session did,
    /// nothing is asked.
    ///
    /// # Errors
    /// [`Ended::Over`] if not.
    pub async fn check(&self, operation: &Operation) -> Result<(), Ended> {
        let Some(warrant) = &operation.warrant else { return Ok(()) };
        let Some(user) = &operation.user else { return Err(Ended::Over) };
        if self.stand(user, warrant.era, &warrant.keys).await? {
            return Ok(());
        }
        let (user, purpose) = (user.as_str(), operation.purpose.word());
        tracing::info!(
            user,
            purpose,
            "all sessions of the user were ended, the password changed, or a key went, after a session began it"
        );
        Err(Ended::Over)
    }

    async fn stand(&self, user: &ExtId, era: Era, keys: &[String]) -> Result<bool, StoreError> {
        Ok(self.of(user).await? == era && (keys.is_empty() || self.belongings.has_keys(user, keys).await?))
    }
}
