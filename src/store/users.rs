//! The users: name, extId, password hash (`gateway.md` 5, `http-api.md` 0.2).

pub mod file;
pub mod password;

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::store::{ExtId, StoreError};
pub(crate) use file::is_readable;
pub use file::{UsersFile, UsersFileError};
pub use password::{Cost, Costs, PasswordHash, PasswordStamp};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: String,
    /// What everything of the user is stored under.
    pub ext_id: ExtId,
    /// The password's hash.
    pub password: PasswordHash,
    /// The roles, such that [`are_roles`].
    pub roles: Vec<String>,
}

/// Whether a text can name a user or something of one: 1 to 256 bytes that a header can hold as they are. Its values lose
/// blanks at their ends: nobody may become another there.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.trim() == text && !text.contains(char::is_control)
}

/// Whether this can be a role: plain text in a list with commas between.
#[must_use]
pub fn is_role(text: &str) -> bool {
    is_plain(text) && !text.contains(',')
}

/// Whether a user can have these: at most 100, each one that [`is_role`].
#[must_use]
pub fn are_roles(roles: &[String]) -> bool {
    roles.len() <= 100 && roles.iter().all(|role| is_role(role))
}

/// A change of users that was not made.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The name can't be one.
    #[error("a user name has 1 to 128 characters, no colon, no control character, no # first, no space at its ends")]
    BadName,
    /// The roles can't be some.
    #[error("a user has at most 100 roles, each 1 to 256 bytes, no comma, no control character, no space at its ends")]
    BadRoles,
    /// There is a user of this name.
    #[error("a user of this name exists")]
    Exists,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The users who exist. Each login, redeem and PATCH asks it anew: a removed user is gone at once.
#[async_trait]
pub trait Users: Send + Sync {
    /// The user of this login name, compared exactly.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn by_name(&self, name: &str) -> Result<Option<User>, StoreError>;

    /// The user of this extId.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn by_ext_id(&self, ext_id: &ExtId) -> Result<Option<User>, StoreError>;

    /// The stamp of the password of the user of this extId, if there is one: asked with each request of a session, which
    /// ends with the user or the password that it began with.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn password_stamp(&self, ext_id: &ExtId) -> Result<Option<PasswordStamp>, StoreError>;

    /// The roles of the user of this extId, none where there is no such user: asked with each request of a session.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn roles(&self, ext_id: &ExtId) -> Result<Vec<String>, StoreError>;

    /// What the hashes of all users cost: asked with each login.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn costs(&self) -> Result<Costs, StoreError>;

    /// All users.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn list(&self) -> Result<Vec<User>, StoreError>;

    /// Adds a user under a new extId, also where a user of the same name was removed before.
    ///
    /// # Errors
    /// [`UserError::BadName`], [`UserError::Exists`].
    async fn add(&self, name: &str, password: PasswordHash) -> Result<User, UserError>;

    /// Gives a user another password; gives back who it is, if there is one.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn set_password(&self, name: &str, password: PasswordHash) -> Result<Option<User>, UserError>;

    /// Gives a user these roles in place of those there were; gives back who it is, if there is one.
    ///
    /// # Errors
    /// [`UserError::BadRoles`].
    async fn set_roles(&self, name: &str, roles: Vec<String>) -> Result<Option<User>, UserError>;

    /// The extIds of users who were removed, for as long as the store keeps that. Whoever is neither here nor among the
    /// users may have got lost.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn removed(&self) -> Result<BTreeSet<ExtId>, StoreError>;

    /// Removes a user and keeps a record of it; gives back who it was.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn remove(&self, name: &str) -> Result<Option<User>, UserError>;
}
