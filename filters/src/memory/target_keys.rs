//! Signature keys of targets in memory.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;

use super::Full;
use crate::filter::FilterError;
use crate::jws::VerificationKey;
use crate::jws_bypass::{RegisteredKey, TargetKeys};

/// A bounded map from target id to key.
#[derive(Debug)]
pub struct MemoryTargetKeys {
    keys: RwLock<HashMap<String, Arc<VerificationKey>>>,
    capacity: usize,
}

impl MemoryTargetKeys {
    /// An empty map for at most `capacity` targets.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { keys: RwLock::default(), capacity }
    }

    /// Registers the key of a target, in place of the one it had.
    ///
    /// # Errors
    /// When the target is new and there is no room for it.
    pub fn register(&self, target_id: impl Into<String>, key: Arc<VerificationKey>) -> Result<(), Full> {
        let (target_id, mut keys) = (target_id.into(), self.keys.write().unwrap_or_else(PoisonError::into_inner));
        if keys.len() >= self.capacity && !keys.contains_key(&target_id) {
            return Err(Full);
        }
        keys.insert(target_id, key);
        Ok(())
    }

    /// Forgets a target.
    pub fn remove(&self, target_id: &str) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).remove(target_id);
    }
}

#[async_trait]
impl TargetKeys for MemoryTargetKeys {
    async fn key(&self, target_id: &str) -> Result<Option<RegisteredKey>, FilterError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        Ok(keys.get(target_id).map(|key| RegisteredKey {
            key: Arc::clone(key),
            serves_several: keys.values().filter(|other| other.thumbprint() == key.thumbprint()).nth(1).is_some(),
        }))
    }
}
