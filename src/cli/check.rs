//! `sidegate check`: every fault of a configuration, one a line.

use std::io::Write;

use super::{Failure, compose};
use crate::config::{self, Environment, Overrides, Source};

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
    let misfits = compose::misfits(&config)?;
    for misfit in &misfits {
        let fault = source.fault(&misfit.key, &misfit.wrong, misfit.right);
        writeln!(out, "{fault}")?;
    }
    if misfits.is_empty() {
        for notice in &config.notices {
            writeln!(out, "note: {notice}")?;
        }
        writeln!(out, "good: {} listeners, {} routes", config.listeners.len(), config.routes.len())?;
    }
    Ok(misfits.is_empty())
}

#[cfg(test)]
mod tests;
