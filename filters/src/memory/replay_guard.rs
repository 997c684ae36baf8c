//! Used requests in memory.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

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
    ids: HashSet<ReplayId>,
    by_end: BTreeSet<(Millis, ReplayId)>,
}

impl MemoryReplayGuard {
    /// An empty set for at most `capacity` requests.
    #[must_use]
    pub fn new(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        Self { used: Mutex::default(), capacity, clock }
    }
}

impl Used {
    fn forget(&mut self, now: Millis) {
        while self.by_end.first().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, id)) = self.by_end.pop_first() {
                self.ids.remove(&id);
            }
        }
    }
}

#[async_trait]
impl ReplayGuard for MemoryReplayGuard {
    async fn remember(&self, id: &ReplayId, until: Millis) -> Result<Seen, FilterError> {
        let now = self.clock.now();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.forget(now);
        if used.ids.contains(id) {
            return Ok(Seen::Before);
        }
        if used.ids.len() >= self.capacity {
            return Err(FilterError::Unavailable("the memory of used requests"));
        }
        used.by_end.insert((until, id.clone()));
        used.ids.insert(id.clone());
        Ok(Seen::First)
    }

    async fn is_remembered(&self, id: &ReplayId) -> Result<bool, FilterError> {
        let now = self.clock.now();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.forget(now);
        Ok(used.ids.contains(id))
    }
}
