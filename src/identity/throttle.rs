//! Slowing failing logins down without locking anybody out.
//!
//! Attempts are counted by (user, source network), where a user is named, and by source network. There is no count by
//! user alone: a stranger somewhere else could use it up for the victim. A user who has logged in from a network lately
//! is not held up by what others fail there, nor, with one attempt at a time, by how many they have under way: that one
//! takes a reserved place. Of these a network has no more than of the others, since whoever shares it may know the names
//! of many who are familiar there. An attempt counts from its beginning, so that parallel ones gain nothing, and only
//! success takes it back.
//!
//! Memory is bounded: what is not used while many others are is forgotten. An attacker with many networks can make
//! counts be forgotten (25,000 failures with the built-in numbers), which slows him less and nobody more. Logins that
//! are remembered he can't push out: it takes as many users with a credential each.

mod bucket;
mod familiar;
mod pace;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sidegate_filters::clock::{Clock, Millis, SteadyClock};
use sidegate_filters::recent::Recent;

use crate::store::SourceNetwork;
use bucket::Level;
pub use bucket::{Bucket, Lane};
use familiar::Familiar;
pub use pace::Pace;
use pace::Tally;

/// The two counts.
#[derive(Debug, Clone, Copy)]
pub struct Paces {
    /// One user from one network.
    pub user: Pace,
    /// One network, whoever the user.
    pub network: Bucket,
    /// For so long after a login its user is not held up by what others fail in the same network.
    pub familiar: Duration,
    /// Entries kept for each count, and users whose logins are remembered; about 64 bytes each, 300 for a user.
    pub entries: usize,
}

impl Paces {
    /// For passwords, of which so many may be checked or wait for it at a time in each [`Lane`]: one network has
    /// `percent` of these places, lest it fill them.
    #[must_use]
    pub fn of_passwords(places: usize, percent: u8) -> Self {
        let share = places.saturating_mul(usize::from(percent)) / 100;
        let paces = Self::default();
        let parallel = u32::try_from(share.max(1)).unwrap_or(u32::MAX);
        Self { network: Bucket { parallel, ..paces.network }, ..paces }
    }

    /// For answers that are signed: nobody guesses one, so that a whole carrier's phones may fail for long before one
    /// source is slowed for what its answers cost.
    #[must_use]
    pub fn of_signatures() -> Self {
        let longest = Duration::from_secs(5);
        Self {
            user: Pace { free: 50, longest, ..Pace::default() },
            network: Bucket { holds: 500, drains_one_in: Duration::from_secs(1), parallel: 200 },
            ..Self::default()
        }
    }
}

impl Default for Paces {
    fn default() -> Self {
        Self {
            user: Pace::default(),
            network: Bucket { holds: 100, drains_one_in: Duration::from_secs(5), parallel: 50 },
            familiar: Duration::from_secs(7 * 24 * 3600),
            entries: 50_000,
        }
    }
}

/// What is counted for one key. An idle count says nothing, and is not kept.
trait Count: Clone + Default {
    fn is_idle(&self, now: Millis) -> bool;
}

/// A user's name, hashed with a key of this process.
type Name = u64;

struct State {
    users: Recent<(Name, SourceNetwork), Tally>,
    networks: Recent<SourceNetwork, Level>,
    familiar: Familiar,
}

/// Whose attempt it is.
#[derive(Clone, Copy)]
struct Source {
    name: Option<Name>,
    network: SourceNetwork,
}

impl State {
    fn wait(&self, paces: &Paces, source: Source, lane: Lane, now: Millis) -> Duration {
        let level = self.networks.get(&source.network).unwrap_or_default();
        let Some(name) = source.name else { return level.wait(&paces.network, now) };
        let of_network = if lane == Lane::Reserved {
            // It gets in whatever the others of the network do; more of one user's are a crowd like any other.
            Duration::ZERO
        } else if self.familiar.knows(name, source.network, now) {
            level.crowd(&paces.network)
        } else {
            level.wait(&paces.network, now)
        };
        let tally = self.users.get(&(name, source.network)).unwrap_or_default();
        tally.wait(&paces.user, now).max(of_network)
    }

    /// The reserved one for a user who has logged in from there lately and has no other attempt under way, as long as
    /// the network's share of it lasts.
    fn lane(&self, paces: &Paces, Source { name, network }: Source, now: Millis) -> Lane {
        let under_way = |name| self.users.get(&(name, network)).is_some_and(|tally| tally.is_under_way());
        let first_of_familiar = name.is_some_and(|name| self.familiar.knows(name, network, now) && !under_way(name));
        if !first_of_familiar || self.networks.get(&network).unwrap_or_default().has_no_reserve(&paces.network) {
            return Lane::Common;
        }
        Lane::Reserved
    }

    fn change(
        &mut self,
        Source { name, network }: Source,
        now: Millis,
        tally: impl FnOnce(&mut Tally),
        level: impl FnOnce(&mut Level),
    ) {
        if let Some(name) = name {
            change(&mut self.users, (name, network), now, tally);
        }
        change(&mut self.networks, network, now, level);
    }
}

fn change<K: Hash + Eq, C: Count>(counts: &mut Recent<K, C>, key: K, now: Millis, change: impl FnOnce(&mut C)) {
    let mut count = counts.remove(&key).unwrap_or_default();
    change(&mut count);
    if !count.is_idle(now) {
        counts.insert(key, count);
    }
}

/// Admits attempts to log in; all of one kind share one.
pub struct Throttle {
    paces: Paces,
    names: RandomState,
    state: Mutex<State>,
    clock: SteadyClock,
}

impl Throttle {
    /// Nothing has failed yet.
    #[must_use]
    pub fn new(paces: Paces, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            users: Recent::new(paces.entries),
            networks: Recent::new(paces.entries),
            familiar: Familiar::new(paces.entries, paces.familiar),
        };
        Self { paces, names: RandomState::new(), state: Mutex::new(state), clock: SteadyClock::new(clock) }
    }

    /// Lets an attempt be looked at as far as whom it names, which [`Throttle::admit`] wants to know. A network that is
    /// full may still be the one of a familiar user, so that only how many are under way counts here.
    ///
    /// # Errors
    /// How long to wait.
    pub fn enter(self: &Arc<Self>, network: SourceNetwork) -> Result<Ticket, Duration> {
        let (now, source) = (self.clock.now(), Source { name: None, network });
        let mut state = self.state();
        let wait = state.networks.get(&network).unwrap_or_default().crowd(&self.paces.network);
        if !wait.is_zero() {
            return Err(wait);
        }
        change(&mut state.networks, network, now, |level| level.begin(Lane::Common));
        Ok(Ticket { throttle: Arc::clone(self), source, lane: Lane::Common, end: End::Unused })
    }

    /// Lets an attempt begin for the user of this name; an attempt that names nobody counts for its network alone.
    ///
    /// # Errors
    /// How long to wait.
    pub fn admit(self: &Arc<Self>, name: Option<&str>, network: SourceNetwork) -> Result<Ticket, Duration> {
        let (now, paces) = (self.clock.now(), &self.paces);
        let source = Source { name: name.map(|name| self.names.hash_one(name)), network };
        let mut state = self.state();
        let lane = state.lane(paces, source, now);
        let wait = state.wait(paces, source, lane, now);
        if !wait.is_zero() {
            return Err(wait);
        }
        state.change(source, now, |tally| tally.begin(&paces.user, now), |level| level.begin(lane));
        Ok(Ticket { throttle: Arc::clone(self), source, lane, end: End::Failed })
    }

    fn leave_reserve(&self, network: SourceNetwork) -> bool {
        let mut left = false;
        change(&mut self.state().networks, network, self.clock.now(), |level| {
            left = level.leave_reserve(&self.paces.network);
        });
        left
    }

    fn settle(&self, source: Source, lane: Lane, end: End) {
        let (now, bucket) = (self.clock.now(), &self.paces.network);
        let mut state = self.state();
        match end {
            End::Failed => state.change(source, now, |tally| tally.fail(now), |level| level.fail(lane, bucket, now)),
            // The network's failures stay: an attacker's good login must not take them back.
            End::Succeeded => {
                state.change(source, now, Tally::succeed, |level| level.release(lane));
                if let Some(name) = source.name {
                    state.familiar.logged_in(name, source.network, now);
                }
            }
            End::Unused => state.change(source, now, Tally::release, |level| level.release(lane)),
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

/// An attempt under way. Whoever drops it has failed: also a client that hangs up before the answer.
pub struct Ticket {
    throttle: Arc<Throttle>,
    source: Source,
    lane: Lane,
    end: End,
}

impl Ticket {
    /// Which places it takes one of: strangers, however many they are, are not to hold up one of a user who has logged in
    /// from there lately and had no other under way.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Where it was to take a reserved place and all are taken: whether it may take a common one, as which it counts
    /// from then on.
    #[must_use]
    pub fn leaves_reserve(&mut self) -> bool {
        let leaves = self.lane == Lane::Reserved && self.throttle.leave_reserve(self.source.network);
        if leaves {
            self.lane = Lane::Common;
        }
        leaves
    }

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
        self.throttle.settle(self.source, self.lane, self.end);
    }
}

#[cfg(test)]
mod tests;
