//! The store of dispatch targets (`http-api.md` 1).

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sidegate_filters::clock::Millis;
use zeroize::Zeroizing;

use crate::store::{ExtId, StoreError};

/// The address that a push service gave to an app: whoever has it can push to the phone, so it is never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PushToken(Zeroizing<String>);

impl PushToken {
    /// A token as the client sent it.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the push service alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PushToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PushToken(…)")
    }
}

/// A phone's app as a destination of dispatches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// `id` and `extId` in one.
    pub id: String,
    /// Whose it is.
    pub owner: ExtId,
    /// The name, unique among the owner's targets.
    pub name: String,
    /// Ties it to the UAF credentials of the same device, within one user.
    pub device_id: Option<String>,
    /// The app that registered it.
    pub app_id: Option<String>,
    /// The default dispatcher's type.
    pub dispatcher: String,
    /// Where pushes go.
    pub push_token: Option<PushToken>,
    /// The JWK (public, JSON text) that signs changes of the target.
    pub signature_key: String,
    /// Its RFC 7638 thumbprint, base64url: what shows that two targets have the same key, however it was written.
    pub signature_thumbprint: String,
    /// The JWK (public, JSON text) that dispatches are encrypted for.
    pub encryption_key: String,
    /// When it was made.
    pub created: Millis,
    /// Grows by one with every change: caches key on (id, version).
    pub version: u64,
}

/// A change of a target; absent members stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetUpdate {
    /// The new name.
    pub name: Option<String>,
    /// The new push token.
    pub push_token: Option<PushToken>,
    /// The new default dispatcher.
    pub dispatcher: Option<String>,
}

/// So many targets one owner may have: beyond it nobody can fill the store, and listing stays short.
pub const TARGETS_PER_OWNER: usize = 50;

/// A change of targets that was not made.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The owner has a target of this name (422).
    #[error("the name is taken")]
    NameTaken,
    /// The owner has [`TARGETS_PER_OWNER`] already (422).
    #[error("the owner has {TARGETS_PER_OWNER} targets, which is the limit")]
    TooMany,
    /// There is no such target (404).
    #[error("no such dispatch target")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Dispatch targets. Acknowledged means durable; every change is atomic.
#[async_trait]
pub trait Targets: Send + Sync {
    /// Keeps a new target.
    ///
    /// # Errors
    /// [`TargetError::NameTaken`], [`TargetError::TooMany`]; [`StoreError::Exists`] for a known id.
    async fn create(&self, target: Target) -> Result<(), TargetError>;

    /// The target of this id.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn get(&self, id: &str) -> Result<Option<Target>, StoreError>;

    /// The targets of a user, oldest first.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn list(&self, owner: &ExtId) -> Result<Vec<Target>, StoreError>;

    /// Whether more than one target, of whomever, has the signature key with this thumbprint: then a signed change
    /// must name its target (`http-api.md` 1.1).
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn key_is_shared(&self, thumbprint: &str) -> Result<bool, StoreError>;

    /// Changes a target and gives back what it became.
    ///
    /// # Errors
    /// [`TargetError::NameTaken`], [`TargetError::NotFound`].
    async fn update(&self, id: &str, update: TargetUpdate) -> Result<Target, TargetError>;

    /// Removes a target of this owner. False if there is none, or it is somebody else's.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn delete(&self, id: &str, owner: &ExtId) -> Result<bool, StoreError>;

    /// Everybody who owns a target: to find the orphans of removed users.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn owners(&self) -> Result<BTreeSet<ExtId>, StoreError>;
}
