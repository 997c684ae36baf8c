//! The store of UAF credentials and their counters (`uaf.md` A7, A8).

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sidegate_filters::clock::Millis;

use crate::store::{ExtId, StoreError};

/// What identifies a credential: the authenticator's model and the key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CredentialKey {
    aaid: String,
    key_id: Vec<u8>,
}

impl CredentialKey {
    /// The key of this model and key id (decoded bytes). AAIDs differ not by case (`uaf.md` A1).
    #[must_use]
    pub fn new(aaid: &str, key_id: impl Into<Vec<u8>>) -> Self {
        Self { aaid: aaid.to_ascii_uppercase(), key_id: key_id.into() }
    }

    /// The model, upper case.
    #[must_use]
    pub fn aaid(&self) -> &str {
        &self.aaid
    }

    /// The key id's bytes.
    #[must_use]
    pub fn key_id(&self) -> &[u8] {
        &self.key_id
    }
}

/// A registered UAF key that the server inside verifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Model and key id.
    pub key: CredentialKey,
    /// Our name for it (`extId` of the status answer).
    pub ext_id: String,
    /// Whose it is.
    pub owner: ExtId,
    /// The public key in `key_format`, opaque here.
    pub public_key: Vec<u8>,
    /// The UAF public key format (`uaf.md` A6).
    pub key_format: u16,
    /// The UAF signature algorithm fixed at registration.
    pub algorithm: u16,
    /// The last accepted signature counter; 0 when the authenticator has none.
    pub sign_counter: u32,
    /// The registration counter of its assertion.
    pub registration_counter: u32,
    /// The authenticator's version at registration.
    pub authenticator_version: u16,
    /// Ties it to the dispatch targets of the same device, within one user.
    pub device_id: Option<String>,
    /// What the user calls the device.
    pub device_name: Option<String>,
    /// Which pictures its display shows, as JSON, opaque here; records of before have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<String>,
    /// When it was registered.
    pub created: Millis,
    /// When it last authenticated.
    pub last_used: Option<Millis>,
}

/// So many credentials one owner may have.
pub const CREDENTIALS_PER_OWNER: usize = 50;

/// So many bytes the key ids of one owner may have together: each request for the owner names them all, to whoever asks.
pub const KEY_IDS_PER_OWNER: usize = 16 * 1024;

/// Whether an owner may have these.
pub(in crate::store) fn is_within_limits(keys: &[CredentialKey]) -> bool {
    keys.len() <= CREDENTIALS_PER_OWNER && keys.iter().map(|key| key.key_id.len()).sum::<usize>() <= KEY_IDS_PER_OWNER
}

/// A credential that was not kept.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The model and key id are registered already (`uaf.md` A7, 9).
    #[error("a credential with this model and key id is registered")]
    Registered,
    /// The owner would have more than [`CREDENTIALS_PER_OWNER`], or of longer ids than [`KEY_IDS_PER_OWNER`].
    #[error("an owner has at most {CREDENTIALS_PER_OWNER} credentials, whose key ids have {KEY_IDS_PER_OWNER} bytes")]
    TooMany,
    /// The owner has another key, while this was to be the first one.
    #[error("the owner has a key already, which was not shown")]
    NotFirst,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A counter that was not advanced.
#[derive(Debug, thiserror::Error)]
pub enum CounterError {
    /// There is no such credential.
    #[error("no such credential")]
    NotFound,
    /// Not greater than the stored one, and not both zero: a replay or a copied key (`uaf.md` A8).
    #[error("the signature counter did not advance")]
    NotAdvanced,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which credentials of a user to remove: the three modes of deregistration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// One key.
    Key(CredentialKey),
    /// All keys of a model.
    Model(String),
    /// Every one.
    All,
}

impl Removal {
    /// Whether it covers this key.
    #[must_use]
    pub fn covers(&self, key: &CredentialKey) -> bool {
        match self {
            Self::Key(named) => key == named,
            Self::Model(aaid) => key.aaid().eq_ignore_ascii_case(aaid),
            Self::All => true,
        }
    }
}

/// UAF credentials of the server inside. Acknowledged means durable; every change is atomic, and a key belongs to one owner.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Keeps the new credentials of one registration: all of them, or none; with `beside` only where the owner has none but
    /// those.
    ///
    /// # Errors
    /// [`CredentialError::Registered`] if a model and key id is known, to whomever it belongs, or given twice;
    /// [`CredentialError::TooMany`]; [`CredentialError::NotFirst`] if the owner has one that is not `beside`.
    async fn add_all(
        &self,
        credentials: Vec<Credential>,
        beside: Option<BTreeSet<CredentialKey>>,
    ) -> Result<(), CredentialError>;

    /// The credential of this model and key id.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn get(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError>;

    /// The credentials of a user, oldest first.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn list(&self, owner: &ExtId) -> Result<Vec<Credential>, StoreError>;

    /// Accepts the signature counters of one answer, and notes the use of their keys at `now`; gives the ext ids of these,
    /// in the order given. Of each key both counters are zero, or `received` is greater than the stored one; where one is
    /// not, none moves.
    ///
    /// # Errors
    /// [`CounterError::NotAdvanced`], [`CounterError::NotFound`].
    async fn advance_all(&self, received: &[(CredentialKey, u32)], now: Millis) -> Result<Vec<String>, CounterError>;

    /// Removes credentials of this owner, all in one transaction; gives back what was removed.
    ///
    /// # Errors
    /// When the store can't be asked; then none was removed.
    async fn remove(&self, owner: &ExtId, which: &Removal) -> Result<Vec<CredentialKey>, StoreError>;

    /// Everybody who owns a credential: to find the orphans of removed users.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn owners(&self) -> Result<BTreeSet<ExtId>, StoreError>;
}
