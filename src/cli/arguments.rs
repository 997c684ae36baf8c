//! The command line as clap reads it (`gateway.md` 6.1). Scripts rely on it: names and meanings stay.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Source;

/// An authentication gateway with out-of-band services and a FIDO UAF 1.1 server inside.
#[derive(Debug, Parser)]
#[command(name = "sidegate", version)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Checks a configuration and prints every fault.
    Check(ConfigFlag),
    /// Adds, lists and removes users; works beside a running gateway.
    #[command(subcommand)]
    User(UserCommand),
    /// Makes certificates for trying out, or a new key for SecTokens.
    Keygen(KeygenFlags),
}

/// Which configuration is meant.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ConfigFlag {
    /// The configuration; without it, what is built in.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFlag {
    pub(super) fn source(&self) -> Source {
        self.config.clone().map_or(Source::BuiltIn, Source::File)
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Adds a user; without --password-stdin with a new password, which is printed.
    Add {
        /// The login name.
        name: String,
        /// Reads the password from standard input, without the line's end.
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        data: DataFlag,
    },
    /// Lists names and extIds.
    List {
        #[command(flatten)]
        data: DataFlag,
    },
    /// Removes a user: whatever belongs to the user is void from then on.
    Remove {
        /// The login name.
        name: String,
        #[command(flatten)]
        data: DataFlag,
    },
}

#[derive(Debug, Clone, Args)]
pub(super) struct DataFlag {
    /// The data folder.
    #[arg(long = "data", value_name = "DIR", default_value = "./var")]
    pub(super) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct KeygenFlags {
    #[command(flatten)]
    pub(super) what: KeygenWhat,
    #[command(flatten)]
    pub(super) data: DataFlag,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct KeygenWhat {
    /// Makes an authority, a server's and a client's certificate with their keys in this folder.
    #[arg(long, value_name = "DIR")]
    pub(super) self_signed: Option<PathBuf>,
    /// Makes a new key for SecTokens in the data folder; the one before stays in the published set.
    #[arg(long)]
    pub(super) sectoken: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn wrong_uses_are_refused() {
        for line in ["sidegate serv", "sidegate user", "sidegate user add", "sidegate keygen"] {
            assert!(Arguments::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
