//! Slowing failing logins down without locking anybody out.
//!
//! Attempts are counted by (user, source network), where a user is named, and by source network. There is no count by
//! user alone: a stranger somewhere else could use it up for the victim. An attempt counts from its beginning, so that
//! parallel ones gain nothing, and only success takes it back. Memory is bounded: what is not used while many others are is forgotten.

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

impl Paces {
    /// For answers that are signed: nobody guesses one, so that a whole carrier's phones may fail for long before one
    /// source is slowed for what its answers cost.
    #[must_use]
    pub fn of_signatures() -> Self {
        let network = Pace { free: 500, longest: Duration::from_secs(5), parallel: 200 };
        Self { network, ..Self::default() }
    }
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

    fn release(&mut self) {
        self.pending = self.pending.saturating_sub(1);
    }

    fn fail(&mut self, now: Millis) {
        self.release();
        self.failures = self.failures.saturating_add(1);
        self.last = Some(now);
    }
}

/// A user as one source network names it.
type User = (u64, SourceNetwork);

struct State {
    users: Recent<User, Entry>,
    networks: Recent<SourceNetwork, Entry>,
}

impl State {
    fn change(&mut self, user: Option<User>, network: SourceNetwork, step: impl Fn(&mut Entry)) {
        self.change_user(user, &step);
        change(&mut self.networks, network, step);
    }

    fn change_user(&mut self, user: Option<User>, step: impl FnOnce(&mut Entry)) {
        if let Some(user) = user {
            change(&mut self.users, user, step);
        }
    }
}

/// Admits attempts to log in; all of one kind share one.
pub struct Throttle {
    paces: Paces,
    names: RandomState,
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

impl Throttle {
    /// Nothing has failed yet.
    #[must_use]
    pub fn new(paces: Paces, clock: Arc<dyn Clock>) -> Self {
        let state = State { users: Recent::new(paces.entries), networks: Recent::new(paces.entries) };
        Self { paces, names: RandomState::new(), state: Mutex::new(state), clock }
    }

    /// Lets an attempt for the user of this name begin.
    ///
    /// # Errors
    /// How long to wait.
    pub fn admit(self: &Arc<Self>, name: &str, network: SourceNetwork) -> Result<Ticket, Duration> {
        self.begin(Some((self.names.hash_one(name), network)), network)
    }

    /// Lets an attempt begin that names nobody, or nobody who could be believed.
    ///
    /// # Errors
    /// How long to wait.
    pub fn admit_unnamed(self: &Arc<Self>, network: SourceNetwork) -> Result<Ticket, Duration> {
        self.begin(None, network)
    }

    fn begin(self: &Arc<Self>, user: Option<User>, network: SourceNetwork) -> Result<Ticket, Duration> {
        let now = self.clock.now();
        let Paces { memory, .. } = self.paces;
        let mut state = self.state();
        let of_user = user.and_then(|user| state.users.get(&user)).unwrap_or_default();
        let wait = of_user.wait(&self.paces.user, memory, now);
        let wait = wait.max(state.networks.get(&network).unwrap_or_default().wait(&self.paces.network, memory, now));
        if !wait.is_zero() {
            return Err(wait);
        }
        state.change(user, network, |entry| entry.begin(memory, now));
        Ok(Ticket { throttle: Arc::clone(self), user, network, end: End::Failed })
    }

    fn settle(&self, user: Option<User>, network: SourceNetwork, end: End) {
        let now = self.clock.now();
        let mut state = self.state();
        match end {
            End::Failed => state.change(user, network, |entry| entry.fail(now)),
            // A success clears the user's own count only: an attacker's good login must not reset the network's.
            End::Succeeded => {
                state.change(user, network, Entry::release);
                state.change_user(user, |entry| entry.failures = 0);
            }
            End::Unused => state.change(user, network, Entry::release),
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
pub struct Ticket {
    throttle: Arc<Throttle>,
    user: Option<User>,
    network: SourceNetwork,
    end: End,
}

impl Ticket {
    /// It proved who it is.
    pub fn succeeded(mut self) {
        self.end = End::Succeeded;
    }

    /// Whether it would have, was not looked at.
    pub fn unused(mut self) {
        self.end = End::Unused;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.throttle.settle(self.user, self.network, self.end);
    }
}

#[cfg(test)]
mod tests;
