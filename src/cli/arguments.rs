//! The command line as clap reads it (`gateway.md` 6.1). Scripts rely on it: names and meanings stay.

mod order;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::device::Device;
use crate::config::{self, Config, Environment, Faults, Overrides, Source};
use crate::jose::sample::Host;
use crate::routes::ListenerClass;
pub(super) use order::command_first;

/// An authentication gateway with out-of-band services and a FIDO UAF 1.1 server inside.
#[derive(Debug, Parser)]
#[command(name = "sidegate", version, args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) serve: ServeFlags,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serves; what happens without a command, too.
    Serve(ServeFlags),
    /// Shows what a request would meet: row, filters, destination; without a request, every row.
    Explain(ExplainFlags),
    /// A phone in software.
    Device(Device),
    /// Checks a configuration and prints every fault.
    #[command(override_usage = "sidegate check [--config FILE]")]
    Check(ConfigFlag),
    /// Adds, lists, changes and removes users; works beside a running gateway.
    #[command(subcommand)]
    User(UserCommand),
    /// Makes certificates for trying out, or a new key for SecTokens.
    Keygen(KeygenFlags),
}

/// What to serve, and what stands above the configuration.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ServeFlags {
    #[command(flatten)]
    data: DataFlags,
    /// Takes over from the gateway that serves from this data folder, if there is one: its sockets, sessions and
    /// operations. That one ends then.
    #[arg(long)]
    pub(super) upgrade: bool,
    /// The address of the public listener, such as 127.0.0.1:8080; a name is not taken.
    #[arg(long, value_name = "ADDR:PORT", value_parser = config::address)]
    listen: Option<SocketAddr>,
    /// The address of the internal listener.
    #[arg(long, value_name = "ADDR:PORT", value_parser = config::address)]
    internal: Option<SocketAddr>,
    /// The address of the management listener.
    #[arg(long, value_name = "ADDR:PORT", value_parser = config::address)]
    management: Option<SocketAddr>,
}

impl ServeFlags {
    pub(super) fn source(&self) -> Source {
        self.data.config.source()
    }

    pub(super) fn overrides(&self) -> Overrides {
        let Self { data: DataFlags { folder, .. }, listen, internal, management, .. } = self.clone();
        Overrides { data: folder, listen, internal, management }
    }
}

/// Which data folder is meant: the one that a gateway with the same flags serves from.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct DataFlags {
    #[command(flatten)]
    pub(super) config: ConfigFlag,
    /// The data folder; without it that of the configuration, or ./var where it names none.
    #[arg(long = "data", value_name = "DIR")]
    pub(super) folder: Option<PathBuf>,
}

impl DataFlags {
    /// Where the folder is.
    ///
    /// # Errors
    /// Every fault of the configuration.
    pub(super) fn path(&self, environment: &Environment) -> Result<PathBuf, Faults> {
        Ok(self.load(environment)?.data)
    }

    /// The configuration with this folder.
    ///
    /// # Errors
    /// Its every fault.
    pub(super) fn load(&self, environment: &Environment) -> Result<Config, Faults> {
        let overrides = Overrides { data: self.folder.clone(), ..Overrides::default() };
        config::load(&self.config.source(), &overrides, environment)
    }
}

/// Which request to explain; without one every row is listed.
#[derive(Debug, Args)]
pub(super) struct ExplainFlags {
    /// The method, as GET.
    #[arg(requires = "path")]
    pub(super) method: Option<String>,
    /// The path; a query plays no part.
    pub(super) path: Option<String>,
    /// The listener that the request comes in on: public where it is left out. Rows are listed of all then.
    #[arg(long, value_name = "CLASS", value_parser = class)]
    pub(super) on: Option<ListenerClass>,
    #[command(flatten)]
    pub(super) config: ConfigFlag,
}

fn class(word: &str) -> Result<ListenerClass, String> {
    let classes = [ListenerClass::Public, ListenerClass::Internal, ListenerClass::Management];
    let found = classes.into_iter().find(|class| class.name() == word);
    found.ok_or_else(|| "write public, internal or management".to_owned())
}

/// Which configuration is meant.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ConfigFlag {
    /// The configuration; without it, what is built in.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

impl ConfigFlag {
    pub(super) fn source(&self) -> Source {
        self.config.clone().map_or(Source::BuiltIn, Source::File)
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Adds a user.
    Add {
        #[command(flatten)]
        login: Login,
        /// A role of the user; may be given several times.
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// Makes a new users file where that of a gateway that was in use got lost, instead of refusing to. The users who
        /// were in it are then unknown, and their keys stay for when it is put back.
        #[arg(long)]
        new_users_file: bool,
        #[command(flatten)]
        data: DataFlags,
    },
    /// Gives a user another password, which ends the user's sessions.
    Passwd {
        #[command(flatten)]
        login: Login,
        #[command(flatten)]
        data: DataFlags,
    },
    /// Gives a user these roles in place of those that there were; without any it has none. Sessions have them at once.
    Roles {
        /// The login name.
        name: String,
        /// A role of the user; may be given several times.
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        #[command(flatten)]
        data: DataFlags,
    },
    /// Lists names, extIds and roles.
    List {
        #[command(flatten)]
        data: DataFlags,
    },
    /// Removes a user: whatever belongs to the user is void from then on.
    Remove {
        /// The login name.
        name: String,
        #[command(flatten)]
        data: DataFlags,
    },
}

/// A user with a password, which is made and printed where none is given.
#[derive(Debug, Args)]
pub(super) struct Login {
    /// The login name.
    pub(super) name: String,
    /// Reads the password from standard input, without the line's end, at a terminal unseen; else one is made and printed.
    #[arg(long)]
    pub(super) password_stdin: bool,
}

impl UserCommand {
    pub(super) fn data(&self) -> &DataFlags {
        match self {
            Self::Add { data, .. }
            | Self::Passwd { data, .. }
            | Self::Roles { data, .. }
            | Self::List { data }
            | Self::Remove { data, .. } => data,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct KeygenFlags {
    #[command(flatten)]
    pub(super) what: KeygenWhat,
    /// A DNS name or IP address that the server's certificate is for; may be given several times. Without it localhost,
    /// 127.0.0.1 and ::1.
    #[arg(long = "name", value_name = "HOST", conflicts_with = "sectoken", value_parser = Host::parse)]
    pub(super) names: Vec<Host>,
    #[command(flatten)]
    pub(super) whose: WhoseKey,
    #[command(flatten)]
    pub(super) data: DataFlags,
}

/// Whose key for SecTokens is replaced; of neither flag: the common one.
#[derive(Debug, Args)]
#[group(multiple = false, conflicts_with = "self_signed")]
pub(super) struct WhoseKey {
    /// Of this upstream, which has a key of its own (sec-token-key: own).
    #[arg(long, value_name = "NAME")]
    pub(super) upstream: Option<String>,
    /// The common one, and that of each upstream which has its own.
    #[arg(long)]
    pub(super) all: bool,
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
mod tests;
