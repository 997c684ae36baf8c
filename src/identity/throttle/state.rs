//! What is counted, and how long an attempt has to wait by it.

use std::hash::Hash;
use std::time::Duration;

use sidegate_filters::clock::Millis;
use sidegate_filters::recent::Recent;

use super::bucket::{Lane, Level};
use super::familiar::Familiar;
use super::guesses::Guesses;
use super::pace::{Pace, Tally, Watched};
use super::paces::Paces;
use crate::store::SourceNetwork;

/// What is counted for one key. An idle count says nothing, and is not kept.
pub(super) trait Count: Clone + Default {
    fn is_idle(&self, now: Millis) -> bool;
}

/// What one user shows goes on while his others wait, until so many failed by it: a page that a browser loads at once is
/// fewer.
const BY_ONE_THING: Watched = Watched(24);
/// And until so many that went on so failed in all: with whatever else he shows, he has no more guesses than these.
const BY_ALL_THINGS: Watched = Watched(32);

/// A user's name, hashed with a key of this process.
pub(super) type Name = u64;

pub(super) struct State {
    pub(super) users: Recent<(Name, SourceNetwork), Tally>,
    pub(super) networks: Recent<SourceNetwork, Level>,
    pub(super) guesses: Guesses,
    pub(super) familiar: Familiar,
}

/// Whose attempt it is.
#[derive(Clone, Copy)]
pub(super) struct Source {
    pub(super) name: Option<Name>,
    /// By what it came, where that is counted too.
    pub(super) shown: Option<Name>,
    pub(super) network: SourceNetwork,
    /// Whether it goes on while his others wait.
    pub(super) passes: bool,
    /// Whether the user has logged in from there lately.
    pub(super) is_familiar: bool,
}

impl Source {
    pub(super) fn stranger(&self) -> Option<Name> {
        self.name.filter(|_| !self.is_familiar)
    }
}

impl State {
    /// Nothing has failed yet.
    pub(super) fn new(paces: &Paces) -> Self {
        Self {
            users: Recent::new(paces.entries),
            networks: Recent::new(paces.entries),
            guesses: Guesses::new(paces.entries, paces.guesses),
            familiar: Familiar::new(paces.entries, paces.familiar),
        }
    }

    pub(super) fn level(&self, network: SourceNetwork) -> Level {
        self.networks.get(&network).unwrap_or_default()
    }

    pub(super) fn source(
        &self,
        pace: &Pace,
        name: Option<Name>,
        shown: Option<Name>,
        network: SourceNetwork,
        now: Millis,
    ) -> Source {
        let is_familiar = name.is_some_and(|name| self.familiar.knows(name, network, now));
        let passes = name.zip(shown).is_some_and(|(name, shown)| {
            let (user, shown) = (self.tally(name, network), self.tally(shown, network));
            !user.wait(pace, now).is_zero()
                && shown.has_room(BY_ONE_THING, pace, now)
                && user.has_room(BY_ALL_THINGS, pace, now)
        });
        Source { name, shown, network, passes, is_familiar }
    }

    fn tally(&self, name: Name, network: SourceNetwork) -> Tally {
        self.users.get(&(name, network)).unwrap_or_default()
    }

    /// What failed by one thing that a user shows holds up that, and not what else he shows: the one may be what many show,
    /// and the other is his own. That passes; some failures of its own end it, or some of all that passed.
    fn of_tallies(&self, pace: &Pace, Source { name, shown, network, passes, .. }: Source, now: Millis) -> Duration {
        let wait = |name: Option<Name>| name.map_or(Duration::ZERO, |name| self.tally(name, network).wait(pace, now));
        if passes { wait(shown) } else { wait(shown).max(wait(name)) }
    }

    pub(super) fn wait(&self, paces: &Paces, source: Source, lane: Lane, now: Millis) -> Duration {
        let level = self.level(source.network);
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
    pub(super) fn lane(&self, paces: &Paces, Source { name, network, is_familiar, .. }: Source) -> Lane {
        let under_way = |name| self.tally(name, network).is_under_way();
        let first_of_familiar = is_familiar && !name.is_some_and(under_way);
        if !first_of_familiar || self.level(network).has_no_reserve(&paces.network) {
            return Lane::Common;
        }
        Lane::Reserved
    }

    pub(super) fn change(
        &mut self,
        Source { name, shown, network, passes, .. }: Source,
        now: Millis,
        tally: impl Fn(&mut Tally, Option<Watched>),
        level: impl FnOnce(&mut Level),
    ) {
        let of_user = name.map(|name| (name, passes.then_some(BY_ALL_THINGS)));
        for (name, watched) in of_user.into_iter().chain(shown.map(|shown| (shown, Some(BY_ONE_THING)))) {
            change(&mut self.users, (name, network), now, |count| tally(count, watched));
        }
        self.change_level(network, now, level);
    }

    pub(super) fn change_level(&mut self, network: SourceNetwork, now: Millis, change: impl FnOnce(&mut Level)) {
        self::change(&mut self.networks, network, now, change);
    }
}

pub(super) fn change<K: Hash + Eq, C: Count>(
    counts: &mut Recent<K, C>,
    key: K,
    now: Millis,
    change: impl FnOnce(&mut C),
) {
    let mut count = counts.remove(&key).unwrap_or_default();
    change(&mut count);
    if !count.is_idle(now) {
        counts.insert(key, count);
    }
}
