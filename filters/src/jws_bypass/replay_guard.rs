//! What makes a captured request worthless.

use std::fmt;

use async_trait::async_trait;

use crate::clock::Millis;
use crate::filter::FilterError;
use crate::jws::{Thumbprint, base64url, sha256};

/// A name under which a used request is remembered; it shows who signed or a hash, and may be logged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplayId(String);

impl ReplayId {
    /// Of a request whose signature was verified. The thumbprint has a fixed length, so no two pairs share a name.
    #[must_use]
    pub fn signed(thumbprint: &Thumbprint, request_id: &str) -> Self {
        Self(format!("{thumbprint}.{request_id}"))
    }

    /// Of a request whose signature the server behind verifies; it goes by both. The first is the SHA-256 of what is
    /// signed: all else (the path, the signature itself) can be written in another way by whoever captured it. The second
    /// is that of the target, in small letters since the server may not tell them apart, and the request id: another
    /// change under it is no new request. No thumbprint has a slash, nor has a target's id.
    #[must_use]
    pub fn believed(signing_digest: &[u8; 32], target_id: &str, request_id: &str) -> [Self; 2] {
        let named = sha256(format!("{}/{request_id}", target_id.to_ascii_lowercase()).as_bytes());
        [format!("/{}", base64url::encode(signing_digest)), format!("//{}", base64url::encode(named))].map(Self)
    }

    /// As a key of a store: at most 300 bytes of UTF-8.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReplayId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether a request was used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Seen {
    /// Never: it is remembered from now on. Of any number of parallel askers one gets this.
    First,
    /// Yes.
    Before,
}

/// Remembers used requests (`http-api.md` 1.1, row 10), over a restart too.
#[async_trait]
pub trait ReplayGuard: Send + Sync {
    /// Inserts a request under all its names, in one step, unless one of them is there: then none. It may be forgotten
    /// from `until` on, not before.
    ///
    /// # Errors
    /// [`FilterError::Unavailable`] when it could not be written: the request is refused then.
    async fn remember(&self, ids: &[ReplayId], until: Millis) -> Result<Seen, FilterError>;

    /// Whether a request of this name is there.
    ///
    /// # Errors
    /// [`FilterError::Unavailable`] when it can't be told: the request is refused then.
    async fn is_remembered(&self, id: &ReplayId) -> Result<bool, FilterError>;
}
