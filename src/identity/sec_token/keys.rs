//! The files of the SecToken keys, and their rotation with overlap.

use std::time::Duration;

use serde_json::Value;

use crate::identity::key_file::{self, KeyFileError, generate, parse};
use crate::jose::{self, SigningKey};
use crate::store::{DataFolder, FolderError};

const CURRENT: &str = "sectoken.pem";
const PREVIOUS: &str = "sectoken.previous.pem";

/// The files in the data folder, the one that signs first.
pub const KEY_FILES: [&str; 2] = [CURRENT, PREVIOUS];

/// How long upstreams may keep the JWK set (`Cache-Control`).
pub const JWKS_KEPT: Duration = Duration::from_secs(60);

/// The key that signs, and the one before it, which upstreams still need for tokens under way.
#[derive(Debug)]
pub struct SecTokenKeys {
    current: SigningKey,
    previous: Option<SigningKey>,
}

impl SecTokenKeys {
    /// These keys.
    #[must_use]
    pub fn new(current: SigningKey, previous: Option<SigningKey>) -> Self {
        Self { current, previous }
    }

    /// Reads the keys of the data folder; the first one is made where it is missing.
    ///
    /// # Errors
    /// When a file can't be read, written, or holds something else.
    pub fn read_or_make(folder: &DataFolder) -> Result<Self, KeyFileError> {
        let current = key_file::read_or_make(folder, CURRENT)?;
        let previous = folder.read(PREVIOUS)?.map(|pem| parse(folder, PREVIOUS, &pem)).transpose()?;
        Ok(Self { current, previous })
    }

    /// Makes a new key for the folder; what was current becomes the previous one and stays in the JWK set. A gateway
    /// that reads them after that publishes the new key, and then signs with it ([`SecTokenKeys::signing`]).
    ///
    /// # Errors
    /// As [`SecTokenKeys::read_or_make`]; the current key is as it was.
    pub fn rotate(folder: &DataFolder) -> Result<Self, KeyFileError> {
        // The old key is kept in both places first: cut short here, nothing is lost.
        if let Some(pem) = folder.read(CURRENT)? {
            parse(folder, CURRENT, &pem)?;
            folder.write(PREVIOUS, &pem)?;
        }
        folder.write(CURRENT, &generate().map_err(FolderError::Io)?)?;
        Self::read_or_make(folder)
    }

    /// The key that signs so long after the newest was published first. A new one waits until nobody keeps a JWK set without it any more.
    #[must_use]
    pub fn signing(&self, started: Duration) -> &SigningKey {
        self.previous.as_ref().filter(|_| started < JWKS_KEPT).unwrap_or(&self.current)
    }

    /// The newest key.
    #[must_use]
    pub fn current(&self) -> &SigningKey {
        &self.current
    }

    /// Whether there is a key before the newest.
    #[must_use]
    pub fn has_previous(&self) -> bool {
        self.previous.is_some()
    }

    /// The JWK set of both.
    #[must_use]
    pub fn jwks(&self) -> Value {
        jose::jwks(std::iter::once(&self.current).chain(&self.previous))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kids(keys: &SecTokenKeys) -> Vec<String> {
        let set = keys.jwks();
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_key_survives_and_rotation_overlaps() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path().join("var")).unwrap();
        let first = SecTokenKeys::read_or_make(&folder).unwrap();
        assert_eq!(kids(&first), [first.current().kid()]);
        assert_eq!(SecTokenKeys::read_or_make(&folder).unwrap().current().kid(), first.current().kid());
        let second = SecTokenKeys::rotate(&folder).unwrap();
        assert_ne!(second.current().kid(), first.current().kid());
        assert_eq!(kids(&second), [second.current().kid(), first.current().kid()]);
        let third = SecTokenKeys::rotate(&folder).unwrap();
        assert_eq!(kids(&third), [third.current().kid(), second.current().kid()]);
        assert_eq!(kids(&SecTokenKeys::read_or_make(&folder).unwrap()), kids(&third));
    }

    #[test]
    fn a_file_that_holds_no_key_stops_the_start_and_the_rotation() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path().join("var")).unwrap();
        folder.write(CURRENT, b"nothing").unwrap();
        assert!(matches!(SecTokenKeys::read_or_make(&folder), Err(KeyFileError::Key(..))));
        assert!(matches!(SecTokenKeys::rotate(&folder), Err(KeyFileError::Key(..))));
        assert_eq!(folder.read(CURRENT).unwrap().unwrap().as_slice(), b"nothing");
    }
}
