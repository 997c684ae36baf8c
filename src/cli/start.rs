//! What a start finds or makes in the data folder before it serves, and what it says about that (`gateway.md` 6.2).

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::data;
use crate::config::Config;
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

/// Tells what an operator should know at the start: on a terminal as one block, else as log lines, since whatever takes
/// standard error then takes the log with it. Only a terminal is shown the demo password.
pub fn announce(config: &Config, demo: Option<&DemoPassword>, terminal: bool) {
    let mut notes = notes(config);
    if demo.is_some() {
        let file = config.data.join(data::DEMO_PASSWORD);
        notes.push(format!(
            "user demo was made, its password is in {} (to remove: sidegate user remove demo)",
            file.display()
        ));
    }
    if !terminal {
        notes.iter().for_each(|note| tracing::warn!("{note}"));
    } else if let Some(block) = block(&notes, demo) {
        eprintln!("{}", block.as_str());
    }
}

/// The notes for a terminal, with the demo password; `None` where there is nothing to say.
fn block(notes: &[String], demo: Option<&DemoPassword>) -> Option<Zeroizing<String>> {
    let mut block = Zeroizing::new(notes.join("\n  "));
    if let Some(DemoPassword(password)) = demo {
        write!(block, "\n  password of demo: {}", password.as_str()).unwrap_or_default();
    }
    (!block.is_empty()).then_some(block)
}

/// A line each, nothing secret.
fn notes(config: &Config) -> Vec<String> {
    let mut notes = Vec::new();
    if config.try_out {
        notes.push(TRY_OUT.to_owned());
    }
    notes.extend(config.notices.iter().map(ToString::to_string));
    notes.extend(config.internal_callers.iter().filter(|caller| caller.has_made_bearer()).map(|caller| {
        let file = config.data.join(caller.made_bearer());
        format!("internal-callers.{}: its bearer is in {}, made at the first start", caller.name, file.display())
    }));
    notes
}

#[cfg(test)]
mod tests;
