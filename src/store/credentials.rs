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

/// A registered UAF key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Model and key id.
    pub key: CredentialKey,
    /// Our name for it (`extId` of the status answer).
    pub ext_id: String,
    /// Whose it is.
    pub owner: ExtId,
    /// The public key in `key_format`, opaque here; empty where an upstream has it, which also counts.
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
    /// When it was registered.
    pub created: Millis,
    /// When it last authenticated.
    pub last_used: Option<Millis>,
    /// What is known of a key that a UAF server behind has; `None`: it is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<Behind>,
}

/// What is known of a key that a UAF server behind has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// The appID of the request that it answered: a phone finds the key by it.
    pub app_id: Option<String>,
    /// Whether that server said that it took the key. Until then, and if that never becomes known, the key counts for
    /// nothing here, whether it is there or not.
    pub confirmed: bool,
    /// Whether the registration ended badly while that server may have taken the key: no registration that is under way
    /// confirms it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubted: bool,
}

impl Credential {
    /// Whether it may be used.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.behind.as_ref().is_none_or(|behind| behind.confirmed)
    }

    /// Whether a registration of it failed that a server behind may have taken ([`Behind::doubted`]).
    #[must_use]
    pub fn is_doubted(&self) -> bool {
        self.behind.as_ref().is_some_and(|behind| behind.doubted)
    }
}

/// So many credentials one owner may have.
pub const CREDENTIALS_PER_OWNER: usize = 50;

/// A credential that was not kept.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The model and key id are registered already (`uaf.md` A7, 9).
    #[error("a credential with this model and key id is registered")]
    Registered,
    /// The owner would have more than [`CREDENTIALS_PER_OWNER`].
    #[error("the owner has {CREDENTIALS_PER_OWNER} credentials, which is the limit")]
    TooMany,
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
    /// Whether it covers this credential.
    #[must_use]
    pub fn covers(&self, credential: &Credential) -> bool {
        match self {
            Self::Key(key) => credential.key == *key,
            Self::Model(aaid) => credential.key.aaid().eq_ignore_ascii_case(aaid),
            Self::All => true,
        }
    }
}

/// UAF credentials. Acknowledged means durable; every change is atomic.
///
/// A key that is here belongs to one owner. Of one that a server behind has ([`Credential::behind`]) each owner may have a
/// record: only that server can tell whose it is, and what one owner says of a key must not bind another.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Keeps the new credentials of one registration: all of them, or none.
    ///
    /// # Errors
    /// [`CredentialError::Registered`] if a model and key id is known, to whomever it belongs, or given twice; of keys that a
    /// server behind has, if this owner has one that is not doubted; [`CredentialError::TooMany`].
    async fn add_all(&self, credentials: Vec<Credential>) -> Result<(), CredentialError>;

    /// Confirms new credentials of this owner ([`Behind::confirmed`]). `false`: one of them is not there or is doubted, such
    /// as one that was removed meanwhile, and none was confirmed.
    ///
    /// # Errors
    /// When the store can't be asked.
    #[must_use = "keys that are not there any more are not confirmed"]
    async fn confirm(&self, owner: &ExtId, keys: &[CredentialKey]) -> Result<bool, StoreError>;

    /// Keeps these, which a server behind may have, as doubted, whatever there was of them.
    ///
    /// # Errors
    /// When the store can't be asked; then all is as it was.
    async fn doubt(&self, credentials: Vec<Credential>) -> Result<(), StoreError>;

    /// Removes credentials of this owner that a server behind no longer has, as [`Credentials::remove`]. Of those that were
    /// never confirmed only the ones made before `settled` go: that server may still be busy with the others, which stay,
    /// doubted.
    ///
    /// # Errors
    /// When the store can't be asked; then all is as it was.
    async fn retire(&self, owner: &ExtId, which: &Removal, settled: Millis) -> Result<Vec<CredentialKey>, StoreError>;

    /// What is known of a key that a server behind has: at most one record for each owner.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn behind(&self, key: &CredentialKey) -> Result<Vec<Credential>, StoreError>;

    /// The credential of this model and key id that is here.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn get(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError>;

    /// The credentials of a user, oldest first.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn list(&self, owner: &ExtId) -> Result<Vec<Credential>, StoreError>;

    /// Accepts a signature counter, and notes the use at `now`: both zero, or `received` greater than the stored one.
    ///
    /// # Errors
    /// [`CounterError::NotAdvanced`], [`CounterError::NotFound`].
    async fn advance_counter(&self, key: &CredentialKey, received: u32, now: Millis) -> Result<(), CounterError>;

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
