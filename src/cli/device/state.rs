//! What the phone keeps between two calls: its keys with their counters, and its dispatch target.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sidegate_uaf::authenticator::DeviceKey;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::PhoneError;
use crate::jose::{DecryptionKey, MessageSigningKey};

/// The phone's file.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    /// Ties the phone's keys and its dispatch target together (`http-api.md` 1).
    pub(super) device_id: String,
    pub(super) keys: Vec<DeviceKey>,
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
        Self { device_id: Uuid::new_v4().to_string(), keys: Vec::new(), target: None }
    }

    /// Reads the file; a phone without one is fresh.
    pub(super) fn load(path: &Path) -> Result<Self, PhoneError> {
        match super::read_file(path) {
            Ok(text) => serde_json::from_str(&text)
                .map_err(|error| PhoneError::Usage(format!("{}: no state of a phone: {error}", path.display()))),
            Err(PhoneError::File { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(Self::fresh()),
            Err(error) => Err(error),
        }
    }

    /// Writes the file, readable by its owner alone, whole or not at all.
    pub(super) fn save(&self, path: &Path) -> Result<(), PhoneError> {
        let text = serde_json::to_vec(self).map_err(|error| PhoneError::Message(error.to_string()))?;
        write(path, &Zeroizing::new(text))
            .map_err(|source| PhoneError::File { path: path.display().to_string(), source })
    }
}

fn write(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file.write_all(text).and_then(|()| file.sync_all()).and_then(|()| std::fs::rename(&draft, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    written
}
