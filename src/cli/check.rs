//! `sidegate check`: every fault of a configuration, one a line.

use std::io::Write;

use sidegate_filters::clock::{Clock as _, SystemClock};

use super::{Failure, compose};
use crate::config::{self, Config, Environment, Fault, Overrides, Source};

/// Prints every fault, or that there is none and what an operator should know. Whether the configuration is good: then
/// a gateway starts with it.
pub(super) fn run(source: &Source, environment: &Environment, out: &mut dyn Write) -> Result<bool, Failure> {
    let config = match config::load(source, &Overrides::default(), environment) {
        Ok(config) => config,
        Err(faults) => {
            writeln!(out, "{faults}")?;
            return Ok(false);
        }
    };
    let faults = misfits(source, &config)?;
    for fault in &faults {
        writeln!(out, "{fault}")?;
    }
    if faults.is_empty() {
        for notice in config.notices.iter().chain(&compose::notes(&config, SystemClock.now())) {
            writeln!(out, "note: {}", source.placed(&config.places, notice))?;
        }
        let (listeners, routes) = (config.listeners.len(), config.routes.len());
        writeln!(out, "good: {}, {}", counted(listeners, "listener"), counted(routes, "route"))?;
    }
    Ok(faults.is_empty())
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// What would stop a start with a configuration that reads well, in the order of the file.
pub(super) fn misfits(source: &Source, config: &Config) -> Result<Vec<Fault>, Failure> {
    let fault = |misfit: compose::Misfit| source.fault(&config.places, &misfit.key, &misfit.wrong, misfit.right);
    let mut faults: Vec<Fault> = compose::misfits(config)?.into_iter().map(fault).collect();
    faults.sort_by_key(|fault| fault.line);
    Ok(faults)
}

#[cfg(test)]
mod tests;
