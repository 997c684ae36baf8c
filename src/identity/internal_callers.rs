//! Internal callers: each proves who it is by a static bearer, kept in a file of mode 0600, or by a client certificate
//! (`gateway.md` 2.4).

use std::io;
use std::path::Path;

use async_trait::async_trait;
use sidegate_filters::jws::base64url;
use sidegate_filters::{CertificateDigest, FilterError, KnownCaller};
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
    /// Two callers prove themselves by the same.
    #[error(
        "two internal callers have the same bearer or certificate, `{0}` and `{1}`; make a new one for one of them"
    )]
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

    /// Reads this file of the data folder, made with a random bearer where it is missing.
    ///
    /// # Errors
    /// As [`BearerHash::read`].
    pub fn read_or_make(folder: &DataFolder, file: &str) -> Result<Self, BearerError> {
        let content = folder.read_or_make(file, || {
            let bytes = Zeroizing::new(jose::random::<32>()?);
            Ok::<_, jose::CryptoError>(Zeroizing::new(
                format!("{}\n", base64url::encode(bytes.as_slice())).into_bytes(),
            ))
        })?;
        Self::of(&content).ok_or_else(|| BearerError::Content(folder.file(file).display().to_string()))
    }

    pub(super) fn of(content: &[u8]) -> Option<Self> {
        let bearer = content.trim_ascii();
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
        (bearer.len() >= SHORTEST && bearer.iter().all(fits)).then(|| Self(jose::sha256(bearer)))
    }
}

/// What proves a caller.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// A bearer.
    Bearer(BearerHash),
    /// One of these certificates.
    Certificates(Vec<CertificateDigest>),
}

impl Proof {
    fn is_shared_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bearer(one), Self::Bearer(other)) => one == other,
            (Self::Certificates(ones), Self::Certificates(others)) => ones.iter().any(|one| others.contains(one)),
            _ => false,
        }
    }
}

/// The configured callers.
pub struct StaticCallers(Vec<(KnownCaller, Proof)>);

impl StaticCallers {
    /// These callers.
    ///
    /// # Errors
    /// When two of them could not be told apart.
    pub fn new(callers: Vec<(KnownCaller, Proof)>) -> Result<Self, BearerError> {
        for (index, (caller, proof)) in callers.iter().enumerate() {
            let same = |(_, other): &&(KnownCaller, Proof)| other.is_shared_with(proof);
            if let Some((other, _)) = callers.iter().skip(index + 1).find(same) {
                return Err(BearerError::Shared(caller.name.clone(), other.name.clone()));
            }
        }
        Ok(Self(callers))
    }
}

#[async_trait]
impl sidegate_filters::identity_creation::InternalCallers for StaticCallers {
    /// Looks at every caller, so that the time tells nothing about which one fits.
    async fn find(&self, bearer: &str) -> Result<Option<KnownCaller>, FilterError> {
        let shown = jose::sha256(bearer.as_bytes());
        let mut found = None;
        for (caller, proof) in &self.0 {
            let Proof::Bearer(BearerHash(hash)) = proof else { continue };
            let same: Choice = hash.ct_eq(&shown);
            if same.into() {
                found = Some(caller.clone());
            }
        }
        Ok(found)
    }

    async fn of_certificate(&self, shown: &CertificateDigest) -> Result<Option<KnownCaller>, FilterError> {
        let is_it =
            |(_, proof): &&(KnownCaller, Proof)| matches!(proof, Proof::Certificates(known) if known.contains(shown));
        Ok(self.0.iter().find(is_it).map(|(caller, _)| caller.clone()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use sidegate_filters::Role;
    use sidegate_filters::identity_creation::InternalCallers;

    use super::*;

    fn caller(name: &str) -> KnownCaller {
        KnownCaller { name: name.to_owned(), roles: vec![Role::ActFor] }
    }

    #[tokio::test]
    async fn a_made_bearer_is_recognised() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path().join("var")).unwrap();
        let hash = BearerHash::read_or_make(&folder, "internal.token").unwrap();
        assert!(BearerHash::read_or_make(&folder, "internal.token").unwrap() == hash, "it is made once");
        let other = BearerHash::read_or_make(&folder, "other.token").unwrap();
        let callers = [(caller("a"), Proof::Bearer(hash)), (caller("b"), Proof::Bearer(other))];
        let callers = StaticCallers::new(callers.into()).unwrap();
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
        let bearer = Proof::Bearer(BearerHash::of(&[b'a'; 40]).unwrap());
        let [first, second] = [1, 2].map(|byte| CertificateDigest([byte; 32]));
        let both = Proof::Certificates(vec![first, second]);
        for (proof, other) in [(bearer.clone(), bearer), (both, Proof::Certificates(vec![second]))] {
            let callers = vec![(caller("a"), proof), (caller("b"), other)];
            assert!(matches!(StaticCallers::new(callers), Err(BearerError::Shared(..))));
        }
    }

    #[tokio::test]
    async fn a_certificate_proves_the_caller_that_it_is_configured_for() {
        let [first, second, other] = [1, 2, 3].map(|byte| CertificateDigest([byte; 32]));
        let proofs = [("a", vec![first]), ("b", vec![second])];
        let callers = proofs.map(|(name, known)| (caller(name), Proof::Certificates(known)));
        let callers = StaticCallers::new(callers.into()).unwrap();
        assert_eq!(callers.of_certificate(&second).await.unwrap(), Some(caller("b")));
        assert_eq!(callers.of_certificate(&other).await.unwrap(), None);
        assert_eq!(callers.find("").await.unwrap(), None);
    }
}
