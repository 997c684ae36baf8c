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
    if !config.try_out || folder.read(data::DEMO_PASSWORD)?.is_some() || users.by_name(DEMO).await?.is_some() {
        return Ok(None);
    }
    let password = data::new_password()?;
    let line = Zeroizing::new(format!("{}\n", password.as_str()).into_bytes());
    folder.write(data::DEMO_PASSWORD, &line)?;
    let hash = PasswordHash::of(password.as_bytes()).map_err(|_| StartRefused::Hash)?;
    users.add(DEMO, hash).await?;
    Ok(Some(DemoPassword(password)))
}

/// What an operator should know at the start, in one block; `None` where there is nothing. Only a terminal is shown the
/// demo password: anything else that takes standard error takes the log with it, which is kept.
#[must_use]
pub fn announcement(config: &Config, demo: Option<&DemoPassword>, terminal: bool) -> Option<Zeroizing<String>> {
    let mut block = Zeroizing::new(String::new());
    let mut line = |text: &str| writeln!(block, "{text}").unwrap_or_default();
    if config.try_out {
        line("Set up for trying out, on this machine only. Before others reach it, write a configuration of your own.");
    }
    for notice in &config.notices {
        line(&format!("  {notice}"));
    }
    if config.try_out {
        let data = config.data.display();
        line(&format!("  internal-callers: the bearer for {} is made in {data}", callers(config)));
    }
    if let Some(DemoPassword(password)) = demo {
        let file = config.data.join(data::DEMO_PASSWORD);
        let file = file.display();
        let remove = "to remove: sidegate user remove demo";
        let said = Zeroizing::new(if terminal {
            format!("  user demo was made, password {} (also in {file}; {remove})", password.as_str())
        } else {
            format!("  user demo was made, its password is in {file} ({remove})")
        });
        line(&said);
    }
    (!block.is_empty()).then_some(block)
}

fn callers(config: &Config) -> String {
    config.internal_callers.iter().map(|caller| caller.name.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
