//! Slowing guesses down without locking anybody out.
//!
//! Attempts are counted by (user, source network) and by source network. There is no count by user alone: a stranger
//! somewhere else could use it up for the victim. An attempt counts from its beginning, so that parallel ones gain nothing,
//! and only success takes it back. Memory is bounded: what is not used while many others are is forgotten.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sidegate_filters::clock::{Clock, Millis};
use sidegate_filters::recent::Recent;

use crate::store::SourceNetwork;

/// How failures slow the next attempt.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// So many attempts may fail without any delay.
    pub free: u32,
    /// The delay after them doubles from one second up to this.
    pub longest: Duration,
    /// So many may be under way at a time.
    pub parallel: u32,
}

/// The two counts.
#[derive(Debug, Clone, Copy)]
pub struct Paces {
    /// One user from one network.
    pub user: Pace,
    /// One network, whoever the user.
    pub network: Pace,
    /// After so long without a failure all is forgotten.
    pub memory: Duration,
    /// Entries kept for each count; about 64 bytes each.
    pub entries: usize,
}

impl Default for Paces {
    fn default() -> Self {
        Self {
            user: Pace { free: 10, longest: Duration::from_secs(30), parallel: 10 },
            network: Pace { free: 100, longest: Duration::from_secs(5), parallel: 50 },
            memory: Duration::from_secs(15 * 60),
            entries: 50_000,
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Entry {
    failures: u32,
    pending: u32,
    last: Option<Millis>,
}

impl Entry {
    /// How long the next attempt has to wait; zero: it may begin.
    fn wait(&self, pace: &Pace, memory: Duration, now: Millis) -> Duration {
        let Some(last) = self.last else { return Duration::ZERO };
        let passed = now.since(last);
        let failures = if passed > memory { 0 } else { self.failures };
        if self.pending >= pace.parallel {
            return Duration::from_secs(1);
        }
        if failures.saturating_add(self.pending) < pace.free {
            return Duration::ZERO;
        }
        if self.pending > 0 {
            return Duration::from_secs(1);
        }
        let doublings = failures.saturating_sub(pace.free).min(16);
        Duration::from_secs(1 << doublings).min(pace.longest).saturating_sub(passed)
    }

    fn begin(&mut self, memory: Duration, now: Millis) {
        if self.last.is_some_and(|last| now.since(last) > memory) {
            self.failures = 0;
        }
        self.pending = self.pending.saturating_add(1);
        self.last.get_or_insert(now);
    }

    fn fail(&mut self, now: Millis) {
        self.pending = self.pending.saturating_sub(1);
        self.failures = self.failures.saturating_add(1);
        self.last = Some(now);
    }
}

struct State {
    users: Recent<(u64, SourceNetwork), Entry>,
    networks: Recent<SourceNetwork, Entry>,
}

pub(super) struct Throttle {
    paces: Paces,
    names: RandomState,
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

impl Throttle {
    pub(super) fn new(paces: Paces, clock: Arc<dyn Clock>) -> Self {
        let state = State { users: Recent::new(paces.entries), networks: Recent::new(paces.entries) };
        Self { paces, names: RandomState::new(), state: Mutex::new(state), clock }
    }

    /// Lets an attempt begin, or says how long to wait.
    pub(super) fn admit(self: &Arc<Self>, name: &str, network: SourceNetwork) -> Result<Ticket, Duration> {
        let now = self.clock.now();
        let user = (self.names.hash_one(name), network);
        let Paces { memory, .. } = self.paces;
        let mut state = self.state();
        let wait = state.users.get(&user).unwrap_or_default().wait(&self.paces.user, memory, now);
        let wait = wait.max(state.networks.get(&network).unwrap_or_default().wait(&self.paces.network, memory, now));
        if !wait.is_zero() {
            return Err(wait);
        }
        change(&mut state.users, user, |entry| entry.begin(memory, now));
        change(&mut state.networks, network, |entry| entry.begin(memory, now));
        Ok(Ticket { throttle: Arc::clone(self), user, end: End::Failed })
    }

    fn settle(&self, user: (u64, SourceNetwork), end: End) {
        let now = self.clock.now();
        let release = |entry: &mut Entry| entry.pending = entry.pending.saturating_sub(1);
        let mut state = self.state();
        match end {
            End::Failed => {
                change(&mut state.users, user, |entry| entry.fail(now));
                change(&mut state.networks, user.1, |entry| entry.fail(now));
            }
            // A success clears the user's own count only: an attacker's good login must not reset the network's.
            End::Succeeded => {
                change(&mut state.users, user, |entry| {
                    release(entry);
                    entry.failures = 0;
                });
                change(&mut state.networks, user.1, release);
            }
            End::Unused => {
                change(&mut state.users, user, release);
                change(&mut state.networks, user.1, release);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy)]
enum End {
    Failed,
    Succeeded,
    Unused,
}

/// An entry without failures, and without attempts under way, is no entry.
fn change<K: Hash + Eq>(entries: &mut Recent<K, Entry>, key: K, change: impl FnOnce(&mut Entry)) {
    let mut entry = entries.remove(&key).unwrap_or_default();
    change(&mut entry);
    if entry.pending > 0 || entry.failures > 0 {
        entries.insert(key, entry);
    }
}

/// An attempt under way. Whoever drops it has failed: also a client that hangs up before the answer.
pub(super) struct Ticket {
    throttle: Arc<Throttle>,
    user: (u64, SourceNetwork),
    end: End,
}

impl Ticket {
    /// The password was good.
    pub(super) fn succeeded(mut self) {
        self.end = End::Succeeded;
    }

    /// The password was not looked at.
    pub(super) fn unused(mut self) {
        self.end = End::Unused;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.throttle.settle(self.user, self.end);
    }
}

#[cfg(test)]
mod tests;
