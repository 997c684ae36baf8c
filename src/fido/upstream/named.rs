//! Whose keys the upstream's requests named. A key id is no secret: the request for a login tells those of its user.

use moka::sync::Cache;
use sidegate_uaf::KeyRef;

use super::super::credential::record_key;
use crate::store::{CredentialKey, ExtId};

/// The bytes that may be remembered, of some 50,000 keys.
const BYTES: u64 = 16 * 1024 * 1024;
/// What a key costs beside its id.
const OVERHEAD: usize = 256;
/// So many keys of one request are remembered: more than an owner may have.
const OF_ONE_REQUEST: usize = 64;

/// Whom the upstream first named a key for. In memory: what a restart forgets is known again once it is named again.
#[derive(Debug, Clone)]
pub struct Named(Cache<CredentialKey, ExtId>);

impl Default for Named {
    fn default() -> Self {
        let weight = |key: &CredentialKey, _: &ExtId| {
            u32::try_from(key.key_id().len().saturating_add(OVERHEAD)).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().weigher(weight).max_capacity(BYTES).build())
    }
}

impl Named {
    /// These keys were named for this user.
    pub(super) fn note(&self, user: &ExtId, keys: impl Iterator<Item = KeyRef>) {
        for key in keys.take(OF_ONE_REQUEST) {
            self.0.entry(record_key(&key)).or_insert_with(|| user.clone());
        }
    }

    /// Whether this key was named for another user.
    pub(super) fn is_anothers(&self, key: &CredentialKey, user: &ExtId) -> bool {
        self.0.get(key).is_some_and(|owner| owner != *user)
    }
}
