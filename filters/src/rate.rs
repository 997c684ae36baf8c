//! How often something may be done: token buckets in bounded memory.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Millis, SteadyClock};
use crate::recent::Recent;

/// Names remembered; about 4 MiB in the worst case.
const NAMES: usize = 65_536;

/// A token bucket: `burst` at once, then one `every` so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How many at once.
    pub burst: NonZeroU32,
    /// Time until one more is allowed.
    pub every: Duration,
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at once, then one every {} s", self.burst, self.every.as_secs_f32())
    }
}

/// The buckets of what was counted lately, by a hash of its name that nobody else can make. Each is the moment at which it
/// will be full again.
///
/// Whatever comes, no more than so many are remembered. What was not asked for longest is forgotten: its bucket has been
/// filling up since, and the worst is that it starts full. So a flood of names locks nobody out, and who sends one to be
/// forgotten pays for each burst of his with half of the memory.
pub struct Rate {
    limit: Limit,
    names: RandomState,
    buckets: Mutex<Recent<u64, Millis>>,
    /// Only how much time passes counts.
    clock: SteadyClock,
}

impl Rate {
    /// Nothing was done yet.
    #[must_use]
    pub fn new(limit: Limit, clock: Arc<dyn Clock>) -> Self {
        let buckets = Mutex::new(Recent::new(NAMES));
        Self { limit, names: RandomState::new(), buckets, clock: SteadyClock::new(clock) }
    }

    /// How often.
    #[must_use]
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// Whether there is one left, or how long to wait for it. Those who ask at the same time may share the last one.
    pub(crate) fn check(&self, name: &impl Hash) -> Result<(), Duration> {
        let now = self.clock.now();
        self.left(self.full_at(&self.buckets(), self.names.hash_one(name), now), now)
    }

    /// Takes one, whether there is one left or not.
    pub(crate) fn count(&self, name: &impl Hash) {
        let (name, now, mut buckets) = (self.names.hash_one(name), self.clock.now(), self.buckets());
        let full_at = self.full_at(&buckets, name, now).after(self.limit.every);
        buckets.insert(name, full_at);
    }

    /// Takes one if there is one left; else says how long to wait for it. Whoever goes on asking is not forgotten.
    pub(crate) fn take(&self, name: &impl Hash) -> Result<(), Duration> {
        let (name, now, mut buckets) = (self.names.hash_one(name), self.clock.now(), self.buckets());
        let full_at = self.full_at(&buckets, name, now);
        let left = self.left(full_at, now);
        buckets.insert(name, if left.is_ok() { full_at.after(self.limit.every) } else { full_at });
        left
    }

    fn left(&self, full_at: Millis, now: Millis) -> Result<(), Duration> {
        let room = self.limit.every.saturating_mul(self.limit.burst.get() - 1);
        let wait = full_at.since(now);
        if wait > room { Err(wait.saturating_sub(room)) } else { Ok(()) }
    }

    fn buckets(&self) -> MutexGuard<'_, Recent<u64, Millis>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never further off than an empty bucket has it.
    fn full_at(&self, buckets: &Recent<u64, Millis>, name: u64, now: Millis) -> Millis {
        let empty = now.after(self.limit.every.saturating_mul(self.limit.burst.get()));
        buckets.get(&name).unwrap_or(now).clamp(now, empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn limit(burst: u32, seconds: u64) -> (Rate, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Millis(0)));
        let limit = Limit { burst: NonZeroU32::new(burst).unwrap(), every: Duration::from_secs(seconds) };
        (Rate::new(limit, clock.clone()), clock)
    }

    #[test]
    fn a_burst_then_one_at_a_time() {
        let (rate, clock) = limit(3, 10);
        for _ in 0..3 {
            assert_eq!(rate.take(&"a"), Ok(()));
        }
        assert_eq!(rate.take(&"a"), Err(Duration::from_secs(10)));
        clock.advance(Duration::from_millis(9_999));
        assert_eq!(rate.take(&"a"), Err(Duration::from_millis(1)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(rate.take(&"a"), Ok(()));
        assert_eq!(rate.take(&"a"), Err(Duration::from_secs(10)));
        clock.advance(Duration::from_secs(1_000));
        assert_eq!([(); 4].map(|()| rate.take(&"a").is_ok()), [true, true, true, false], "no more than a burst");
    }

    #[test]
    fn names_do_not_share() {
        let (rate, _) = limit(1, 10);
        assert_eq!(rate.take(&"a"), Ok(()));
        assert_eq!(rate.take(&"b"), Ok(()));
        assert!(rate.take(&"a").is_err());
    }

    #[test]
    fn looking_takes_nothing_and_a_rush_is_paid_back_in_bounded_time() {
        let (rate, _) = limit(1, 10);
        assert_eq!([rate.check(&"a"), rate.check(&"a")], [Ok(()), Ok(())]);
        (0..100).for_each(|_| rate.count(&"a"));
        assert_eq!(rate.check(&"a"), Err(Duration::from_secs(10)));
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nobody_up_for_longer() {
        let (rate, clock) = limit(1, 10);
        clock.advance(Duration::from_secs(100_000));
        assert_eq!(rate.take(&"a"), Ok(()));
        clock.set_back(Duration::from_secs(90_000));
        assert_eq!(rate.take(&"a"), Err(Duration::from_secs(10)));
        clock.advance(Duration::from_secs(10));
        assert_eq!(rate.take(&"a"), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_the_recent_is_kept() {
        let (rate, _) = limit(1, 1_000_000);
        for name in 0..2 * NAMES {
            assert_eq!(rate.take(&name), Ok(()));
        }
        assert_eq!(rate.buckets().len(), NAMES);
        for remembered in [NAMES, 2 * NAMES - 1] {
            assert!(rate.take(&remembered).is_err());
        }
    }

    #[test]
    fn whoever_goes_on_asking_while_others_flood_the_memory_is_not_forgotten() {
        let (rate, _) = limit(1, 1_000_000);
        assert_eq!(rate.take(&"greedy"), Ok(()));
        for name in 0..4 * NAMES {
            assert_eq!(rate.take(&name), Ok(()));
            if name % (NAMES / 4) == 0 {
                assert!(rate.take(&"greedy").is_err(), "{name}");
            }
        }
    }
}
