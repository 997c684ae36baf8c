//! The failures of one user from one network.

use std::time::Duration;

use sidegate_filters::clock::Millis;

/// How one user's failures from one network slow the next attempt.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// So many attempts may fail without any delay.
    pub free: u32,
    /// The delay after them doubles from one second up to this.
    pub longest: Duration,
    /// So many may be under way at a time.
    pub parallel: u32,
    /// After so long without a failure all is forgotten.
    pub memory: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { free: 10, longest: Duration::from_secs(30), parallel: 10, memory: Duration::from_secs(15 * 60) }
    }
}

#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    failures: u32,
    pending: u32,
    last: Option<Millis>,
}

impl Tally {
    /// How long the next attempt has to wait; zero: it may begin.
    pub(super) fn wait(&self, pace: &Pace, now: Millis) -> Duration {
        let Some(last) = self.last else { return Duration::ZERO };
        let passed = now.since(last);
        let failures = if passed > pace.memory { 0 } else { self.failures };
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

    pub(super) fn is_under_way(&self) -> bool {
        self.pending > 0
    }

    pub(super) fn begin(&mut self, pace: &Pace, now: Millis) {
        if self.last.is_some_and(|last| now.since(last) > pace.memory) {
            self.failures = 0;
        }
        self.pending = self.pending.saturating_add(1);
        self.last.get_or_insert(now);
    }

    pub(super) fn release(&mut self) {
        self.pending = self.pending.saturating_sub(1);
    }

    pub(super) fn fail(&mut self, now: Millis) {
        self.release();
        self.failures = self.failures.saturating_add(1);
        self.last = Some(now);
    }

    pub(super) fn succeed(&mut self) {
        self.release();
        self.failures = 0;
    }
}

impl super::Count for Tally {
    fn is_idle(&self, _now: Millis) -> bool {
        self.pending == 0 && self.failures == 0
    }
}
