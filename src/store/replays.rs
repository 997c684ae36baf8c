//! Request ids that were used (`http-api.md` 1.1, row 10).

use async_trait::async_trait;
use sidegate_filters::clock::Millis;

use crate::store::StoreError;

/// Remembers what may happen only once. Acknowledged means durable: a captured request never works twice, restart or
/// not.
#[async_trait]
pub trait Replays: Send + Sync {
    /// Remembers all of `keys` until `until`, in one step, unless one of them is remembered already: then none. True for
    /// the one caller who was first.
    ///
    /// # Errors
    /// When the store can't be asked or written: the request must be refused.
    async fn remember(&self, keys: &[&str], until: Millis) -> Result<bool, StoreError>;

    /// Whether `key` is remembered.
    ///
    /// # Errors
    /// When the store can't be asked: the request must be refused.
    async fn is_remembered(&self, key: &str) -> Result<bool, StoreError>;
}
