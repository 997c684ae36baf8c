//! The store of operations: tokens, status, challenges (`gateway.md` 5).

use std::sync::Arc;

use async_trait::async_trait;

use crate::store::operation::{Applied, Event, Operation, OperationId, Refused};
use crate::store::{Origin, StoreError};

/// An event that happened: the record as it is now, and what came of it.
#[derive(Debug, Clone)]
pub struct Transition {
    /// The record after the event.
    pub operation: Arc<Operation>,
    /// On whose account it is.
    pub origin: Origin,
    /// What the event did.
    pub applied: Applied,
}

/// An event that did not happen; the record is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum TransitionError {
    /// The operation is not in a state for it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One record an operation, each step atomic: of any number of parallel redeems, answers or finishes of one operation,
/// on any number of nodes, one happens.
#[async_trait]
pub trait Operations: Send + Sync {
    /// Keeps a new operation, on the account of `origin`.
    ///
    /// # Errors
    /// [`StoreError::Full`] when the store, or the caller's share of it, has no room (503); nothing is kept then.
    async fn create(&self, operation: Operation, origin: &Origin) -> Result<(), StoreError>;

    /// The operation, while it is known.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn get(&self, id: OperationId) -> Result<Option<Arc<Operation>>, StoreError>;

    /// Lets an event happen as [`Operation::apply`] says, in one atomic step.
    ///
    /// # Errors
    /// Why it did not happen; an id that is not known is [`Refused::Unknown`]. [`StoreError::Full`] as for a new operation, if
    /// there is no room for what it adds.
    async fn transition(&self, id: OperationId, event: Event) -> Result<Transition, TransitionError>;

    /// Drops an operation whose dispatch failed: nothing redeemable is left behind.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn discard(&self, id: OperationId) -> Result<(), StoreError>;

    /// Gives back the room of forgotten operations; called about once a second. No answer depends on it.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn sweep(&self) -> Result<(), StoreError>;
}
