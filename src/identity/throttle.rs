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
mod state;
mod ticket;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sidegate_filters::clock::{Clock, SteadyClock};

use crate::store::SourceNetwork;
use bucket::Level;
pub use bucket::{Bucket, Lane};
pub use pace::Pace;
use pace::Tally;
pub use paces::Paces;
use state::{Name, Source, State};
use ticket::End;
pub use ticket::Ticket;

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
        let state = Mutex::new(State::new(&paces));
        Self { paces, names: RandomState::new(), state, clock: SteadyClock::new(clock) }
    }

    /// Lets an attempt be looked at as far as whom it names, which [`Throttle::admit`] wants to know. A network that is
    /// full may still be the one of a familiar user, so that only how many are under way counts here.
    ///
    /// # Errors
    /// How long to wait.
    pub fn enter(self: &Arc<Self>, network: SourceNetwork) -> Result<Ticket, Duration> {
        let (now, source) =
            (self.clock.now(), Source { name: None, shown: None, network, passes: false, is_familiar: false });
        let mut state = self.state();
        let wait = state.level(network).crowd(&self.paces.network);
        if !wait.is_zero() {
            return Err(wait);
        }
        state.change_level(network, now, |level| level.begin(Lane::Common));
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
        let source = state.source(&paces.user, name, shown, network, now);
        let lane = state.lane(paces, source);
        let wait = state.wait(paces, source, lane, now);
        if !wait.is_zero() {
            return Err(wait);
        }
        state.change(source, now, |tally, watched| tally.begin(&paces.user, now, watched), |level| level.begin(lane));
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
        let source = state.source(&paces.user, Some(name), None, network, now);
        let lane = state.lane(paces, source);
        (lane == Lane::Reserved).then(|| {
            state.change(
                source,
                now,
                |tally, watched| tally.begin(&paces.user, now, watched),
                |level| level.begin(lane),
            );
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
        let leave = |level: &mut Level| left = level.leave_reserve(&self.paces.network);
        self.state().change_level(network, self.clock.now(), leave);
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
                state.change(
                    source,
                    now,
                    |tally, watched| tally.fail(pace, now, watched),
                    |level| level.fail(lane, bucket, now),
                );
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
