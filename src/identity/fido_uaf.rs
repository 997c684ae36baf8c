//! The realm `fido-uaf`: a UAF answer to a request that was made for a login (`http-api.md` 7, `gateway.md` 3.1). There is
//! no session before the answer is good: until then all there is of a login is its challenge.

use std::sync::Arc;

use sidegate_filters::AuthenticatedSession;

use super::sessions::{DomainSessions, LoggedIn, LoginAttempt, LoginError, Realm};
use crate::fido::{AnswerAt, Fido, FidoError};
use crate::store::{ExtId, StoreError, Users};
use crate::telemetry::audit::Event;

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
pub enum FidoLoginError {
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
}

impl FidoUafRealm {
    /// The realm whose answers `fido` judges; its logins become sessions in `sessions`.
    #[must_use]
    pub fn new(realm: Realm, sessions: Arc<DomainSessions>, users: Arc<dyn Users>, fido: Arc<dyn Fido>) -> Self {
        Self { realm, sessions, users, fido }
    }

    /// What a login gives.
    #[must_use]
    pub fn realm(&self) -> &Realm {
        &self.realm
    }

    /// Judges an answer and logs its user in; `presented` and `secure` as in [`DomainSessions::login`].
    ///
    /// # Errors
    /// Why nobody was logged in.
    pub async fn log_in(
        &self,
        uaf_response: &str,
        context: Option<&str>,
        presented: Option<&AuthenticatedSession>,
        secure: bool,
    ) -> Result<LoggedIn, FidoLoginError> {
        // Begun before the answer is judged, so that an end of all sessions meanwhile voids what comes of it.
        let attempt = self.attempt(uaf_response).await?;
        let answered = match self.fido.answer(AnswerAt::Login, uaf_response, context).await {
            Ok(answered) => answered,
            Err(error) => {
                let user = attempt.as_ref().map(|(user, _)| user.as_str());
                Event::LoginFailed { realm: &self.realm.name, user, reason: "uaf-answer-refused" }.record();
                return Err(error.into());
            }
        };
        match attempt {
            Some((user, attempt)) if user == answered.user.ext_id => {
                Ok(self.sessions.login(attempt, &self.realm, presented, secure).await?)
            }
            _ => Err(FidoLoginError::AnotherUser),
        }
    }

    /// The attempt of the user whose key the answer names, if there is one.
    async fn attempt(&self, uaf_response: &str) -> Result<Option<(ExtId, LoginAttempt)>, StoreError> {
        let Some(ext_id) = self.fido.claimant(AnswerAt::Login, uaf_response).await? else { return Ok(None) };
        let Some(user) = self.users.by_ext_id(&ext_id).await? else { return Ok(None) };
        Ok(Some((ext_id, self.sessions.attempt(&user).await?)))
    }
}

#[cfg(test)]
mod tests;
