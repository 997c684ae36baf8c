//! `log`: what is written to standard error; JSON on a pipe, readable text on a terminal.

use tracing::level_filters::LevelFilter;

use super::section::Section;
use crate::telemetry::log::LEVELS;

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Log {
    /// The least important lines that are written.
    pub level: LevelFilter,
}

pub(super) fn read(section: &Section<'_>) -> Log {
    Log { level: section.field("level").choice(LEVELS).unwrap_or(LevelFilter::INFO) }
}
