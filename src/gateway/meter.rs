//! How fast a body has to come.

use std::time::Duration;

use tokio::time::Instant;

use super::settings::Limits;

/// Counts a body's bytes window by window. A window is time spent waiting for the client, and no other.
#[derive(Debug)]
pub(super) struct Meter {
    window: Duration,
    least: usize,
    bytes: usize,
    /// How long the client was waited for in this window, up to `since`.
    waited: Duration,
    /// It is waited for now, since then.
    since: Option<Instant>,
}

impl Meter {
    /// A meter that stands still.
    pub(super) fn new(limits: &Limits) -> Self {
        let least = limits.body_window.as_secs_f64() * limits.body_rate as f64;
        // The cast saturates, and a limit is no exact number.
        let least = (least as usize).max(1);
        Self { window: limits.body_window, least, bytes: 0, waited: Duration::ZERO, since: None }
    }

    /// The client is waited for: when the window ends unless that changes.
    pub(super) fn run(&mut self, now: Instant) -> Instant {
        let since = *self.since.get_or_insert(now);
        since + self.window.saturating_sub(self.waited)
    }

    /// Nobody waits for the client.
    pub(super) fn rest(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            self.waited += now.saturating_duration_since(since);
        }
    }

    pub(super) fn take(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// Goes on to the next window if this one is over; whether too little came in it.
    pub(super) fn is_slow(&mut self, now: Instant) -> bool {
        if self.run(now) > now {
            return false;
        }
        self.waited = Duration::ZERO;
        self.since = Some(now);
        std::mem::take(&mut self.bytes) < self.least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(now: Instant) -> Meter {
        let mut meter =
            Meter::new(&Limits { body_window: Duration::from_secs(10), body_rate: 100, ..Limits::default() });
        meter.run(now);
        meter
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

    #[test]
    fn only_the_time_that_the_client_was_waited_for_counts() {
        let now = Instant::now();
        let mut meter = meter(now);
        meter.rest(now + Duration::from_secs(4));
        meter.rest(now + Duration::from_secs(5));
        assert_eq!(meter.run(now + Duration::from_secs(60)), now + Duration::from_secs(66));
        assert!(!meter.is_slow(now + Duration::from_secs(65)));
        assert!(meter.is_slow(now + Duration::from_secs(66)));
    }
}
