//! Lines of libraries that know the crate `log` alone, Pingora among them: what they say, and no place in a file, which
//! would be a path of the machine that built the program.

use log::{Level, LevelFilter, Log, Metadata, Record, SetLoggerError};

/// Makes their lines ours.
pub(super) fn start() -> Result<(), SetLoggerError> {
    log::set_max_level(LevelFilter::Warn);
    log::set_logger(&Libraries)
}

pub(super) struct Libraries;

impl Log for Libraries {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        let (library, message) = (record.target(), record.args());
        match record.level() {
            Level::Error => tracing::error!(target: "library", library, "{message}"),
            Level::Warn => tracing::warn!(target: "library", library, "{message}"),
            // They print whole requests.
            Level::Info | Level::Debug | Level::Trace => {}
        }
    }

    fn flush(&self) {}
}
