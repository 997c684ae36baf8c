//! Internal callers with a static bearer each, kept in a file of mode 0600 (`gateway.md` 2.4).

use std::io;
use std::path::Path;

use async_trait::async_trait;
use sidegate_filters::jws::base64url;
use sidegate_filters::{FilterError, InternalCaller};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::jose;
use crate::store::{DataFolder, FolderError, private_file};

const SHORTEST: usize = 32;

/// A bearer as it is kept: nothing but its SHA-256, which also makes all of one length.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerHash([u8; 32]);

/// A bearer's file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// The file system said no, or others may read the file.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// The content is no bearer.
    #[error("{0} must hold a bearer of at least 32 characters of A-Z a-z 0-9 - . _ ~ + / =, and nothing else")]
    Content(String),
    /// The data folder failed.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Two callers have one bearer.
    #[error("two internal callers have the same bearer, `{0}` and `{1}`; make a new one for one of them")]
    Shared(String, String),
}

impl BearerHash {
    /// Reads the bearer of a file.
    ///
    /// # Errors
    /// When it is missing, readable for others, or holds something else.
    pub fn read(path: &Path) -> Result<Self, BearerError> {
        let shown = path.display().to_string();
        let content = private_file::read(path)?.ok_or_else(|| BearerError::Missing(shown.clone()))?;
        Self::of(&content).ok_or(BearerError::Content(shown))
    }

    /// Reads `<name>.token` of the data folder, made with a random bearer where it is missing.
    ///
    /// # Errors
    /// As [`BearerHash::read`].
    pub fn read_or_make(folder: &DataFolder, name: &str) -> Result<Self, BearerError> {
        let file = format!("{name}.token");
        let content = folder.read_or_make(&file, || {
            let bytes = Zeroizing::new(jose::random::<32>()?);
            Ok::<_, jose::CryptoError>(Zeroizing::new(
                format!("{}\n", base64url::encode(bytes.as_slice())).into_bytes(),
            ))
        })?;
        Self::of(&content).ok_or_else(|| BearerError::Content(folder.file(&file).display().to_string()))
    }

    fn of(content: &[u8]) -> Option<Self> {
        let bearer = content.trim_ascii();
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
        (bearer.len() >= SHORTEST && bearer.iter().all(fits)).then(|| Self(jose::sha256(bearer)))
    }
}

/// The configured callers.
pub struct StaticCallers(Vec<(InternalCaller, BearerHash)>);

impl StaticCallers {
    /// These callers.
    ///
    /// # Errors
    /// When two of them could not be told apart.
    pub fn new(callers: Vec<(InternalCaller, BearerHash)>) -> Result<Self, BearerError> {
        for (index, (caller, bearer)) in callers.iter().enumerate() {
            if let Some((other, _)) = callers.iter().skip(index + 1).find(|(_, other)| other == bearer) {
                return Err(BearerError::Shared(caller.name.clone(), other.name.clone()));
            }
        }
        Ok(Self(callers))
    }
}

#[async_trait]
impl sidegate_filters::identity_creation::InternalCallers for StaticCallers {
    /// Looks at every caller, so that the time tells nothing about which one fits.
    async fn find(&self, bearer: &str) -> Result<Option<InternalCaller>, FilterError> {
        let shown = jose::sha256(bearer.as_bytes());
        let mut found = None;
        for (caller, BearerHash(hash)) in &self.0 {
            let same: Choice = hash.ct_eq(&shown);
            if same.into() {
                found = Some(caller.clone());
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use sidegate_filters::Role;
    use sidegate_filters::identity_creation::InternalCallers;

    use super::*;

    fn caller(name: &str) -> InternalCaller {
        InternalCaller { name: name.to_owned(), roles: vec![Role::ActFor] }
    }

    #[tokio::test]
    async fn a_made_bearer_is_recognised() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path().join("var")).unwrap();
        let hash = BearerHash::read_or_make(&folder, "internal").unwrap();
        assert!(BearerHash::read_or_make(&folder, "internal").unwrap() == hash, "it is made once");
        let other = BearerHash::read_or_make(&folder, "other").unwrap();
        let callers = StaticCallers::new(vec![(caller("a"), hash), (caller("b"), other)]).unwrap();
        let text = fs::read_to_string(folder.file("internal.token")).unwrap();
        assert_eq!(callers.find(text.trim()).await.unwrap(), Some(caller("a")));
        for wrong in ["", "x", &text, &text.trim()[1..], &text.to_lowercase()] {
            assert_eq!(callers.find(wrong).await.unwrap(), None);
        }
    }

    #[test]
    fn a_file_must_be_private_and_hold_a_bearer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t");
        let write = |content: &str, mode: u32| {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            BearerHash::read(&path)
        };
        assert!(matches!(BearerHash::read(&path), Err(BearerError::Missing(_))));
        assert!(write(&"a".repeat(32), 0o600).is_ok());
        assert!(write(&format!("{}\n", "a".repeat(32)), 0o400).is_ok());
        assert!(matches!(write(&"a".repeat(32), 0o640), Err(BearerError::Io(_))));
        assert!(matches!(write(&"a".repeat(31), 0o600), Err(BearerError::Content(_))));
        assert!(matches!(write(&"a b".repeat(32), 0o600), Err(BearerError::Content(_))));
        assert!(matches!(write("", 0o600), Err(BearerError::Content(_))));
    }

    #[test]
    fn two_callers_never_share_a_bearer() {
        let hash = BearerHash::of(&[b'a'; 40]).unwrap();
        let callers = vec![(caller("a"), hash.clone()), (caller("b"), hash)];
        assert!(matches!(StaticCallers::new(callers), Err(BearerError::Shared(..))));
    }
}
