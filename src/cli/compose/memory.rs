//! What a gateway has in memory alone, for the one that takes over from it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::store::memory::{
    ChallengesLeft, MemoryChallenges, MemoryOperations, MemorySessions, OperationsLeft, SessionsLeft,
};

/// The stores in memory.
pub(super) struct InMemory {
    pub(super) operations: Arc<MemoryOperations>,
    pub(super) challenges: Arc<MemoryChallenges>,
    pub(super) sessions: Arc<MemorySessions>,
}

/// What was in them.
#[derive(Default, Serialize, Deserialize)]
pub(in crate::cli) struct Memory {
    operations: OperationsLeft,
    challenges: ChallengesLeft,
    sessions: SessionsLeft,
}

impl Memory {
    /// How many sessions.
    pub(in crate::cli) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// How many operations.
    pub(in crate::cli) fn operations(&self) -> usize {
        self.operations.len()
    }
}

impl InMemory {
    pub(super) fn left(&self) -> Memory {
        let (operations, challenges) = (self.operations.left(), self.challenges.left());
        Memory { operations, challenges, sessions: self.sessions.left() }
    }

    pub(super) fn take_over(&self, memory: Memory) {
        let (sessions, operations) = (memory.sessions(), memory.operations());
        let without_room = self.operations.take_over(memory.operations)
            + self.challenges.take_over(memory.challenges)
            + self.sessions.take_over(memory.sessions);
        tracing::info!(sessions, operations, without_room, "taken over");
    }
}
