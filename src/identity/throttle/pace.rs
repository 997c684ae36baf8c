//! The failures of one user from one network.

use std::time::Duration;

use sidegate_filters::clock::Millis;

use super::leak::Leak;

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
    /// In so long one failure is forgotten, until then at the latest, and a good attempt takes none back; `None`: a good one
    /// takes all back.
    pub forgets_one_in: Option<Duration>,
}

impl Default for Pace {
    fn default() -> Self {
        let (longest, memory) = (Duration::from_secs(30), Duration::from_secs(15 * 60));
        Self { free: 10, longest, parallel: 10, memory, forgets_one_in: None }
    }
}

/// How many that may fail are under way at once by what did not, where the user's other ones have to wait.
const FEW: u32 = 8;

#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    /// Those that a good attempt takes back.
    failures: u32,
    /// Those that are forgotten one by one.
    leak: Leak,
    /// Until then it is one that failed, where they are.
    failed_until: Option<Millis>,
    pending: u32,
    last: Option<Millis>,
}

impl Tally {
    /// How long the next attempt has to wait; zero: it may begin.
    pub(super) fn wait(&self, pace: &Pace, now: Millis) -> Duration {
        let Some(last) = self.last else { return Duration::ZERO };
        let passed = now.since(last);
        let failures = if passed > pace.memory { 0 } else { self.failures(pace, now) };
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

    fn failures(&self, pace: &Pace, now: Millis) -> u32 {
        pace.forgets_one_in.map_or(self.failures, |one| self.leak.left(one, now))
    }

    /// Whether nothing of it failed lately, and few are under way that may.
    pub(super) fn is_clean(&self, now: Millis) -> bool {
        !self.failed_lately(now) && self.pending < FEW
    }

    fn failed_lately(&self, now: Millis) -> bool {
        self.failed_until.is_some_and(|until| !until.since(now).is_zero())
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

    pub(super) fn fail(&mut self, pace: &Pace, now: Millis) {
        self.release();
        match pace.forgets_one_in {
            Some(one) => {
                self.leak.add(one, pace.memory, now);
                self.failed_until = Some(now.after(pace.memory));
            }
            None => self.failures = self.failures.saturating_add(1),
        }
        self.last = Some(now);
    }

    pub(super) fn succeed(&mut self) {
        self.release();
        self.failures = 0;
    }
}

impl super::state::Count for Tally {
    fn is_idle(&self, now: Millis) -> bool {
        self.pending == 0 && self.failures == 0 && self.leak.drains_in(now).is_zero() && !self.failed_lately(now)
    }
}
