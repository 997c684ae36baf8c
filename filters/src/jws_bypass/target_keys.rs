//! Where the filter gets the key of a target.

use std::sync::Arc;

use async_trait::async_trait;

use crate::filter::FilterError;
use crate::jws::VerificationKey;

/// The `signatureKey` of a target.
#[derive(Debug, Clone)]
pub struct RegisteredKey {
    /// The key, imported once and kept: importing costs more than verifying.
    pub key: Arc<VerificationKey>,
    /// Whether the same key is registered for another target too: then a request must name its target.
    pub serves_several: bool,
}

/// The signature keys of all targets.
#[async_trait]
pub trait TargetKeys: Send + Sync {
    /// The key of this target; `None` if there is no such target.
    ///
    /// # Errors
    /// [`FilterError::Unavailable`] when the store cannot be asked.
    async fn key(&self, target_id: &str) -> Result<Option<RegisteredKey>, FilterError>;
}
