//! Whose keys the upstream's requests named. A key id is no secret: the request for a login tells those of its user.

use std::collections::BTreeSet;

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
    /// These keys were named for this user, each as often as there are choices with it.
    pub(super) fn note(&self, user: &ExtId, keys: impl Iterator<Item = KeyRef>) {
        let mut noted = BTreeSet::new();
        for key in keys.map(|key| record_key(&key)) {
            if noted.len() == OF_ONE_REQUEST {
                break;
            }
            if noted.insert(key.clone()) {
                self.0.entry(key).or_insert_with(|| user.clone());
            }
        }
    }

    /// Whether this key was named for another user.
    pub(super) fn is_anothers(&self, key: &CredentialKey, user: &ExtId) -> bool {
        self.0.get(key).is_some_and(|owner| owner != *user)
    }
}

#[cfg(test)]
mod tests {
    use sidegate_uaf::KeyId;

    use super::*;

    #[test]
    fn a_key_that_is_named_again_takes_no_place() {
        let key = |number: u8| KeyRef { aaid: "D0D0#0001".parse().unwrap(), key_id: KeyId::new([number; 32]).unwrap() };
        let (named, eve) = (Named::default(), "ext-eve".into());
        named.note(&"ext-jeff".into(), std::iter::repeat_n(key(0), OF_ONE_REQUEST).chain((1..=64).map(key)));
        assert!(named.is_anothers(&record_key(&key(63)), &eve));
        assert!(!named.is_anothers(&record_key(&key(64)), &eve), "more than an owner may have");
    }
}
