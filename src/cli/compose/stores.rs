//! The stores of a gateway that shares nothing with others: memory for what is short-lived, one file for what must last.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sidegate_filters::clock::Clock;

use super::ComposeError;
use super::lasting::Lasting;
use super::memory::{InMemory, Memory};
use crate::cli::data;
use crate::config::Config;
use crate::store::embedded::{Embedded, EmbeddedError};
use crate::store::memory::{Budget, MemoryChallenges, MemoryOperations, MemorySessions};
use crate::store::users::UsersFile;
use crate::store::{
    Belongings, Challenges, Credentials, DataFolder, Eras, ExtId, KeysBehind, Operations, Orphans, Replays, Sessions,
    StoreError, Targets, Users,
};
use crate::telemetry::audit::Event;

/// How long the system may take to end a process.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
const BEAT: Duration = Duration::from_millis(10);

/// Every store that the services use, and what else outlives a configuration.
pub(in crate::cli) struct Stores {
    pub(super) operations: Arc<dyn Operations>,
    pub(super) challenges: Arc<dyn Challenges>,
    pub(super) sessions: Arc<dyn Sessions>,
    pub(super) targets: Arc<dyn Targets>,
    pub(super) credentials: Arc<dyn Credentials>,
    pub(super) keys_behind: Arc<dyn KeysBehind>,
    pub(super) belongings: Arc<dyn Belongings>,
    pub(super) replays: Arc<dyn Replays>,
    pub(in crate::cli) users: Arc<dyn Users>,
    memory: InMemory,
    pub(super) lasting: Lasting,
    /// There are keys of users in the store that this one stands in for.
    keys_elsewhere: bool,
    /// How many users were last said to be missing without a removal.
    unexplained: AtomicUsize,
}

impl Stores {
    /// Opens them in the data folder. The users come first: a start that is cut short leaves users without a store, as
    /// users do who are added before the first start, and never a store without users.
    pub(in crate::cli) fn open(
        config: &Config,
        folder: &DataFolder,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ComposeError> {
        let (file, store) = (folder.file(data::USERS), folder.file(data::STORE));
        let used = Embedded::was_made(&store).map_err(EmbeddedError::from)?;
        let users = if used { UsersFile::open_used(file)? } else { UsersFile::open_new(file)? };
        Ok(Self::over(config, users, Embedded::open(&store, clock.clone())?, clock))
    }

    /// Those of a gateway that serves from the folder, to look at what it would be to follow it: its users, and in place of
    /// its store, which it holds, an empty one in this file.
    pub(super) fn beside(
        config: &Config,
        folder: &DataFolder,
        (store, has_keys): (&Path, bool),
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ComposeError> {
        let users = UsersFile::open_used(folder.file(data::USERS))?;
        let stores = Self::over(config, users, Embedded::open(store, clock.clone())?, clock);
        Ok(Self { keys_elsewhere: has_keys, ..stores })
    }

    fn over(config: &Config, users: UsersFile, durable: Embedded, clock: &Arc<dyn Clock>) -> Self {
        let budget = |bytes| Budget::new(bytes, config.limits.anonymous_share);
        let durable = Arc::new(durable);
        let of_operations = budget(config.limits.operations);
        let memory = InMemory {
            operations: Arc::new(MemoryOperations::new(of_operations.clone(), clock.clone())),
            challenges: Arc::new(MemoryChallenges::new(of_operations, clock.clone())),
            sessions: Arc::new(MemorySessions::new(budget(config.limits.sessions), clock.clone())),
        };
        Self {
            operations: memory.operations.clone(),
            challenges: memory.challenges.clone(),
            sessions: memory.sessions.clone(),
            memory,
            targets: durable.clone(),
            credentials: durable.clone(),
            keys_behind: durable.clone(),
            belongings: durable.clone(),
            replays: durable,
            users: Arc::new(users),
            lasting: Lasting::default(),
            keys_elsewhere: false,
            unexplained: AtomicUsize::new(0),
        }
    }

    /// Whether there are keys of users, which are bound to the appID.
    pub(in crate::cli) async fn has_keys(&self) -> Result<bool, StoreError> {
        Ok(self.keys_elsewhere || !self.credentials.owners().await?.is_empty())
    }

    /// Opens them after a gateway that ended just now, which the system may still be about to notice, and goes on with
    /// what it left.
    pub(in crate::cli) fn open_after(
        config: &Config,
        folder: &DataFolder,
        clock: &Arc<dyn Clock>,
        memory: Memory,
    ) -> Result<Self, ComposeError> {
        let end = Instant::now() + ENDS_WITHIN;
        loop {
            match Self::open(config, folder, clock) {
                Err(ComposeError::Embedded(EmbeddedError::InUse(_))) if Instant::now() < end => {
                    std::thread::sleep(BEAT);
                }
                opened => {
                    let stores = opened?;
                    stores.memory.take_over(memory);
                    return Ok(stores);
                }
            }
        }
    }

    /// The route table that was composed last over them is served from now on: what it remembers outlives it.
    pub(in crate::cli) fn served(&self) {
        self.lasting.keep();
    }

    /// In which era users are, and which keys they have.
    pub(super) fn eras(&self) -> Eras {
        let (users, sessions) = (self.users.clone(), self.sessions.clone());
        Eras { users, sessions, belongings: self.belongings.clone() }
    }

    /// What is in memory alone.
    pub(in crate::cli) fn left(&self) -> Memory {
        self.memory.left()
    }

    /// Gives back the room of what is over, and removes what belonged to removed users. Called about once a second.
    pub(in crate::cli) async fn sweep(&self) -> Result<(), StoreError> {
        self.operations.sweep().await?;
        self.challenges.sweep().await?;
        self.sessions.sweep().await
    }

    /// Removes credentials and targets of users who were removed. What belongs to users who are only missing stays, and
    /// is told when their number changes.
    pub(in crate::cli) async fn sweep_orphans(&self) -> Result<(), StoreError> {
        let (users, targets) = (self.users.as_ref(), self.targets.as_ref());
        let (credentials, keys_behind) = (self.credentials.as_ref(), self.keys_behind.as_ref());
        let orphans = Orphans::find(users, targets, credentials, keys_behind).await?;
        let missing = orphans.unexplained.len();
        if self.unexplained.swap(missing, Ordering::Relaxed) != missing {
            tracing::warn!(
                users = missing,
                "so many users with dispatch targets or keys are not in the users file, and their removal is not on \
                 record there: what they have is kept"
            );
        }
        for user in &orphans.removed {
            self.sweep_orphan(user).await?;
        }
        Ok(())
    }

    async fn sweep_orphan(&self, user: &ExtId) -> Result<(), StoreError> {
        let swept = |what, count| match count {
            0 => {}
            count => Event::Swept { user: user.as_str(), what, count }.record(),
        };
        let removed = self.belongings.remove_all(user).await?;
        swept("targets", removed.targets.len());
        swept("credentials", removed.credentials.len());
        Ok(())
    }
}
