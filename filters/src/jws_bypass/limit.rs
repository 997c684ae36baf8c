//! How often one target may be changed. Only requests that are signed and new count, so that nobody can use up what
//! belongs to a phone: not with messages of his own, nor with captured ones. Where nothing is known to be signed, how
//! often one request may be sent.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Millis;
use crate::recent::Recent;

/// Names remembered; about 8 MiB in the worst case.
const NAMES: usize = 65_536;

/// A token bucket: `burst` at once, then one `every` so long.
#[derive(Debug, Clone, Copy)]
pub struct ModifyLimit {
    /// How many at once.
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
        write!(formatter, "{} at once, then one every {} s", self.burst, self.every.as_secs_f32())
    }
}

/// The buckets of what was counted lately. Each is the moment at which it will be full again. A forgotten bucket
/// starts full, which errs on the side of the phone.
pub(super) struct Rate {
    limit: ModifyLimit,
    buckets: Mutex<Recent<String, Millis>>,
}

impl Rate {
    pub(super) fn new(limit: ModifyLimit) -> Self {
        Self { limit, buckets: Mutex::new(Recent::new(NAMES)) }
    }

    pub(super) fn limit(&self) -> ModifyLimit {
        self.limit
    }

    /// Whether there is one left, or how long to wait for it. Those who ask at the same time may share the last one.
    pub(super) fn check(&self, name: &str, now: Millis) -> Result<(), Duration> {
        let room = self.limit.every.saturating_mul(self.limit.burst.get() - 1);
        let wait = self.full_at(&self.buckets(), name, now).since(now);
        if wait > room { Err(wait.saturating_sub(room)) } else { Ok(()) }
    }

    /// Takes one.
    pub(super) fn count(&self, name: &str, now: Millis) {
        let mut buckets = self.buckets();
        let full_at = self.full_at(&buckets, name, now).after(self.limit.every);
        buckets.insert(name.to_owned(), full_at);
    }

    fn buckets(&self) -> MutexGuard<'_, Recent<String, Millis>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never further off than an empty bucket has it.
    fn full_at(&self, buckets: &Recent<String, Millis>, name: &str, now: Millis) -> Millis {
        let empty = now.after(self.limit.every.saturating_mul(self.limit.burst.get()));
        buckets.get(name).unwrap_or(now).clamp(now, empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(burst: u32, seconds: u64) -> Rate {
        Rate::new(ModifyLimit { burst: NonZeroU32::new(burst).unwrap(), every: Duration::from_secs(seconds) })
    }

    fn take(limit: &Rate, name: &str, now: Millis) -> Result<(), Duration> {
        limit.check(name, now)?;
        limit.count(name, now);
        Ok(())
    }

    #[test]
    fn a_burst_then_one_at_a_time() {
        let limit = limit(3, 10);
        for _ in 0..3 {
            assert_eq!(take(&limit, "a", Millis(0)), Ok(()));
        }
        assert_eq!(take(&limit, "a", Millis(0)), Err(Duration::from_secs(10)));
        assert_eq!(take(&limit, "a", Millis(9_999)), Err(Duration::from_millis(1)));
        assert_eq!(take(&limit, "a", Millis(10_000)), Ok(()));
        assert_eq!(take(&limit, "a", Millis(10_000)), Err(Duration::from_secs(10)));
    }

    #[test]
    fn targets_do_not_share() {
        let limit = limit(1, 10);
        assert_eq!(take(&limit, "a", Millis(0)), Ok(()));
        assert_eq!(take(&limit, "b", Millis(0)), Ok(()));
        assert!(take(&limit, "a", Millis(0)).is_err());
    }

    #[test]
    fn looking_takes_nothing_and_a_rush_is_paid_back_in_bounded_time() {
        let limit = limit(1, 10);
        assert_eq!([limit.check("a", Millis(0)), limit.check("a", Millis(0))], [Ok(()), Ok(())]);
        (0..100).for_each(|_| limit.count("a", Millis(0)));
        assert_eq!(limit.check("a", Millis(0)), Err(Duration::from_secs(10)));
    }

    #[test]
    fn memory_is_bounded_and_the_recent_is_kept() {
        let limit = limit(1, 1_000_000);
        for target in 0..2 * NAMES {
            assert_eq!(take(&limit, &target.to_string(), Millis(0)), Ok(()));
        }
        assert_eq!(limit.buckets.lock().unwrap().len(), NAMES);
        for remembered in [NAMES, 2 * NAMES - 1] {
            assert!(take(&limit, &remembered.to_string(), Millis(0)).is_err());
        }
    }
}
