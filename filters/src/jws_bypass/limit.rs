//! How often one target may be changed. Only requests whose signature was verified count, so that no stranger can use
//! up what belongs to a phone.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Millis;

/// Targets remembered in each of two generations; about 8 MiB in the worst case.
const GENERATION: usize = 32_768;

/// A token bucket: `burst` changes at once, then one `every` so long.
#[derive(Debug, Clone, Copy)]
pub struct ModifyLimit {
    /// Changes at once.
    pub burst: NonZeroU32,
    /// Time until one more is allowed.
    pub every: Duration,
}

impl Default for ModifyLimit {
    fn default() -> Self {
        Self { burst: NonZeroU32::MIN.saturating_add(9), every: Duration::from_secs(6) }
    }
}

impl fmt::Display for ModifyLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} changes of a target at once, then one every {} s", self.burst, self.every.as_secs_f32())
    }
}

/// The buckets of all targets. Each is the moment at which it will be full again.
pub(super) struct TargetLimit {
    limit: ModifyLimit,
    buckets: Mutex<Generations>,
}

/// When the younger generation is full it becomes the older one, and that is forgotten: bounded without a sweep. A
/// forgotten bucket starts full, which errs on the side of the phone.
#[derive(Default)]
struct Generations {
    young: HashMap<String, Millis>,
    old: HashMap<String, Millis>,
}

impl TargetLimit {
    pub(super) fn new(limit: ModifyLimit) -> Self {
        Self { limit, buckets: Mutex::default() }
    }

    /// Takes one change, or says how long to wait.
    pub(super) fn take(&self, target_id: &str, now: Millis) -> Result<(), Duration> {
        let room = self.limit.every.saturating_mul(self.limit.burst.get() - 1);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = buckets.get(target_id).unwrap_or(now);
        // A clock that was set back must not lock a target for longer than an empty bucket does.
        let full_at = full_at.clamp(now, now.after(room.saturating_add(self.limit.every)));
        let wait = full_at.since(now);
        if wait > room {
            return Err(wait.saturating_sub(room));
        }
        buckets.put(target_id, full_at.after(self.limit.every));
        Ok(())
    }
}

impl Generations {
    fn get(&self, target_id: &str) -> Option<Millis> {
        self.young.get(target_id).or_else(|| self.old.get(target_id)).copied()
    }

    fn put(&mut self, target_id: &str, full_at: Millis) {
        if self.young.len() >= GENERATION && !self.young.contains_key(target_id) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(target_id.to_owned(), full_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(burst: u32, seconds: u64) -> TargetLimit {
        TargetLimit::new(ModifyLimit { burst: NonZeroU32::new(burst).unwrap(), every: Duration::from_secs(seconds) })
    }

    #[test]
    fn a_burst_then_one_at_a_time() {
        let limit = limit(3, 10);
        for _ in 0..3 {
            assert_eq!(limit.take("a", Millis(0)), Ok(()));
        }
        assert_eq!(limit.take("a", Millis(0)), Err(Duration::from_secs(10)));
        assert_eq!(limit.take("a", Millis(9_999)), Err(Duration::from_millis(1)));
        assert_eq!(limit.take("a", Millis(10_000)), Ok(()));
        assert_eq!(limit.take("a", Millis(10_000)), Err(Duration::from_secs(10)));
    }

    #[test]
    fn targets_do_not_share() {
        let limit = limit(1, 10);
        assert_eq!(limit.take("a", Millis(0)), Ok(()));
        assert_eq!(limit.take("b", Millis(0)), Ok(()));
        assert!(limit.take("a", Millis(0)).is_err());
    }

    #[test]
    fn a_clock_set_back_costs_one_refill_at_most() {
        let limit = limit(2, 10);
        assert_eq!(limit.take("a", Millis(1_000_000)), Ok(()));
        assert_eq!(limit.take("a", Millis(0)), Err(Duration::from_secs(10)));
    }

    #[test]
    fn memory_is_bounded_and_the_recent_is_kept() {
        let limit = limit(1, 1_000_000);
        for target in 0..3 * GENERATION {
            assert_eq!(limit.take(&target.to_string(), Millis(0)), Ok(()));
        }
        let buckets = limit.buckets.lock().unwrap();
        assert_eq!((buckets.young.len(), buckets.old.len()), (GENERATION, GENERATION));
        drop(buckets);
        assert!(limit.take(&(2 * GENERATION).to_string(), Millis(0)).is_err());
    }
}
