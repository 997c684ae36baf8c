//! What a start finds or makes in the data folder before it serves, and what it says about that (`gateway.md` 6.2).

use std::fmt::Write as _;

use sidegate_filters::Role;
use zeroize::Zeroizing;

use super::{data, program};
use crate::config::{Config, Source};
use crate::jose::CryptoError;
use crate::store::users::{PasswordHash, UserError};
use crate::store::{DataFolder, FolderError, StoreError, Users};

/// The user for trying out.
const DEMO: &str = "demo";
const TRY_OUT: &str =
    "Set up for trying out, on this machine only. Before others reach it, write a configuration of your own.";

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartRefused {
    /// The password can't be hashed.
    #[error("a password can't be hashed")]
    Hash,
    /// The data folder failed.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The user `demo` can't be kept.
    #[error(transparent)]
    User(#[from] UserError),
    /// No randomness.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// The password of a user `demo` that was made just now, to be printed once.
pub struct DemoPassword(Zeroizing<String>);

/// Makes the user `demo` with a new password, for trying out only. Neither a user `demo` who is there nor one who was
/// removed since is made again: the file with the password tells.
///
/// # Errors
/// If it can't be kept.
pub async fn demo_user(
    config: &Config,
    folder: &DataFolder,
    users: &dyn Users,
) -> Result<Option<DemoPassword>, StartRefused> {
    if !config.try_out || folder.read(data::DEMO_PASSWORD)?.is_some() {
        return Ok(None);
    }
    // A start that was cut short is gone on with: the password has its name only once the user is there.
    let password = match (users.by_name(DEMO).await?, folder.read(data::DEMO_BEGUN)?) {
        (None, _) => {
            let line = folder.read_or_make(data::DEMO_BEGUN, demo_line)?;
            let hash = PasswordHash::of(line.trim_ascii_end()).map_err(|_| StartRefused::Hash)?;
            users.add(DEMO, hash).await?;
            line
        }
        (Some(user), Some(line)) if user.password.verify(line.trim_ascii_end()) => line,
        (Some(_), _) => return Ok(None),
    };
    folder.rename(data::DEMO_BEGUN, data::DEMO_PASSWORD)?;
    let password = String::from_utf8_lossy(password.trim_ascii_end()).into_owned();
    Ok(Some(DemoPassword(Zeroizing::new(password))))
}

fn demo_line() -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    Ok(Zeroizing::new(format!("{}\n", data::new_password()?.as_str()).into_bytes()))
}

/// What an operator should know, on a line, nothing secret.
pub enum Note {
    /// That something should not stay as it is.
    Warning(String),
    /// Where something is.
    Hint(String),
}

impl Note {
    fn text(&self) -> &str {
        match self {
            Self::Warning(text) | Self::Hint(text) => text,
        }
    }
}

/// Tells it at the start: on a terminal as one block, else as log lines, since whatever takes standard error then takes
/// the log with it. Only a terminal is shown the demo password.
pub fn announce(config: &Config, mut notes: Vec<Note>, demo: Option<&DemoPassword>, terminal: bool) {
    if demo.is_some() {
        let file = config.data.join(data::DEMO_PASSWORD);
        let (file, remove) = (file.display(), program::user_command("remove demo", &config.data));
        notes.push(Note::Warning(format!("user demo was made, its password is in {file}; {remove} removes it")));
    }
    if !terminal {
        notes.iter().for_each(log);
    } else if let Some(block) = block(&notes, demo) {
        eprintln!("{}", block.as_str());
    }
}

fn log(note: &Note) {
    match note {
        Note::Warning(text) => tracing::warn!("{text}"),
        Note::Hint(text) => tracing::info!("{text}"),
    }
}

/// The notes for a terminal, with the demo password; `None` where there is nothing to say. What else is set up for trying
/// out stands below the line that says so.
fn block(notes: &[Note], demo: Option<&DemoPassword>) -> Option<Zeroizing<String>> {
    let end = if notes.first().is_some_and(|note| note.text() == TRY_OUT) { "\n  " } else { "\n" };
    let mut block = Zeroizing::new(notes.iter().map(Note::text).collect::<Vec<_>>().join(end));
    if let Some(DemoPassword(password)) = demo {
        write!(block, "{end}password of demo: {}", password.as_str()).unwrap_or_default();
    }
    (!block.is_empty()).then_some(block)
}

/// What the configuration leaves open, whether nobody can log in, and where bearers are.
pub fn notes(source: &Source, config: &Config, nobody: bool, bearers: Vec<Note>) -> Vec<Note> {
    let mut notes = Vec::new();
    if config.try_out {
        notes.push(Note::Warning(TRY_OUT.to_owned()));
    }
    let placed = |notice| Note::Warning(source.placed(&config.places, notice));
    notes.extend(config.notices.iter().map(placed));
    if nobody {
        let add = program::user_command("add NAME", &config.data);
        notes.push(Note::Warning(format!("there are no users: {add} adds one")));
    }
    notes.extend(bearers);
    notes
}

/// Whether there is nobody whom a login could be for, and no internal caller who has users made.
///
/// # Errors
/// If the users can't be read.
pub async fn nobody_can_log_in(config: &Config, users: &dyn Users) -> Result<bool, StoreError> {
    let wants_users = !config.realms.is_empty() || config.fido_uaf.is_some();
    let provisioned = config.internal_callers.iter().any(|caller| caller.roles.contains(&Role::Provision));
    Ok(wants_users && !provisioned && users.list().await?.is_empty())
}

/// Where the bearers are that the gateway makes, looked for before it does.
pub fn bearers(config: &Config, folder: &DataFolder) -> Vec<Note> {
    let made = config.internal_callers.iter().filter(|caller| caller.has_made_bearer());
    made.map(|caller| {
        let file = folder.file(&caller.made_bearer());
        let now = if file.exists() { "" } else { ", made just now" };
        Note::Hint(format!("internal-callers.{}: its bearer is in {}{now}", caller.name, file.display()))
    })
    .collect()
}

#[cfg(test)]
mod tests;
