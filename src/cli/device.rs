//! `sidegate device …`: a phone in software, for trying the gateway out and for scripts.
//!
//! Its keys, counters and dispatch target live in a file, which protects them no better than the file system does.

mod advice;
mod demo;
mod display;
mod error;
mod fault;
mod flags;
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
use std::path::Path;

use clap::Args;
use zeroize::Zeroizing;

pub(super) use error::PhoneError;
use fault::Fault;
use flags::{Action, Kept, KeyMaker};
use phone::Phone;

/// A phone in software
#[derive(Debug, Args)]
pub(super) struct Device {
    #[command(subcommand)]
    action: Action,
}

impl Device {
    /// Does what was asked, telling each step on standard output.
    ///
    /// # Errors
    /// Why it did not succeed.
    pub(super) fn run(&self) -> Result<(), PhoneError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|source| PhoneError::File { path: "runtime".into(), source })?;
        runtime.block_on(self.act()).map_err(|error| self.advised(error))
    }

    async fn act(&self) -> Result<(), PhoneError> {
        let (maker, fault, Kept { state, at }) = match &self.action {
            Action::Misbehaviours => {
                fault::list();
                return Ok(());
            }
            Action::Demo { login, maker, at } => {
                return demo::play(&at.gateway()?, *maker, &login.user, &login.password()?).await;
            }
            Action::Register { maker, fault, kept, .. } | Action::Approve { maker, fault, kept, .. } => {
                (*maker, *fault, kept)
            }
            Action::RegisterTarget { kept }
            | Action::UpdateTarget { kept, .. }
            | Action::Deny { kept, .. }
            | Action::Delete { kept } => (KeyMaker::default(), Fault::default(), kept),
        };
        let mut phone = Phone::open(&at.gateway()?, maker, state)?.misbehaving(fault);
        // A phone that could not keep its keys leaves the gateway with one that nobody has.
        phone.keep()?;
        let done = self.act_with(&mut phone).await;
        phone.keep()?;
        done
    }

    async fn act_with(&self, phone: &mut Phone) -> Result<(), PhoneError> {
        match &self.action {
            Action::Demo { .. } | Action::Misbehaviours => Ok(()),
            Action::Register { .. } if phone.has_registered().await? => Ok(()),
            Action::Register { login, .. } => phone.register(&login.user, &login.password()?).await,
            Action::RegisterTarget { .. } => phone.register_target("Software phone").await,
            Action::UpdateTarget { name, .. } => phone.update_target(name).await,
            Action::Approve { message, picture, .. } => {
                picture.as_deref().map_or(Ok(()), display::check)?;
                phone.show_pictures_in(picture.clone());
                phone.approve(&link::read(message)?).await
            }
            Action::Deny { message, .. } => phone.deny(&link::read(message)?).await,
            Action::Delete { .. } => phone.delete().await,
        }
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
