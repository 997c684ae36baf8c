//! In which era a user is, and whether an operation is of a former one.

use std::sync::Arc;

use crate::store::operation::Era;
use crate::store::{ExtId, Operation, Sessions, StoreError, Users};

/// The eras of all users, out of the stores that know what ends one.
#[derive(Clone)]
pub struct Eras {
    /// Who exists, with which password.
    pub users: Arc<dyn Users>,
    /// How often all sessions of a user were ended.
    pub sessions: Arc<dyn Sessions>,
}

impl Eras {
    /// The era that this user is in; `None`: there is no such user.
    ///
    /// # Errors
    /// When a store can't be asked.
    pub async fn of(&self, user: &ExtId) -> Result<Option<Era>, StoreError> {
        let Some(password) = self.users.password_stamp(user).await? else { return Ok(None) };
        Ok(Some(Era { generation: self.sessions.generation(user).await?, password }))
    }

    /// Whether a session began the operation in an era of its user that is over. Where no session did, nothing is asked.
    ///
    /// # Errors
    /// When a store can't be asked.
    pub async fn ended(&self, operation: &Operation) -> Result<bool, StoreError> {
        let Some(warrant) = &operation.warrant else { return Ok(false) };
        let Some(user) = &operation.user else { return Ok(true) };
        let ended = self.of(user).await? != Some(warrant.era);
        if ended {
            let (user, purpose) = (user.as_str(), operation.purpose.word());
            tracing::info!(
                user,
                purpose,
                "all sessions of the user were ended, or the password changed, after one began it"
            );
        }
        Ok(ended)
    }
}
