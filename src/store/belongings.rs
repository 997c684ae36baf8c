//! What a user has in the durable store, taken together: dispatch targets and UAF keys, wherever these are (`http-api.md` 1).

use async_trait::async_trait;

use crate::store::{CredentialKey, ExtId, StoreError};

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// The ids of the dispatch targets.
    pub targets: Vec<String>,
    /// The UAF credentials, and in [`Belongings::remove_all`] the keys of a server behind.
    pub credentials: Vec<CredentialKey>,
}

impl Removed {
    /// Whether there was nothing to remove.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.targets.is_empty() && self.credentials.is_empty()
    }
}

/// Targets and keys of one owner. Every removal is one transaction: all of it goes, or nothing.
#[async_trait]
pub trait Belongings: Send + Sync {
    /// Whether the owner has a key of each of these names (`extId`), be it here or, confirmed, with a server behind.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn has_keys(&self, owner: &ExtId, names: &[String]) -> Result<bool, StoreError>;

    /// Removes the owner's targets and credentials of a device. What is known of keys that a server behind has stays: only
    /// that server can give them up ([`crate::store::KeysBehind::retire`]).
    ///
    /// # Errors
    /// When the store can't be asked; then nothing was removed.
    async fn remove_device(&self, owner: &ExtId, device_id: &str) -> Result<Removed, StoreError>;

    /// Removes everything of an owner who is no user any more.
    ///
    /// # Errors
    /// When the store can't be asked; then nothing was removed.
    async fn remove_all(&self, owner: &ExtId) -> Result<Removed, StoreError>;
}
