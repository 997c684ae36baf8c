//! What a phone can be told to do, each with the flags that mean something there.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use sidegate_uaf::authenticator::Authenticator;
use zeroize::Zeroizing;

use super::PhoneError;
use super::display::Display;
use super::fault::Fault;
use super::http::Gateway;
use super::key::UafKey;
use crate::cli::arguments::{ConfigFlag, DataFlags};
use crate::cli::data::{self, DEMO_PASSWORD, USERS};
use crate::cli::{program, terminal};
use crate::config::Environment;
use crate::store::users::file;
use crate::store::{DataFolder, FolderError, private_file};

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Play the whole story with a fresh phone, one line a step, and clean up, after Ctrl-C too
    Demo {
        #[command(flatten)]
        login: PasswordLogin,
        #[command(flatten)]
        maker: KeyMaker,
        #[command(flatten)]
        at: At,
    },
    /// Log in with the password and register a UAF key
    Register {
        #[command(flatten)]
        login: PasswordLogin,
        #[command(flatten)]
        maker: KeyMaker,
        #[command(flatten)]
        fault: Fault,
        #[command(flatten)]
        kept: Kept,
    },
    /// Log in with the UAF key and register the phone as a dispatch target
    RegisterTarget {
        #[command(flatten)]
        kept: Kept,
    },
    /// Rename the dispatch target with nothing but a signature
    UpdateTarget {
        /// Its new name
        #[arg(long)]
        name: String,
        #[command(flatten)]
        kept: Kept,
    },
    /// Redeem a dispatched token and approve; that of a registration makes a key
    Approve {
        /// The link, the text of a QR code, or a PNG file with one
        message: String,
        /// Where a picture to confirm is written, for its user's eyes alone; a file there is replaced
        #[arg(long, value_name = "FILE")]
        picture: Option<PathBuf>,
        #[command(flatten)]
        maker: KeyMaker,
        #[command(flatten)]
        fault: Fault,
        #[command(flatten)]
        kept: Kept,
    },
    /// Redeem a dispatched token and say no
    Deny {
        /// The link, the text of a QR code, or a PNG file with one
        message: String,
        #[command(flatten)]
        kept: Kept,
    },
    /// Delete the dispatch target and deregister the keys
    Delete {
        #[command(flatten)]
        kept: Kept,
    },
    /// Print what `--misbehave` of register and approve can be told, one a line: the name, in whose answers, what is wrong and what
    /// it takes; asks no gateway
    Misbehaviours,
}

impl Action {
    /// The login with a password that it begins with.
    pub(super) fn login(&self) -> Option<&PasswordLogin> {
        match self {
            Self::Demo { login, .. } | Self::Register { login, .. } => Some(login),
            _ => None,
        }
    }

    /// The gateway that it calls, if it calls one.
    pub(super) fn at(&self) -> Option<&At> {
        match self {
            Self::Misbehaviours => None,
            Self::Demo { at, .. } => Some(at),
            Self::Register { kept, .. }
            | Self::RegisterTarget { kept }
            | Self::UpdateTarget { kept, .. }
            | Self::Approve { kept, .. }
            | Self::Deny { kept, .. }
            | Self::Delete { kept } => Some(&kept.at),
        }
    }
}

/// Which gateway is called.
#[derive(Debug, Clone, Args)]
pub(super) struct At {
    /// The gateway's public URL
    #[arg(long = "gateway", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub(super) url: String,
    /// A PEM file of authorities to believe besides the system's, for a gateway with a certificate of its own making
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
}

impl At {
    /// The gateway, ready to be called.
    pub(super) fn gateway(&self) -> Result<Gateway, PhoneError> {
        Gateway::new(&self.url, self.ca.as_deref())
    }
}

/// Who logs in with a password, and where it is.
#[derive(Debug, Clone, Args)]
pub(super) struct PasswordLogin {
    /// The user who logs in with a password to register the phone
    #[arg(long, default_value = "demo")]
    pub(super) user: String,
    /// Read the user's password from standard input, at a terminal unseen; without it, the data folder's demo.password
    /// serves the user demo
    #[arg(long)]
    pub(super) password_stdin: bool,
    /// The gateway's configuration, which names its data folder, for demo.password
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The gateway's data folder, for demo.password; without it that of the configuration, or ./var
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
}

/// What keys are made of, and what they show. One line of help: each value described would have clap print the long form of everything.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct KeyMaker {
    /// What UAF keys the phone makes: p256, p256-der, rsa-pss or rsa-pss-der; those that it has stay as they are
    #[arg(long, value_name = "KIND", value_enum, default_value_t, hide_possible_values = true)]
    pub(super) key: UafKey,
    /// How large the pictures are that a key's display shows; keys that the phone has stay as they are
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value_t)]
    pub(super) display: Display,
}

impl KeyMaker {
    /// The authenticator, making such keys.
    pub(super) fn of(self, authenticator: Authenticator) -> Authenticator {
        self.display.of(self.key.of(authenticator))
    }
}

/// Which phone, and at which gateway.
#[derive(Debug, Clone, Args)]
pub(super) struct Kept {
    /// Where the phone keeps its keys and counters
    #[arg(long, default_value = "phone.json", value_name = "FILE")]
    pub(super) state: PathBuf,
    #[command(flatten)]
    pub(super) at: At,
}

impl PasswordLogin {
    /// The password, from where the flags say that it is.
    pub(super) fn password(&self) -> Result<Zeroizing<String>, PhoneError> {
        if self.password_stdin {
            return Ok(data::read_password(&mut *terminal::input())?);
        }
        if self.user != "demo" {
            return Err(PhoneError::Usage(format!(
                "give the password of {:?} on standard input with --password-stdin",
                self.user
            )));
        }
        let folder = self.data_flags().path(&Environment::of_process())?;
        DataFolder::check(&folder)?;
        let text = private_file::read_own(&folder.join(DEMO_PASSWORD)).map_err(FolderError::from)?;
        let text = text.ok_or_else(|| no_demo_password(&folder))?;
        data::read_password(&mut text.as_slice()).map_err(|error| useless(&folder, &error.to_string()))
    }

    /// Which data folder is meant.
    pub(super) fn data_flags(&self) -> DataFlags {
        DataFlags { config: ConfigFlag { config: self.config.clone() }, folder: self.data.clone() }
    }

    /// The refusal of the password that the data folder has, if it is that one which was refused.
    pub(super) fn refused(&self, why: PhoneError) -> PhoneError {
        if self.password_stdin {
            return why;
        }
        let folder = self.data_flags().path(&Environment::of_process());
        folder
            .map_or_else(PhoneError::from, |folder| useless(&folder, &format!("the gateway does not take it ({why})")))
    }
}

/// A folder with users is a gateway's, so that the file is not looked for in the wrong place.
fn no_demo_password(folder: &Path) -> PhoneError {
    if folder.join(USERS).exists() {
        useless(folder, "it is not there, and is not made again while there is a user demo")
    } else {
        PhoneError::NoDemoPassword { path: folder.join(DEMO_PASSWORD).display().to_string() }
    }
}

/// Whether the folder's users are others; nobody knows of those that can't be read.
fn has_no_demo(folder: &Path) -> bool {
    let users = private_file::read_own(&folder.join(USERS)).ok().flatten();
    users.and_then(|users| String::from_utf8(users.to_vec()).ok()).is_some_and(|users| file::lacks(&users, "demo"))
}

fn useless(folder: &Path, why: &str) -> PhoneError {
    let path = folder.join(DEMO_PASSWORD).display().to_string();
    if has_no_demo(folder) {
        let (list, add) = ("list", "add NAME --password-stdin");
        let [list, add] = [list, add].map(|line| program::user_command(line, folder));
        return PhoneError::NoDemo { path, list, add };
    }
    let (quoted_folder, quoted_path) = (program::quoted(&folder.display().to_string()), program::quoted(&path));
    let passwd = program::line(&format!("user passwd demo --data {quoted_folder}"));
    let remedy = format!("(umask 077; {passwd} | sed -n 's/^password //p' > {quoted_path})");
    PhoneError::DemoPassword { path, why: why.to_owned(), remedy }
}
