//! The stores of a gateway that shares nothing with others: memory for what is short-lived, one file for what must last.

use std::sync::Arc;

use sidegate_filters::clock::Clock;

use super::ComposeError;
use crate::cli::data;
use crate::config::Config;
use crate::store::embedded::Embedded;
use crate::store::memory::{Budget, MemoryChallenges, MemoryOperations, MemorySessions};
use crate::store::users::UsersFile;
use crate::store::{
    Challenges, Credentials, DataFolder, Operations, Replays, Sessions, StoreError, Targets, Users, sweep_orphans,
};

/// The durable store's file in the data folder.
const FILE: &str = "sidegate.redb";

/// Every store that the services use.
pub(in crate::cli) struct Stores {
    pub(super) operations: Arc<dyn Operations>,
    pub(super) challenges: Arc<dyn Challenges>,
    pub(super) sessions: Arc<dyn Sessions>,
    pub(super) targets: Arc<dyn Targets>,
    pub(super) credentials: Arc<dyn Credentials>,
    pub(super) replays: Arc<dyn Replays>,
    pub(in crate::cli) users: Arc<dyn Users>,
}

impl Stores {
    /// Opens them in the data folder.
    pub(in crate::cli) fn open(
        config: &Config,
        folder: &DataFolder,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ComposeError> {
        let budget = |bytes| Budget::new(bytes, config.limits.anonymous_share);
        let durable = Arc::new(Embedded::open(&folder.file(FILE), clock.clone())?);
        let of_operations = budget(config.limits.operations);
        Ok(Self {
            operations: Arc::new(MemoryOperations::new(of_operations.clone(), clock.clone())),
            challenges: Arc::new(MemoryChallenges::new(of_operations, clock.clone())),
            sessions: Arc::new(MemorySessions::new(budget(config.limits.sessions), clock.clone())),
            targets: durable.clone(),
            credentials: durable.clone(),
            replays: durable,
            users: Arc::new(UsersFile::open(folder.file(data::USERS))?),
        })
    }

    /// Gives back the room of what is over, and removes what belonged to removed users. Called about once a second.
    pub(in crate::cli) async fn sweep(&self) -> Result<(), StoreError> {
        self.operations.sweep().await?;
        self.challenges.sweep().await?;
        self.sessions.sweep().await
    }

    /// Removes credentials and targets of users who are gone.
    pub(in crate::cli) async fn sweep_orphans(&self) -> Result<(), StoreError> {
        sweep_orphans(self.users.as_ref(), self.targets.as_ref(), self.credentials.as_ref()).await?;
        Ok(())
    }
}
