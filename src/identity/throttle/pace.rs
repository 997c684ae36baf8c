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

/// Attempts that are looked at closely: so many may fail in the time for which failures are remembered, those under way
/// among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Watched(pub(super) u32);

#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    /// Those that a good attempt takes back.
    failures: u32,
    /// Those that are forgotten one by one.
    leak: Leak,
    pending: u32,
    /// Those that are watched: what failed, and what is under way.
    watched: Leak,
    watched_pending: u32,
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

    /// Whether one more may be watched.
    pub(super) fn has_room(&self, Watched(most): Watched, pace: &Pace, now: Millis) -> bool {
        let failed = self.watched.left(pace.memory / most.max(1), now);
        failed.saturating_add(self.watched_pending) < most
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.pending > 0
    }

    pub(super) fn begin(&mut self, pace: &Pace, now: Millis, watched: Option<Watched>) {
        self.watched_pending = self.watched_pending.saturating_add(u32::from(watched.is_some()));
        if self.last.is_some_and(|last| now.since(last) > pace.memory) {
            self.failures = 0;
        }
        self.pending = self.pending.saturating_add(1);
        self.last.get_or_insert(now);
    }

    pub(super) fn release(&mut self, watched: Option<Watched>) {
        self.pending = self.pending.saturating_sub(1);
        self.watched_pending = self.watched_pending.saturating_sub(u32::from(watched.is_some()));
    }

    pub(super) fn fail(&mut self, pace: &Pace, now: Millis, watched: Option<Watched>) {
        self.release(watched);
        match pace.forgets_one_in {
            Some(one) => self.leak.add(one, pace.memory, now),
            None => self.failures = self.failures.saturating_add(1),
        }
        if let Some(Watched(most)) = watched {
            self.watched.add(pace.memory / most.max(1), pace.memory, now);
        }
        self.last = Some(now);
    }

    pub(super) fn succeed(&mut self, watched: Option<Watched>) {
        self.release(watched);
        self.failures = 0;
    }
}

impl super::state::Count for Tally {
    fn is_idle(&self, now: Millis) -> bool {
        let has_drained = |leak: Leak| leak.drains_in(now).is_zero();
        self.pending == 0 && self.failures == 0 && has_drained(self.leak) && has_drained(self.watched)
    }
}
