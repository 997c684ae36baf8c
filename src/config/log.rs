//! `log`: what is written to standard error; JSON on a pipe, readable text on a terminal.

use super::section::Section;

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Log {
    /// The least important lines that are written.
    pub level: LogLevel,
}

/// How important a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Something failed that should not.
    Error,
    /// Something is not as it should be.
    Warn,
    /// Requests and security events.
    Info,
    /// For whoever looks into a problem.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The word of the key `level`.
    #[must_use]
    pub fn word(self) -> &'static str {
        LEVELS.iter().find(|(_, level)| *level == self).map_or("info", |(word, _)| word)
    }
}

const LEVELS: &[(&str, LogLevel)] = &[
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
];

pub(super) fn read(section: &Section<'_>) -> Log {
    Log { level: section.field("level").choice(LEVELS).unwrap_or(LogLevel::Info) }
}
