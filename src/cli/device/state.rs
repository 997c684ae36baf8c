//! What the phone keeps between two calls: its keys with their counters, and its dispatch target.

use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sidegate_uaf::authenticator::DeviceKey;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::PhoneError;
use crate::cli::program::command;
use crate::jose::{DecryptionKey, MessageSigningKey};
use crate::store::private_file;

/// The phone's file.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    /// Ties the phone's keys and its dispatch target together (`http-api.md` 1).
    pub(super) device_id: String,
    pub(super) keys: Vec<DeviceKey>,
    /// Whether the last key was sent to the gateway and no answer was seen: the gateway may have it or not.
    #[serde(default)]
    pub(super) unconfirmed: bool,
    pub(super) target: Option<Target>,
}

/// The dispatch target of the phone.
#[derive(Serialize, Deserialize)]
pub(super) struct Target {
    pub(super) id: String,
    pub(super) signing: MessageSigningKey,
    pub(super) encryption: DecryptionKey,
}

impl State {
    /// A phone that has never been used.
    pub(super) fn fresh() -> Self {
        Self { device_id: Uuid::new_v4().to_string(), keys: Vec::new(), unconfirmed: false, target: None }
    }

    /// Takes keys away. What is in doubt is the last one, and goes with it.
    pub(super) fn lose(&mut self, keys: impl FnOnce(&mut Vec<DeviceKey>)) {
        let last = self.keys.last().map(DeviceKey::key_ref);
        keys(&mut self.keys);
        self.unconfirmed &= last.is_some() && self.keys.last().map(DeviceKey::key_ref) == last;
    }

    /// Reads the file; a phone without one is fresh.
    pub(super) fn load(path: &Path) -> Result<Self, PhoneError> {
        match super::read_file(path) {
            // serde_json's message may quote the file, a private key included.
            Ok(text) => serde_json::from_str(&text).map_err(|error| {
                PhoneError::State(format!(
                    "{}: no state of a phone (line {}): put back the file that was there, or name another one with \
                     --state; the keys of a lost one go with {}",
                    path.display(),
                    error.line(),
                    command("user remove NAME")
                ))
            }),
            Err(PhoneError::File { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(Self::fresh()),
            Err(error) => Err(error),
        }
    }

    /// Keeps the phone in the file, or makes sure that it could be kept there: one with nothing in it has no file.
    pub(super) fn keep(&self, path: &Path) -> Result<(), PhoneError> {
        if !self.keys.is_empty() || self.target.is_some() {
            return self.save(path);
        }
        private_file::probe(path).map_err(PhoneError::Keep)?;
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(PhoneError::Keep(private_file::named(path, &error)))
            }
            _ => Ok(()),
        }
    }

    /// Writes the file, readable by its owner alone, whole or not at all.
    pub(super) fn save(&self, path: &Path) -> Result<(), PhoneError> {
        let text = serde_json::to_vec(self).map_err(|error| PhoneError::Message(error.to_string()))?;
        private_file::replace(path, &Zeroizing::new(text)).map_err(PhoneError::Keep)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use sidegate_filters::jws::{EcCurve, KeyKind};

    use super::*;

    const P256: KeyKind = KeyKind::Ec(EcCurve::P256);

    fn state() -> State {
        let (signing, encryption) =
            (MessageSigningKey::generate(P256).unwrap(), DecryptionKey::generate(P256).unwrap());
        State { target: Some(Target { id: "target-1".into(), signing, encryption }), ..State::fresh() }
    }

    fn text(state: &State) -> String {
        serde_json::to_string(state).unwrap()
    }

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn what_was_saved_is_there_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.json");
        assert!(State::load(&path).unwrap().target.is_none(), "a phone without a file is fresh");
        fs::write(&path, "{}").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let state = state();
        state.save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(text(&State::load(&path).unwrap()), text(&state));
        assert_eq!(files(folder.path()), 1, "no draft is left");
    }

    #[test]
    fn a_save_that_fails_leaves_no_draft() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.json");
        fs::create_dir_all(path.join("full")).unwrap();
        assert!(state().save(&path).is_err());
        assert_eq!(files(folder.path()), 1);
    }

    #[test]
    fn a_damaged_file_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.json");
        fs::write(&path, text(&state()).replace("[]", "\"hunter2\"")).unwrap();
        let error = State::load(&path).err().unwrap();
        assert!(matches!(error, PhoneError::State(_)) && !error.to_string().contains("hunter2"), "{error}");
        assert!(error.to_string().contains("name another one with --state"), "{error}");
    }
}
