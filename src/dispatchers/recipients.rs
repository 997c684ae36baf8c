//! Encryption keys of targets, imported once for each version of a target: the import costs more than the encryption.

use std::sync::Arc;

use moka::sync::Cache;
use sidegate_filters::jws::{JwkDocument, JwkError};

use crate::jose::EncryptionKey;
use crate::store::Target;

/// How many keys are kept ready; one that was dropped is imported again.
const CAPACITY: u64 = 100_000;

/// Keys by target and version.
#[derive(Clone)]
pub struct Recipients(Cache<(String, u64), Arc<EncryptionKey>>);

/// A stored key can't be used: the check at the target's creation should have refused it.
#[derive(Debug, thiserror::Error)]
pub enum RecipientError {
    /// Its text is no JSON.
    #[error("a stored JWK is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It is no key to encrypt for.
    #[error(transparent)]
    Jwk(#[from] JwkError),
}

impl Default for Recipients {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl Recipients {
    /// The key of a target.
    ///
    /// # Errors
    /// When what is stored is no encryption key.
    pub fn key(&self, target: &Target) -> Result<Arc<EncryptionKey>, RecipientError> {
        let version = (target.id.clone(), target.version);
        if let Some(key) = self.0.get(&version) {
            return Ok(key);
        }
        let document = JwkDocument::parse(&serde_json::from_str(&target.encryption_key)?)?;
        let key = Arc::new(EncryptionKey::try_from(document)?);
        self.0.insert(version, Arc::clone(&key));
        Ok(key)
    }
}
