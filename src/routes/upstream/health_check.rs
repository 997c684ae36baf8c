//! How servers are asked whether they are well.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Questions to each server of an upstream, beside the requests of clients (`gateway.md` 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// What is asked for by GET: a path, as it is sent.
    pub path: String,
    /// The status codes of a server that is well.
    pub codes: Vec<RangeInclusive<u16>>,
    /// Between two questions to one server.
    pub interval: Duration,
    /// From connecting to the head of the answer.
    pub timeout: Duration,
    /// So many in a row have to go wrong before the server is left out.
    pub failures: usize,
    /// So many in a row have to go well before it is taken in again.
    pub successes: usize,
}

impl HealthCheck {
    /// Whether an answer with this status is one of a server that is well.
    #[must_use]
    pub fn accepts(&self, status: u16) -> bool {
        self.codes.iter().any(|codes| codes.contains(&status))
    }

    /// How many answers like this one make it certain.
    #[must_use]
    pub fn enough(&self, good: bool) -> usize {
        if good { self.successes } else { self.failures }
    }
}

impl fmt::Display for HealthCheck {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, interval, timeout, failures, successes, .. } = self;
        let code = |codes: &RangeInclusive<u16>| match (codes.start(), codes.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        };
        let codes = self.codes.iter().map(code).collect::<Vec<_>>().join(", ");
        write!(out, "GET {path} every {interval:?}, {codes} within {timeout:?}; ")?;
        write!(out, "out after {failures} bad in a row, in after {successes} good")
    }
}
