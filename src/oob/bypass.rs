//! What the JWS bypass needs to know of dispatch targets (`http-api.md` 1.1, rows 8 to 10): their signature keys, imported
//! once, and the requests that were used.

mod folder;

use std::sync::Arc;

use async_trait::async_trait;
use moka::sync::Cache;
use sidegate_filters::FilterError;
use sidegate_filters::clock::Millis;
use sidegate_filters::jws::{JwkDocument, JwkError, VerificationKey};
use sidegate_filters::jws_bypass::{RegisteredKey, ReplayGuard, ReplayId, Seen, TargetKeys};

use crate::store::{Replays, StoreError, Target, Targets};

pub use folder::KeyFolder;

/// How many keys are kept ready; one that was dropped is imported again.
const CAPACITY: u64 = 100_000;

/// The signature keys of the stored targets.
pub struct StoredTargetKeys {
    targets: Arc<dyn Targets>,
    /// By target and version.
    imported: Cache<(String, u64), Arc<VerificationKey>>,
}

impl StoredTargetKeys {
    /// The keys of these targets.
    #[must_use]
    pub fn new(targets: Arc<dyn Targets>) -> Self {
        Self { targets, imported: Cache::new(CAPACITY) }
    }

    fn imported(&self, target: &Target) -> Result<Arc<VerificationKey>, FilterError> {
        let version = (target.id.clone(), target.version);
        if let Some(key) = self.imported.get(&version) {
            return Ok(key);
        }
        let key = Arc::new(
            import(target).map_err(|error| FilterError::Internal(format!("a stored signature key: {error}")))?,
        );
        self.imported.insert(version, key.clone());
        Ok(key)
    }
}

fn import(target: &Target) -> Result<VerificationKey, JwkError> {
    let text = serde_json::Value::String(target.signature_key.clone());
    VerificationKey::try_from(JwkDocument::parse(&text)?)
}

#[async_trait]
impl TargetKeys for StoredTargetKeys {
    async fn key(&self, target_id: &str) -> Result<Option<RegisteredKey>, FilterError> {
        let Some(target) = self.targets.get(target_id).await.map_err(unavailable)? else { return Ok(None) };
        let key = self.imported(&target)?;
        let serves_several = self.targets.key_is_shared(&target.signature_thumbprint).await.map_err(unavailable)?;
        Ok(Some(RegisteredKey { key, serves_several }))
    }
}

/// The requests that were used, remembered over restarts.
pub struct UsedRequests {
    replays: Arc<dyn Replays>,
    /// Before each name; empty for targets of our own.
    whose: String,
}

impl UsedRequests {
    /// Changes of our own targets, remembered in this store.
    #[must_use]
    pub fn new(replays: Arc<dyn Replays>) -> Self {
        Self { replays, whose: String::new() }
    }

    /// Changes of targets that the server behind at `host:port` owns, in the same store: what one server took says nothing
    /// of another's targets.
    #[must_use]
    pub fn behind(replays: Arc<dyn Replays>, server: &str) -> Self {
        // No name begins with @.
        Self { replays, whose: format!("@{server} ") }
    }

    fn key(&self, id: &ReplayId) -> String {
        format!("{}{id}", self.whose)
    }
}

#[async_trait]
impl ReplayGuard for UsedRequests {
    async fn remember(&self, ids: &[ReplayId], until: Millis) -> Result<Seen, FilterError> {
        let keys: Vec<String> = ids.iter().map(|id| self.key(id)).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let first = self.replays.remember(&keys, until).await.map_err(unavailable)?;
        Ok(if first { Seen::First } else { Seen::Before })
    }

    async fn is_remembered(&self, id: &ReplayId) -> Result<bool, FilterError> {
        self.replays.is_remembered(&self.key(id)).await.map_err(unavailable)
    }
}

fn unavailable(error: StoreError) -> FilterError {
    tracing::error!(%error, "the store of dispatch targets can't be asked");
    FilterError::unavailable("the store of dispatch targets")
}
