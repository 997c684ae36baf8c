//! The index of challenges that another server issued (`http-api.md` 5, "Hybrid"): it leads an answer to its operation.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sidegate_filters::clock::Millis;

use crate::jose;
use crate::store::{Growth, OperationId, Origin, StoreError};

/// A challenge as it is looked up: its SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChallengeDigest([u8; 32]);

impl ChallengeDigest {
    /// Of a challenge's bytes.
    #[must_use]
    pub fn of(challenge: &[u8]) -> Self {
        Self(jose::sha256(challenge))
    }
}

/// Which operation a challenge was issued for. It is a hint: the operation's record says what it waits for.
#[async_trait]
pub trait Challenges: Send + Sync {
    /// Remembers until `until` whose challenge it is, on the account of `origin`; granted where a token had
    /// [`room`](Self::room) for it.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when it was issued before, for whichever operation; [`StoreError::Full`] as for
    /// operations, unless it is granted.
    async fn remember(
        &self,
        challenge: ChallengeDigest,
        operation: OperationId,
        until: Millis,
        origin: &Origin,
        growth: Growth,
    ) -> Result<(), StoreError>;

    /// Forgets a challenge that was not handed out.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn forget(&self, challenge: ChallengeDigest) -> Result<(), StoreError>;

    /// Bytes of memory that one takes.
    fn room(&self) -> usize;

    /// The operation that it was issued for.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn find(&self, challenge: ChallengeDigest) -> Result<Option<OperationId>, StoreError>;

    /// Gives back the room of what is over; called about once a second. No answer depends on it.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn sweep(&self) -> Result<(), StoreError>;
}
