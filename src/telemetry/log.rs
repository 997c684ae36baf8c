//! Where log lines go: JSON on a pipe or file, readable text on a terminal.
//!
//! Only lines of our own crates are written at the chosen level. Libraries print whole requests below `warn`, cookies and
//! tokens included, so theirs are cut off there whatever level is asked for.

mod libraries;
mod line;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::{Layer, Registry, fmt};

use super::{Metrics, access, audit};
use line::Line;

/// Overrides the configured level.
pub const LEVEL_VARIABLE: &str = "SIDEGATE_LOG";
const OURS: &[&str] = &["sidegate", "sidegate_filters", "sidegate_uaf"];

/// Words for levels.
pub type Levels<'a> = &'a [(&'a str, LevelFilter)];

/// The word is no level, or logging was set up before.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The variable has a word that is none of the levels.
    #[error("{LEVEL_VARIABLE} is {0:?}, which is no log level; write one of {1}, or unset it")]
    Level(String, String),
    /// A second call.
    #[error("logging is set up already")]
    Twice,
}

/// The level of the variable; `None` where it is empty or not set.
fn overriding(variable: Option<OsString>, known: Levels<'_>) -> Result<Option<LevelFilter>, LogError> {
    let word = variable.unwrap_or_default().to_string_lossy().into_owned();
    match known.iter().find(|(known, _)| *known == word) {
        Some((_, level)) => Ok(Some(*level)),
        None if word.is_empty() => Ok(None),
        None => Err(LogError::Level(word, known.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", "))),
    }
}

/// Starts logging to standard error at `level`, or at that of the variable `SIDEGATE_LOG` in one of
/// the `known` words, and counts audited events.
///
/// # Errors
/// When the variable's level is none, or logging runs already.
pub fn start(level: LevelFilter, known: Levels<'_>, metrics: Arc<Metrics>) -> Result<(), LogError> {
    let level = overriding(std::env::var_os(LEVEL_VARIABLE), known)?.unwrap_or(level);
    if std::io::stderr().is_terminal() {
        set_up(fmt::layer().with_writer(std::io::stderr).compact(), level, metrics)?;
    } else {
        start_on(std::io::stderr, level, metrics)?;
    }
    name_panics();
    Ok(())
}

/// Starts logging JSON lines to this writer in place of standard error, whatever the variable says, and panics keep their
/// own words: for a program that has a gateway within.
///
/// # Errors
/// When logging runs already.
pub fn start_on<W>(writer: W, level: LevelFilter, metrics: Arc<Metrics>) -> Result<(), LogError>
where
    W: for<'a> fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    set_up(json(writer), level, metrics)
}

fn set_up(
    lines: impl Layer<Registry> + Send + Sync,
    level: LevelFilter,
    metrics: Arc<Metrics>,
) -> Result<(), LogError> {
    let registry = tracing_subscriber::registry().with(lines.with_filter(filter(level))).with(Audited(metrics));
    tracing::subscriber::set_global_default(registry).map_err(|_| LogError::Twice)?;
    libraries::start().map_err(|_| LogError::Twice)
}

/// Why the program ends, as a JSON line, whatever the level is: logging may not have been started yet.
pub fn last_words(reason: &str) {
    let log = tracing_subscriber::registry().with(json(std::io::stderr));
    tracing::subscriber::with_default(log, || tracing::error!(error = reason, "the gateway does not serve"));
}

/// One JSON object a line; the request's id is in `request_id`.
fn json<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'a> fmt::MakeWriter<'a> + 'static,
{
    fmt::layer().with_writer(writer).fmt_fields(JsonFields::new()).event_format(Line)
}

fn filter(level: LevelFilter) -> Targets {
    let ours = OURS.iter().map(|target| (*target, level));
    let always = [(audit::TARGET, LevelFilter::INFO), (access::TARGET, LevelFilter::INFO)];
    Targets::new().with_default(level.min(LevelFilter::WARN)).with_targets(ours).with_targets(always)
}

/// A panic is logged by its place alone: its message may quote what was being worked on.
fn name_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a fault of this program: the request under way is answered with 500");
    }));
}

/// Counts audited events, whichever crate they come from.
struct Audited(Arc<Metrics>);

impl<S: Subscriber> Layer<S> for Audited {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == audit::TARGET {
            event.record(&mut Name(&self.0));
        }
    }
}

/// Finds an event's name. Names are literals of this program, so there are few.
struct Name<'a>(&'a Metrics);

impl Visit for Name<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "event" {
            self.0.event(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

#[cfg(test)]
mod tests;
