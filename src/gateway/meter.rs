//! How fast a body has to come.

use std::time::Duration;

use tokio::time::Instant;

use super::settings::Limits;

/// Counts a body's bytes window by window.
#[derive(Debug)]
pub(super) struct Meter {
    window: Duration,
    least: usize,
    begun: Instant,
    bytes: usize,
}

impl Meter {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        let least = limits.body_window.as_secs_f64() * limits.body_rate as f64;
        // The cast saturates, and a limit is no exact number.
        Self { window: limits.body_window, least: (least as usize).max(1), begun: now, bytes: 0 }
    }

    pub(super) fn take(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// When the window under way ends.
    pub(super) fn end(&self) -> Instant {
        self.begun + self.window
    }

    /// Goes on to the next window if this one is over; whether too little came in it.
    pub(super) fn is_slow(&mut self, now: Instant) -> bool {
        if now < self.end() {
            return false;
        }
        self.begun = now;
        std::mem::take(&mut self.bytes) < self.least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(now: Instant) -> Meter {
        Meter::new(&Limits { body_window: Duration::from_secs(10), body_rate: 100, ..Limits::default() }, now)
    }

    #[test]
    fn a_body_is_judged_at_the_end_of_a_window_only() {
        let now = Instant::now();
        let mut meter = meter(now);
        assert!(!meter.is_slow(now + Duration::from_millis(9_999)));
        assert!(meter.is_slow(now + Duration::from_secs(10)));
    }

    #[test]
    fn each_window_needs_its_own_bytes() {
        let now = Instant::now();
        let mut meter = meter(now);
        meter.take(5_000);
        assert!(!meter.is_slow(now + Duration::from_secs(10)));
        meter.take(999);
        assert!(meter.is_slow(now + Duration::from_secs(20)));
    }

    #[test]
    fn a_rate_of_exactly_the_limit_passes() {
        let now = Instant::now();
        let mut meter = meter(now);
        meter.take(1_000);
        assert!(!meter.is_slow(now + Duration::from_secs(10)));
    }
}
