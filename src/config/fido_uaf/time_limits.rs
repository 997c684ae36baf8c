//! `fido-uaf.time-limits`.

use std::time::Duration;

use super::super::filters;
use super::super::section::Section;

/// How long things last (`http-api.md` 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeLimits {
    /// From dispatch to redeem.
    pub token: Duration,
    /// From redeem to the UAF answer.
    pub answer: Duration,
    /// How far a phone's clock may be off in a signed request.
    pub clock_skew: Duration,
    /// How long a final status is told.
    pub status: Duration,
    /// How long a redeem may keep its token while an upstream is asked or credentials are removed.
    pub lease: Duration,
}

impl TimeLimits {
    pub(super) fn documented() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Self {
            token: minutes(5),
            answer: minutes(5),
            clock_skew: minutes(5),
            status: minutes(10),
            lease: Duration::from_secs(30),
        }
    }
}

pub(super) fn read(section: &Section<'_>) -> TimeLimits {
    let documented = TimeLimits::documented();
    TimeLimits {
        token: section.field("token").or(documented.token),
        answer: section.field("answer").or(documented.answer),
        clock_skew: filters::clock_skew(&section.field("clock-skew"), documented.clock_skew),
        status: section.field("status").or(documented.status),
        lease: section.field("lease").or(documented.lease),
    }
}
