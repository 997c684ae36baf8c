//! What internal callers with the role `admin` see and remove (`http-api.md` 8): users and what is theirs. The route lets
//! in nobody else.

mod removal;

use std::sync::Arc;

use sidegate_filters::UsernameMapper;
use sidegate_filters::clock::Millis;
use sidegate_uaf::StatusCode;

use crate::fido::{Fido, FidoError};
use crate::store::{
    Credential, CredentialKey, Credentials, Eras, KeyBehind, KeysBehind, SessionRecord, StoreError, Target, Targets,
    User, UserError,
};

/// So many users a page may have.
pub const MOST_USERS: usize = 1000;

/// It could not be shown or removed.
#[derive(Debug, thiserror::Error)]
pub enum AdministrationFault {
    /// There is no such user: 404.
    #[error("there is no such user")]
    UnknownUser,
    /// The user has nothing of the kind: 404.
    #[error("the user has nothing of this id")]
    NothingThere,
    /// The UAF server behind, which has the keys, did not give one up: 502.
    #[error("the UAF server behind still has a key of the user (UAF status {0}); ask again")]
    StillBehind(StatusCode),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The users after a name.
#[derive(Debug)]
pub struct Page {
    /// By their names, in order.
    pub users: Vec<User>,
    /// The name that the next page is after, if there is one.
    pub next: Option<String>,
}

/// A UAF key of a user, wherever it is.
#[derive(Debug)]
pub struct RegisteredKey {
    /// Our name for it.
    pub ext_id: String,
    /// Model and key id.
    pub key: CredentialKey,
    /// The app's name for the device.
    pub device_id: Option<String>,
    /// The user's name for the device.
    pub device_name: Option<String>,
    /// When it came on record.
    pub created: Millis,
    /// When it last authenticated; a server behind does not tell.
    pub last_used: Option<Millis>,
    /// Whether it may be used.
    pub confirmed: bool,
}

/// The administration service.
pub struct Administration {
    /// Who exists, their sessions, and their targets and keys, taken together.
    pub eras: Eras,
    /// Their dispatch targets.
    pub targets: Arc<dyn Targets>,
    /// Their keys.
    pub credentials: Arc<dyn Credentials>,
    /// Their keys that a UAF server behind has, as far as they are known here.
    pub keys_behind: Arc<dyn KeysBehind>,
    /// The UAF server, which may be one behind that has the keys; none where there are no keys.
    pub fido: Option<Arc<dyn Fido>>,
    /// What users are called.
    pub mapper: UsernameMapper,
}

impl Administration {
    /// The user who is called so.
    ///
    /// # Errors
    /// [`AdministrationFault::UnknownUser`].
    pub async fn user(&self, username: &str) -> Result<User, AdministrationFault> {
        let found = match self.mapper {
            UsernameMapper::Name => self.eras.users.by_name(username).await?,
            UsernameMapper::ExtId => self.eras.users.by_ext_id(&username.into()).await?,
        };
        found.ok_or(AdministrationFault::UnknownUser)
    }

    /// The first `limit` users whose names come after this one, at most [`MOST_USERS`].
    ///
    /// # Errors
    /// When the store can't be asked.
    pub async fn users_after(&self, after: &str, limit: usize) -> Result<Page, AdministrationFault> {
        let mut users = self.eras.users.list().await?;
        users.retain(|user| user.name.as_str() > after);
        users.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let rest = users.len() > limit.min(MOST_USERS);
        users.truncate(limit.min(MOST_USERS));
        let next = users.last().filter(|_| rest).map(|user| user.name.clone());
        Ok(Page { users, next })
    }

    /// The keys of a user that the UAF server has, as far as they are known here, oldest first: as many as a user may have.
    ///
    /// # Errors
    /// [`AdministrationFault::UnknownUser`].
    pub async fn keys(&self, username: &str) -> Result<Vec<RegisteredKey>, AdministrationFault> {
        let owner = self.user(username).await?.ext_id;
        Ok(match self.behind() {
            None => self.credentials.list(&owner).await?.into_iter().map(Into::into).collect(),
            Some(_) => self.keys_behind.of_owner(&owner).await?.into_iter().map(Into::into).collect(),
        })
    }

    /// The dispatch targets of a user, oldest first: as many as a user may have.
    ///
    /// # Errors
    /// [`AdministrationFault::UnknownUser`].
    pub async fn targets(&self, username: &str) -> Result<Vec<Target>, AdministrationFault> {
        Ok(self.targets.list(&self.user(username).await?.ext_id).await?)
    }

    /// The living sessions of a user, the last used first, as many as the store tells. One that began with another
    /// password, or a key that is gone, is dead.
    ///
    /// # Errors
    /// [`AdministrationFault::UnknownUser`].
    pub async fn sessions(&self, username: &str) -> Result<Vec<SessionRecord>, AdministrationFault> {
        let user = self.user(username).await?;
        let mut living = Vec::new();
        for session in self.eras.sessions.list(&user.ext_id).await? {
            if self.eras.stands(&session).await? {
                living.push(session);
            }
        }
        Ok(living)
    }
}

impl From<Credential> for RegisteredKey {
    fn from(credential: Credential) -> Self {
        let Credential { ext_id, key, device_id, device_name, created, last_used, .. } = credential;
        Self { ext_id, key, device_id, device_name, created, last_used, confirmed: true }
    }
}

impl From<KeyBehind> for RegisteredKey {
    fn from(behind: KeyBehind) -> Self {
        let confirmed = behind.is_confirmed();
        let KeyBehind { ext_id, key, device_id, device_name, created, .. } = behind;
        Self { ext_id, key, device_id, device_name, created, last_used: None, confirmed }
    }
}

impl From<FidoError> for AdministrationFault {
    fn from(error: FidoError) -> Self {
        match error {
            FidoError::Refused(code) => Self::StillBehind(code),
            FidoError::Store(error) => Self::Store(error),
        }
    }
}

impl From<UserError> for AdministrationFault {
    fn from(error: UserError) -> Self {
        match error {
            UserError::Store(error) => Self::Store(error),
            UserError::BadName | UserError::BadRoles | UserError::Exists => Self::UnknownUser,
        }
    }
}
