//! Signing keys in the data folder.

use std::io;

use zeroize::Zeroizing;

use crate::jose::{SigningKey, SigningKeyError};
use crate::store::{DataFolder, FolderError};

/// A key's file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The data folder failed.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file holds no key of ours.
    #[error("{0}: {1}")]
    Key(String, SigningKeyError),
}

/// The key of a file, which is made where it is missing.
///
/// # Errors
/// When the file can't be read, written, or holds something else.
pub(super) fn read_or_make(folder: &DataFolder, name: &str) -> Result<SigningKey, KeyFileError> {
    parse(folder, name, &folder.read_or_make(name, generate)?)
}

/// A new key as a file holds it.
pub(super) fn generate() -> io::Result<Zeroizing<Vec<u8>>> {
    let key = SigningKey::generate().map_err(io::Error::other)?;
    key.to_pem().map_err(io::Error::other)
}

/// The key that a file of this name holds.
pub(super) fn parse(folder: &DataFolder, name: &str, pem: &[u8]) -> Result<SigningKey, KeyFileError> {
    SigningKey::from_pem(pem).map_err(|error| KeyFileError::Key(folder.file(name).display().to_string(), error))
}
