//! One file of the folder.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::OFlags;
use sidegate_filters::jws::{JwkDocument, JwkError, VerificationKey};

use crate::store::FileStamp;

/// The longest file that is taken for a JWK, in bytes: four times an RSA key of 8192 bits.
const LONGEST: u64 = 16 * 1024;

/// A file as it was.
#[derive(Clone)]
pub(super) struct KeyFile {
    /// None: it could not be read, so what it holds now is not known.
    state: Option<FileStamp>,
    /// The key that it held when it was read last, if that was a good one.
    key: Option<Arc<VerificationKey>>,
}

/// The file can't be read just now.
pub(super) struct Unread;

#[derive(Debug, thiserror::Error)]
enum NoKey {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is no regular file")]
    NotRegular,
    #[error("it is too long for a JWK")]
    TooLong,
    #[error("it is no UTF-8 text")]
    NoText,
    #[error(transparent)]
    Jwk(#[from] JwkError),
}

impl KeyFile {
    /// The file as it is, which is read only if it is not as it was `before`; `None` where it is gone.
    pub(super) fn look(path: &Path, before: Option<&Self>) -> Option<Self> {
        let found = std::fs::metadata(path).map_err(NoKey::from).and_then(|meta| {
            let state = FileStamp::from(&meta);
            match before.filter(|before| before.state.as_ref() == Some(&state)) {
                Some(before) => Ok(before.clone()),
                None => Self::read(path, &meta, state),
            }
        });
        match found {
            Ok(file) => Some(file),
            Err(NoKey::Io(error)) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                if before.is_none_or(|before| before.state.is_some()) {
                    tracing::error!(path = %path.display(), %error, "a target's key can't be read: it is tried again");
                }
                Some(Self { state: None, key: before.and_then(|before| before.key.clone()) })
            }
        }
    }

    /// Fails where another look may end in another way.
    fn read(path: &Path, meta: &Metadata, state: FileStamp) -> Result<Self, NoKey> {
        let key = match import(path, meta) {
            Ok(key) => Some(Arc::new(key)),
            Err(error @ NoKey::Io(_)) => return Err(error),
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "a target's key can't be used: its changes are refused");
                None
            }
        };
        Ok(Self { state: Some(state), key })
    }

    /// The key that it holds, if it is a good one.
    pub(super) fn key(&self) -> Result<Option<&Arc<VerificationKey>>, Unread> {
        if self.state.is_some() { Ok(self.key.as_ref()) } else { Err(Unread) }
    }

    /// The key that it holds, or held when it was read last.
    pub(super) fn last(&self) -> Option<&Arc<VerificationKey>> {
        self.key.as_ref()
    }
}

fn import(path: &Path, meta: &Metadata) -> Result<VerificationKey, NoKey> {
    // A pipe or a socket is not even opened.
    if !meta.is_file() {
        return Err(NoKey::NotRegular);
    }
    let file = open(path)?;
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(NoKey::TooLong);
    }
    let text = String::from_utf8(bytes).map_err(|_| NoKey::NoText)?;
    Ok(VerificationKey::try_from(JwkDocument::parse(&serde_json::Value::String(text))?)?)
}

/// Another file may be there by now: what is no regular one is not waited for.
fn open(path: &Path) -> Result<File, NoKey> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no regular file any more").into()) }
}
