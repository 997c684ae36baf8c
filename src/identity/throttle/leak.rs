//! Failures that are forgotten one by one.

use std::time::Duration;

use sidegate_filters::clock::Millis;

/// What failed, as the time that it takes to drain away.
#[derive(Clone, Copy, Default)]
pub(super) struct Leak {
    empty_at: Option<Millis>,
}

impl Leak {
    /// How long until all of it has drained.
    pub(super) fn drains_in(&self, now: Millis) -> Duration {
        self.empty_at.map_or(Duration::ZERO, |empty_at| empty_at.since(now))
    }

    /// One more, which drains in so long; a full one runs over.
    pub(super) fn add(&mut self, one: Duration, full: Duration, now: Millis) {
        self.empty_at = Some(now.after((self.drains_in(now) + one).min(full)));
    }

    /// How many are left, where each drains in so long.
    pub(super) fn left(&self, one: Duration, now: Millis) -> u32 {
        let left = self.drains_in(now).as_millis().div_ceil(one.as_millis().max(1));
        u32::try_from(left).unwrap_or(u32::MAX)
    }
}
