//! `sidegate device …`: a phone in software, for trying the gateway out and for scripts.
//!
//! Its keys, counters and dispatch target live in a file, which protects them no better than the file system does.

mod demo;
mod http;
mod interrupts;
mod key;
mod link;
mod phone;
mod qr;
mod state;
#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use sidegate_uaf::StatusCode;
use sidegate_uaf::authenticator::AuthenticatorError;
use zeroize::Zeroizing;

use super::arguments::{ConfigFlag, DataFlags};
use super::data::{self, DEMO_PASSWORD, USERS};
use super::terminal;
use crate::config::{Environment, Faults};
use crate::store::{DataFolder, FolderError, private_file};
use http::Gateway;
use key::UafKey;
use phone::Phone;

/// A phone in software
#[derive(Debug, Args)]
pub(super) struct Device {
    #[command(subcommand)]
    action: Action,
    /// The gateway's public URL
    #[arg(long, global = true, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    gateway: String,
    /// A PEM file of authorities to believe besides the system's, for a gateway with a certificate of its own making
    #[arg(long, global = true, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The user who logs in with a password to register the phone
    #[arg(long, global = true, default_value = "demo")]
    user: String,
    /// Read the user's password from standard input, at a terminal unseen; without it, the data folder's demo.password
    /// serves the user demo
    #[arg(long, global = true)]
    password_stdin: bool,
    /// What UAF keys the phone makes; those that it has stay as they are
    #[arg(long, global = true, value_name = "KIND", value_enum, default_value_t)]
    key: UafKey,
    /// Where the phone keeps its keys and counters
    #[arg(long, global = true, default_value = "phone.json", value_name = "FILE")]
    state: PathBuf,
    /// The gateway's configuration, which names its data folder, for demo.password
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The gateway's data folder, for demo.password; without it that of the configuration, or ./var
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Play the whole story with a fresh phone, one line a step, and clean up, after Ctrl-C too
    Demo,
    /// Log in with the password and register a UAF key
    Register,
    /// Log in with the UAF key and register the phone as a dispatch target
    RegisterTarget,
    /// Rename the dispatch target with nothing but a signature
    UpdateTarget {
        /// Its new name
        #[arg(long)]
        name: String,
    },
    /// Redeem a dispatched token and approve
    Approve {
        /// The link, the text of a QR code, or a PNG file with one
        message: String,
    },
    /// Redeem a dispatched token and say no
    Deny {
        /// The link, the text of a QR code, or a PNG file with one
        message: String,
    },
    /// Delete the dispatch target and deregister the keys
    Delete,
}

/// Why the phone did not get there.
#[derive(Debug, thiserror::Error)]
pub(super) enum PhoneError {
    /// A SIGINT ended it.
    #[error("interrupted")]
    Interrupted,
    /// What it registered could not be removed.
    #[error("{why}; what this phone registered may be left on the gateway: {way_out}")]
    Left {
        /// Why it broke off.
        why: Box<PhoneError>,
        /// How to remove it.
        way_out: String,
    },
    /// A flag or argument is wrong.
    #[error("{0}")]
    Usage(String),
    /// What the phone keeps does not allow it.
    #[error("{0}")]
    State(String),
    /// What the phone keeps can't be written; the text names the file.
    #[error("{0}")]
    Keep(std::io::Error),
    /// The gateway can't be reached.
    #[error("the gateway can't be reached: {}", causes(.0))]
    Network(#[from] reqwest::Error),
    /// The gateway refused.
    #[error("{what}: HTTP {status}: {detail}")]
    Refused {
        /// What was asked.
        what: &'static str,
        /// The HTTP status.
        status: u16,
        /// The problem's detail.
        detail: String,
    },
    /// The gateway answered with another UAF code.
    #[error("{what}: UAF status {code} {}", .code.meaning().trim_end_matches('.'))]
    Uaf {
        /// What was asked.
        what: &'static str,
        /// The code.
        code: StatusCode,
    },
    /// A message of the gateway is not as it should be.
    #[error("{0}")]
    Message(String),
    /// The phone has a key of the user; a second one would be refused too.
    #[error(
        "this phone has a key of the user already; `sidegate device delete` removes it, --state FILE is another phone"
    )]
    Registered,
    /// The gateway asks for no key that the phone has.
    #[error(
        "{0}; the gateway may have lost this phone's key: `sidegate device register` makes a new one, `sidegate device \
         delete` removes the old"
    )]
    KeyLost(Box<PhoneError>),
    /// No key is left to delete the dispatch target with.
    #[error(
        "dispatch target {id} may be left on the gateway, which lost the key that could delete it: `sidegate device \
         register` makes a new one, then `sidegate device delete` removes both"
    )]
    TargetLeft {
        /// Which target.
        id: String,
    },
    /// The authenticator can't answer.
    #[error("the authenticator can't answer: {0}")]
    Authenticator(AuthenticatorError),
    /// A key of the dispatch target can't be used.
    #[error("a key of the dispatch target can't be used: {0}")]
    Key(#[from] crate::jose::PrivateJwkError),
    /// The message is for another key, or was changed.
    #[error("the message can't be decrypted: {0}")]
    Decrypt(#[from] crate::jose::DecryptError),
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] crate::jose::CryptoError),
    /// There is none where it was looked for.
    #[error(
        "{path} is not there: name the gateway's data folder with --data, or run this where the gateway was started; \
         only a gateway for trying out makes it"
    )]
    NoDemoPassword {
        /// Which file.
        path: String,
    },
    /// It was removed from where it was.
    #[error(
        "{path} is not there, and is not made again while there is a user demo: give it a new password with `sidegate \
         user passwd demo --password-stdin --data {folder}`, and the same here with --password-stdin"
    )]
    DemoPasswordRemoved {
        /// Which file.
        path: String,
        /// The data folder.
        folder: String,
    },
    /// The configuration that should name the data folder has faults.
    #[error(transparent)]
    Config(#[from] Faults),
    /// The data folder can't be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// What was read is no password.
    #[error(transparent)]
    Password(#[from] data::NoPassword),
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl PhoneError {
    /// Whether the gateway said that a key is not registered with it; any other failure leaves that open.
    fn is_refusal(&self) -> bool {
        match self {
            Self::Uaf { code, .. } => *code != StatusCode::INTERNAL,
            Self::Authenticator(AuthenticatorError::NoSuitableAuthenticator) => true,
            _ => false,
        }
    }
}

impl PhoneError {
    /// Whether a SIGINT ended it.
    pub(super) fn is_interruption(&self) -> bool {
        match self {
            Self::Interrupted => true,
            Self::Left { why, .. } => why.is_interruption(),
            _ => false,
        }
    }

    /// The same, with the way out where the gateway knows no key of the phone.
    fn of_login(self) -> Self {
        match self {
            Self::Uaf { code: StatusCode::NOT_FOUND | StatusCode::UNKNOWN_KEY_ID, .. }
            | Self::Authenticator(AuthenticatorError::NoSuitableAuthenticator) => Self::KeyLost(Box::new(self)),
            other => other,
        }
    }
}

impl From<AuthenticatorError> for PhoneError {
    fn from(error: AuthenticatorError) -> Self {
        match error {
            AuthenticatorError::AlreadyRegistered => Self::Registered,
            other => Self::Authenticator(other),
        }
    }
}

/// An error with everything behind it: the outermost alone says that something failed and not what.
fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    if text.contains("certificate verify failed") {
        text.push_str("; if the gateway's certificate is of your own making, name its authority with --ca FILE");
    }
    text
}

impl Device {
    /// Does what was asked, telling each step on standard output.
    ///
    /// # Errors
    /// Why it did not succeed.
    pub(super) fn run(&self) -> Result<(), PhoneError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|source| PhoneError::File { path: "runtime".into(), source })?;
        runtime.block_on(self.act())
    }

    async fn act(&self) -> Result<(), PhoneError> {
        let gateway = Gateway::new(&self.gateway, self.ca.as_deref())?;
        if matches!(self.action, Action::Demo) {
            return demo::play(&gateway, self.key, &self.user, &self.password()?).await;
        }
        let mut phone = Phone::open(&gateway, self.key, &self.state)?;
        // A phone that could not keep its keys leaves the gateway with one that nobody has.
        phone.keep()?;
        let done = self.act_with(&mut phone).await;
        phone.keep()?;
        done
    }

    async fn act_with(&self, phone: &mut Phone) -> Result<(), PhoneError> {
        match &self.action {
            Action::Demo => Ok(()),
            Action::Register if phone.has_registered().await? => Ok(()),
            Action::Register => phone.register(&self.user, &self.password()?).await,
            Action::RegisterTarget => phone.register_target("Software phone").await,
            Action::UpdateTarget { name } => phone.update_target(name).await,
            Action::Approve { message } => phone.approve(&link::read(message)?).await,
            Action::Deny { message } => phone.deny(&link::read(message)?).await,
            Action::Delete => phone.delete().await,
        }
    }

    fn password(&self) -> Result<Zeroizing<String>, PhoneError> {
        if self.password_stdin {
            return Ok(data::read_password(&mut *terminal::input())?);
        }
        if self.user != "demo" {
            return Err(PhoneError::Usage(format!(
                "give the password of {:?} on standard input with --password-stdin",
                self.user
            )));
        }
        let flags = DataFlags { config: ConfigFlag { config: self.config.clone() }, folder: self.data.clone() };
        let folder = flags.path(&Environment::of_process())?;
        DataFolder::check(&folder)?;
        let path = folder.join(DEMO_PASSWORD);
        let text = private_file::read_own(&path).map_err(FolderError::from)?;
        let text = text.ok_or_else(|| no_demo_password(&folder, &path))?;
        Ok(data::read_password(&mut text.as_slice())?)
    }
}

/// A folder with users is a gateway's, so that the file is not looked for in the wrong place.
fn no_demo_password(folder: &Path, path: &Path) -> PhoneError {
    let (path, users) = (path.display().to_string(), folder.join(USERS));
    if users.exists() {
        PhoneError::DemoPasswordRemoved { path, folder: folder.display().to_string() }
    } else {
        PhoneError::NoDemoPassword { path }
    }
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, PhoneError> {
    let text = std::fs::read_to_string(path);
    text.map(Zeroizing::new).map_err(|source| PhoneError::File { path: path.display().to_string(), source })
}

/// One line of the story. A closed standard output ends the telling, not the story.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
