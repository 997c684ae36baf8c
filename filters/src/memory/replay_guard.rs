//! Used requests in memory.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::Full;
use crate::clock::{Clock, Millis};
use crate::filter::FilterError;
use crate::jws_bypass::{ReplayGuard, ReplayId, Seen};

/// A bounded set of used requests. When it is full of requests that could still be replayed, new ones are refused.
pub struct MemoryReplayGuard {
    used: Mutex<Used>,
    capacity: usize,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Used {
    until: HashMap<ReplayId, Millis>,
    by_end: BTreeSet<(Millis, ReplayId)>,
}

impl MemoryReplayGuard {
    /// An empty set for at most `capacity` names of requests.
    #[must_use]
    pub fn new(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        Self { used: Mutex::default(), capacity, clock }
    }

    /// Inserts a request under all its names, unless one of them is there: then none.
    ///
    /// # Errors
    /// When it is new and there is no room for it.
    pub fn enter(&self, ids: &[ReplayId], until: Millis) -> Result<Seen, Full> {
        let mut used = self.current();
        if ids.iter().any(|id| used.until.contains_key(id)) {
            return Ok(Seen::Before);
        }
        if used.until.len().saturating_add(ids.len()) > self.capacity {
            return Err(Full);
        }
        for id in ids {
            used.by_end.insert((until, id.clone()));
            used.until.insert(id.clone(), until);
        }
        Ok(Seen::First)
    }

    /// Whether a request of this name is there.
    #[must_use]
    pub fn holds(&self, id: &ReplayId) -> bool {
        self.current().until.contains_key(id)
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.current().until.is_empty()
    }

    /// Takes out a request that was entered until then. When its time is over another may have one of its names, and
    /// keeps it.
    pub fn forget(&self, ids: &[ReplayId], until: Millis) {
        let mut used = self.current();
        for id in ids {
            if used.by_end.remove(&(until, id.clone())) {
                used.until.remove(id);
            }
        }
    }

    /// Those whose time is not over.
    fn current(&self) -> MutexGuard<'_, Used> {
        let now = self.clock.now();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        while used.by_end.first().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, id)) = used.by_end.pop_first() {
                used.until.remove(&id);
            }
        }
        used
    }
}

#[async_trait]
impl ReplayGuard for MemoryReplayGuard {
    async fn remember(&self, ids: &[ReplayId], until: Millis) -> Result<Seen, FilterError> {
        self.enter(ids, until).map_err(|Full| FilterError::unavailable("the memory of used requests"))
    }

    async fn is_remembered(&self, id: &ReplayId) -> Result<bool, FilterError> {
        Ok(self.holds(id))
    }
}
