//! What a phone does with a gateway, one method a deed.

mod approval;
mod login;
mod registration;
mod removal;
mod target;

use std::path::{Path, PathBuf};

use serde_json::Value;
use sidegate_uaf::authenticator::{Authenticator, DeviceKey, SOFTWARE_MODEL as MODEL};
use sidegate_uaf::wire::{AuthenticationRequest, Reply, SendUafResponse};
use sidegate_uaf::{KeyRef, StatusCode};
use uuid::Uuid;

use super::PhoneError;
use super::display;
use super::fault::Fault;
use super::flags::KeyMaker;
use super::http::{Answer, Connection, Gateway};
use super::state::State;
use crate::cli::program::command;

/// A phone connected to a gateway.
pub(super) struct Phone {
    connection: Connection,
    authenticator: Authenticator,
    state: State,
    /// The name of a dispatch target whose creation was asked for and got no answer.
    unanswered_target: Option<String>,
    /// The file that it is kept in, if it is kept.
    file: Option<PathBuf>,
    /// What it does wrong in the answers to what it registers and approves.
    fault: Fault,
    /// The file that pictures are shown in, if they are.
    picture: Option<PathBuf>,
}

impl Phone {
    /// The phone that is kept in a file.
    pub(super) fn open(gateway: &Gateway, maker: KeyMaker, state: &Path) -> Result<Self, PhoneError> {
        Self::with(gateway, maker, State::load(state)?, Some(state.to_owned()))
    }

    /// One that has never been used and is kept nowhere.
    pub(super) fn fresh(gateway: &Gateway, maker: KeyMaker) -> Result<Self, PhoneError> {
        Self::with(gateway, maker, State::fresh(), None)
    }

    fn with(gateway: &Gateway, maker: KeyMaker, state: State, file: Option<PathBuf>) -> Result<Self, PhoneError> {
        let model = MODEL.parse().map_err(|_| PhoneError::Message(format!("{MODEL} is no AAID")))?;
        let authenticator = maker.of(Authenticator::new(model));
        let (connection, fault) = (Connection::new(gateway)?, Fault::default());
        let (unanswered_target, picture) = (None, None);
        Ok(Self { connection, authenticator, state, unanswered_target, file, fault, picture })
    }

    /// The same phone with a fault.
    pub(super) fn misbehaving(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    /// Keeps the phone as it is now.
    pub(super) fn keep(&self) -> Result<(), PhoneError> {
        self.file.as_ref().map_or(Ok(()), |file| self.state.keep(file))
    }

    /// Keeps it in this file from now on.
    pub(super) fn keep_as(&mut self, file: &Path) -> Result<(), PhoneError> {
        self.file = Some(file.to_owned());
        self.keep()
    }

    /// Shows pictures in this file from now on.
    pub(super) fn show_pictures_in(&mut self, file: Option<PathBuf>) {
        self.picture = file;
    }

    /// Whether it has nothing that a gateway could know.
    pub(super) fn is_blank(&self) -> bool {
        self.state.keys.is_empty() && self.state.target.is_none()
    }

    /// The id of its dispatch target.
    pub(super) fn target_id(&self) -> Option<&str> {
        self.state.target.as_ref().map(|target| target.id.as_str())
    }

    /// The name of a dispatch target that the gateway may have made without the phone having learnt its id.
    pub(super) fn unanswered_target(&self) -> Option<&str> {
        self.unanswered_target.as_deref()
    }

    /// The name that the server gave for the user of its first key.
    fn username(&self) -> Result<String, PhoneError> {
        let first = self.state.keys.first().map(|key| key.username().to_owned());
        first.ok_or_else(no_key)
    }

    /// Answers a request to authenticate, wrong if that was asked for, at this path and for this end.
    async fn authenticate(
        &mut self,
        request: &str,
        fault: Fault,
        (path, what): (&str, &'static str),
    ) -> Result<(), PhoneError> {
        let (message, key) = self.sign(request, fault)?;
        self.send(path, message, &Reply::default()).await?.expect_uaf(StatusCode::OK, what)?;
        self.state.keys.iter_mut().filter(|known| known.key_ref() == key).for_each(DeviceKey::accept);
        Ok(())
    }

    /// The answer, and the key that signed it.
    fn sign(&mut self, request: &str, fault: Fault) -> Result<(String, KeyRef), PhoneError> {
        let request = AuthenticationRequest::from_message(request).map_err(unreadable)?;
        if let Some(shown) = self.authenticator.shown(&request, &self.state.keys)? {
            display::show(shown, self.picture.as_deref())?;
        } else {
            display::not_written(self.picture.as_deref(), "there is nothing to confirm");
        }
        let key = self.authenticator.next_key(&request, &mut self.state.keys)?;
        let draft = self.authenticator.draft_authentication(&request, key, Uuid::new_v4().as_bytes())?;
        Ok((fault.sign(draft, key)?, key.key_ref()))
    }

    async fn send(&mut self, path: &str, message: String, reply: &Reply) -> Result<Answer, PhoneError> {
        // A counter that was used must never be used again, whatever becomes of this process.
        self.keep()?;
        let message = serde_json::to_value(SendUafResponse::of_message(message, reply));
        self.connection.post_uaf(path, &message.map_err(|error| PhoneError::Message(error.to_string()))?).await
    }
}

fn no_key() -> PhoneError {
    PhoneError::State(format!("this phone has no key yet: run {} first", command("device register")))
}

fn unreadable(error: sidegate_uaf::Error) -> PhoneError {
    PhoneError::Message(format!("the gateway's UAF message can't be read: {error}"))
}

fn text(body: &Value, member: &str) -> String {
    body.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}
