//! `log`: what is written to standard error; JSON on a pipe, readable text on a terminal.

use tracing::level_filters::LevelFilter;

use super::section::Section;

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Log {
    /// The least important lines that are written.
    pub level: LevelFilter,
}

/// The words of the key `level`, and of the variable that goes first.
pub const LEVELS: &[(&str, LevelFilter)] = &[
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];

pub(super) fn read(section: &Section<'_>) -> Log {
    Log { level: section.field("level").choice(LEVELS).unwrap_or(LevelFilter::INFO) }
}
