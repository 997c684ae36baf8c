//! Lines that strangers cause: one now and then, so that nobody fills the log.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(1);

/// When the last line was written, and how many were not since.
#[derive(Debug, Default)]
pub(super) struct Rare(Mutex<(Option<Instant>, u64)>);

impl Rare {
    /// Whether a line may be written at this time, with how many were left out since the one before.
    pub(super) fn is_due(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, unsaid) = *state;
        if last.is_some_and(|last| now.saturating_duration_since(last) < PAUSE) {
            *state = (last, unsaid.saturating_add(1));
            return None;
        }
        *state = (Some(now), 0);
        Some(unsaid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_says_how_many_it_stands_for() {
        let (rare, start) = (Rare::default(), Instant::now());
        let at = |millis| rare.is_due(start + Duration::from_millis(millis));
        assert_eq!([at(0), at(1), at(999), at(1000), at(5000)], [Some(0), None, None, Some(2), Some(0)]);
    }
}
