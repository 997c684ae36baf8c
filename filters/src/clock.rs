//! The time as everything here sees it: passed in, so that a test decides what "now" is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// This moment moved by `duration` into the future; stays at the last representable moment.
    #[must_use]
    pub fn after(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> std::time::Duration {
        std::time::Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Whole seconds since the epoch, as JWT claims count (RFC 7519, NumericDate).
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Millis;
}

/// The machine's wall clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Measures how much time passes, for what waits: when the clock below is set back it goes on from where it was, so
/// that nobody waits for the length of the step. What it shows is no date.
pub struct SteadyClock {
    clock: Arc<dyn Clock>,
    state: Mutex<Steady>,
}

struct Steady {
    /// What the clock below showed when it was last asked.
    seen: Millis,
    shown: Millis,
}

impl SteadyClock {
    /// Begins with what `clock` shows.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let now = clock.now();
        Self { clock, state: Mutex::new(Steady { seen: now, shown: now }) }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Millis {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        state.shown = state.shown.after(now.since(state.seen));
        state.seen = now;
        state.shown
    }
}

/// A clock that stands still until it is moved: for tests and simulations.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Millis) -> Self {
        Self(AtomicI64::new(start.0))
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: std::time::Duration) {
        self.0.fetch_add(i64::try_from(duration.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }

    /// Sets the clock back.
    pub fn set_back(&self, duration: std::time::Duration) {
        self.0.fetch_sub(i64::try_from(duration.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_steady_clock_goes_on_after_a_step_back() {
        let clock = Arc::new(ManualClock::new(Millis(1_000_000)));
        let steady = SteadyClock::new(clock.clone());
        clock.advance(Duration::from_millis(5));
        assert_eq!(steady.now(), Millis(1_000_005));
        clock.set_back(Duration::from_millis(900_000));
        assert_eq!(steady.now(), Millis(1_000_005));
        clock.advance(Duration::from_millis(7));
        assert_eq!(steady.now(), Millis(1_000_012));
    }
}
