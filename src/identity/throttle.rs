//! Slowing failing logins down without locking anybody out.
//!
//! Attempts are counted by (user, source network), where a user is named, and by source network; those for passwords also
//! by user, for all networks where the user has not logged in lately together. There is no count by user alone: a
//! stranger somewhere else could use it up for the victim. A user who has logged in from a network lately is not held up
//! by what others fail there or elsewhere, nor, with one attempt at a time, by how many they have under way: that one
//! takes a reserved place. Of these a network has no more than of the others, since whoever shares it may know the names
//! of many who are familiar there. An attempt counts from its beginning, so that parallel ones gain nothing, and
//! success takes it back, or time alone where what is good may stand beside a guess.
//!
//! Memory is bounded: what is not used while many others are is forgotten. An attacker with many networks can make
//! counts be forgotten (25,000 failures with the built-in numbers), which slows him less and nobody more. Logins that
//! are remembered he can't push out: it takes as many users with a credential each.

mod bucket;
mod familiar;
mod guesses;
mod leak;
mod pace;
mod paces;
mod ticket;

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
use guesses::Guesses;
pub use pace::Pace;
use pace::Tally;
pub use paces::Paces;
use ticket::End;
pub use ticket::Ticket;

/// What is counted for one key. An idle count says nothing, and is not kept.
trait Count: Clone + Default {
    fn is_idle(&self, now: Millis) -> bool;
}

/// A user's name, hashed with a key of this process.
type Name = u64;

struct State {
    users: Recent<(Name, SourceNetwork), Tally>,
    networks: Recent<SourceNetwork, Level>,
    guesses: Guesses,
    familiar: Familiar,
}

/// Whose attempt it is.
#[derive(Clone, Copy)]
struct Source {
    name: Option<Name>,
    /// By what it came, where that is counted too.
    shown: Option<Name>,
    network: SourceNetwork,
    /// Whether the user has logged in from there lately.
    is_familiar: bool,
}

impl Source {
    fn stranger(&self) -> Option<Name> {
        self.name.filter(|_| !self.is_familiar)
    }
}

impl State {
    fn source(&self, name: Option<Name>, shown: Option<Name>, network: SourceNetwork, now: Millis) -> Source {
        let is_familiar = name.is_some_and(|name| self.familiar.knows(name, network, now));
        Source { name, shown, network, is_familiar }
    }

    fn tally(&self, name: Name, network: SourceNetwork) -> Tally {
        self.users.get(&(name, network)).unwrap_or_default()
    }

    /// What failed by one thing that a user shows holds up only that, and of the rest what failed lately itself: the one may
    /// be what many show, and the other is his own.
    fn of_tallies(&self, pace: &Pace, Source { name, shown, network, .. }: Source, now: Millis) -> Duration {
        let of_user = || name.map_or(Duration::ZERO, |name| self.tally(name, network).wait(pace, now));
        let Some(shown) = shown.map(|shown| self.tally(shown, network)) else { return of_user() };
        let of_shown = shown.wait(pace, now);
        if shown.is_clean(now) { of_shown } else { of_shown.max(of_user()) }
    }

    fn wait(&self, paces: &Paces, source: Source, lane: Lane, now: Millis) -> Duration {
        let level = self.networks.get(&source.network).unwrap_or_default();
        let of_tallies = self.of_tallies(&paces.user, source, now);
        let of_network = if lane == Lane::Reserved {
            // It gets in whatever the others of the network do; more of one user's are a crowd like any other.
            Duration::ZERO
        } else if source.is_familiar {
            level.crowd(&paces.network)
        } else {
            level.wait(&paces.network, now)
        };
        let of_guesses = source.stranger().map_or(Duration::ZERO, |name| self.guesses.wait(name, now));
        of_tallies.max(of_network).max(of_guesses)
    }

    /// The reserved one for a user who has logged in from there lately and has no other attempt under way, as long as
    /// the network's share of it lasts.
    fn lane(&self, paces: &Paces, Source { name, network, is_familiar, .. }: Source) -> Lane {
        let under_way = |name| self.tally(name, network).is_under_way();
        let first_of_familiar = is_familiar && !name.is_some_and(under_way);
        if !first_of_familiar || self.networks.get(&network).unwrap_or_default().has_no_reserve(&paces.network) {
            return Lane::Common;
        }
        Lane::Reserved
    }

    fn change(
        &mut self,
        Source { name, shown, network, .. }: Source,
        now: Millis,
        tally: impl Fn(&mut Tally),
        level: impl FnOnce(&mut Level),
    ) {
        for name in name.into_iter().chain(shown) {
            change(&mut self.users, (name, network), now, &tally);
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
            guesses: Guesses::new(paces.entries, paces.guesses),
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
        let (now, source) = (self.clock.now(), Source { name: None, shown: None, network, is_familiar: false });
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
        self.admit_by(name, None, network)
    }

    /// The same by what is shown, which has a count of its own, whoever the user of this name is, if he is known at all.
    ///
    /// # Errors
    /// How long to wait.
    pub fn admit_by(
        self: &Arc<Self>,
        name: Option<&str>,
        shown: Option<&str>,
        network: SourceNetwork,
    ) -> Result<Ticket, Duration> {
        let (now, paces) = (self.clock.now(), &self.paces);
        let [name, shown] = [name, shown].map(|text| text.map(|text| self.name(text)));
        let mut state = self.state();
        let source = state.source(name, shown, network, now);
        let lane = state.lane(paces, source);
        let wait = state.wait(paces, source, lane, now);
        if !wait.is_zero() {
            return Err(wait);
        }
        state.change(source, now, |tally| tally.begin(&paces.user, now), |level| level.begin(lane));
        if let Some(name) = source.stranger() {
            state.guesses.begin(name, now);
        }
        Ok(Ticket { throttle: Arc::clone(self), source, lane, end: End::Failed })
    }

    /// A reserved place for what is no attempt to log in, if the user of this name gets one; it counts for nobody, however
    /// it ends.
    pub fn reserve(self: &Arc<Self>, name: &str, network: SourceNetwork) -> Option<Ticket> {
        let (now, paces, name) = (self.clock.now(), &self.paces, self.name(name));
        let mut state = self.state();
        let source = state.source(Some(name), None, network, now);
        let lane = state.lane(paces, source);
        (lane == Lane::Reserved).then(|| {
            state.change(source, now, |tally| tally.begin(&paces.user, now), |level| level.begin(lane));
            Ticket { throttle: Arc::clone(self), source, lane, end: End::Unused }
        })
    }

    /// A user was let in from there without an attempt that counts: he is familiar.
    pub fn logged_in(&self, name: &str, network: SourceNetwork) {
        let (now, name) = (self.clock.now(), self.name(name));
        self.state().familiar.logged_in(name, network, now);
    }

    /// Whether this user is guessed at from networks where he is not familiar, so much that it is slowed: once in the time
    /// for which failures are remembered.
    #[must_use]
    pub fn tells_guesses(&self, name: &str) -> bool {
        let (now, name) = (self.clock.now(), self.name(name));
        self.state().guesses.tell(name, now, self.paces.user.memory)
    }

    fn name(&self, name: &str) -> Name {
        self.names.hash_one(name)
    }

    fn leave_reserve(&self, network: SourceNetwork) -> bool {
        let mut left = false;
        change(&mut self.state().networks, network, self.clock.now(), |level| {
            left = level.leave_reserve(&self.paces.network);
        });
        left
    }

    fn settle(&self, source: Source, lane: Lane, end: End) {
        let (now, pace, bucket) = (self.clock.now(), &self.paces.user, &self.paces.network);
        let mut state = self.state();
        if let Some(name) = source.stranger() {
            match end {
                End::Failed => state.guesses.fail(name, now),
                End::Succeeded(_) | End::Unused => state.guesses.release(name, now),
            }
        }
        match end {
            End::Failed => {
                state.change(source, now, |tally| tally.fail(pace, now), |level| level.fail(lane, bucket, now));
            }
            // The network's failures stay: an attacker's good login must not take them back.
            End::Succeeded(user) => {
                state.change(source, now, Tally::succeed, |level| level.release(lane));
                if let Some(name) = user {
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

#[cfg(test)]
mod tests;
