//! Signature keys of targets whose server is another one: a folder with a public JWK for each target, in a file
//! `<target id>.json`. Files may come, change and go while we run; they are looked at again when a second is over.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use sidegate_filters::FilterError;
use sidegate_filters::clock::{Clock, Millis};
use sidegate_filters::jws::{JwkDocument, JwkError, Thumbprint, VerificationKey};
use sidegate_filters::jws_bypass::{RegisteredKey, TargetKeys};

/// How old what is known of the folder may be.
const AGE: Duration = Duration::from_secs(1);
const SUFFIX: &str = ".json";
/// The longest file that is taken for a JWK, in bytes: four times an RSA key of 8192 bits.
const LONGEST: u64 = 16 * 1024;

/// The keys of a folder.
pub struct KeyFolder {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    seen: Arc<Mutex<Seen>>,
}

/// The folder as it was last.
#[derive(Default)]
struct Seen {
    at: Option<Millis>,
    files: HashMap<String, KeyFile>,
    /// How many files hold the key.
    holders: HashMap<Thumbprint, usize>,
}

/// A file as it was; without a key where it holds none that is good.
#[derive(Clone)]
struct KeyFile {
    changed: SystemTime,
    length: u64,
    key: Option<Arc<VerificationKey>>,
}

#[derive(Debug, thiserror::Error)]
enum NoKey {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is too long for a JWK")]
    TooLong,
    #[error("it is no UTF-8 text")]
    NoText,
    #[error(transparent)]
    Jwk(#[from] JwkError),
}

impl KeyFolder {
    /// The keys that are in this folder at the time of asking.
    #[must_use]
    pub fn new(folder: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { folder, clock, seen: Arc::default() }
    }
}

impl Seen {
    fn is_fresh(&self, now: Millis) -> bool {
        self.at.is_some_and(|at| at <= now && now.since(at) < AGE)
    }

    /// Looks at the folder; only files that changed are read.
    fn look(&mut self, folder: &Path, now: Millis) -> io::Result<()> {
        let mut files = HashMap::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)) else { continue };
            let Some(file) = look_at(&entry.path(), self.files.remove(id)) else { continue };
            files.insert(id.to_owned(), file);
        }
        self.holders.clear();
        for key in files.values().filter_map(|file| file.key.as_ref()) {
            *self.holders.entry(*key.thumbprint()).or_default() += 1;
        }
        (self.files, self.at) = (files, Some(now));
        Ok(())
    }

    fn key(&self, target_id: &str) -> Option<RegisteredKey> {
        let key = self.files.get(target_id)?.key.clone()?;
        let serves_several = self.holders.get(key.thumbprint()).is_some_and(|holders| *holders > 1);
        Some(RegisteredKey { key, serves_several })
    }
}

/// The file as it is; `None` where it is gone again.
fn look_at(path: &Path, before: Option<KeyFile>) -> Option<KeyFile> {
    let meta = fs::metadata(path).ok()?;
    let (changed, length) = (meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), meta.len());
    if let Some(before) = before.filter(|before| before.changed == changed && before.length == length) {
        return Some(before);
    }
    let key = import(path, length).map_err(|error| {
        tracing::error!(path = %path.display(), %error, "a target's key can't be used: its changes are refused");
    });
    Some(KeyFile { changed, length, key: key.ok() })
}

fn import(path: &Path, length: u64) -> Result<Arc<VerificationKey>, NoKey> {
    if length > LONGEST {
        return Err(NoKey::TooLong);
    }
    let text = String::from_utf8(fs::read(path)?).map_err(|_| NoKey::NoText)?;
    Ok(Arc::new(VerificationKey::try_from(JwkDocument::parse(&serde_json::Value::String(text))?)?))
}

#[async_trait]
impl TargetKeys for KeyFolder {
    async fn key(&self, target_id: &str) -> Result<Option<RegisteredKey>, FilterError> {
        let (seen, folder, now) = (self.seen.clone(), self.folder.clone(), self.clock.now());
        let target_id = target_id.to_owned();
        let asked = tokio::task::spawn_blocking(move || {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if !seen.is_fresh(now) {
                seen.look(&folder, now)?;
            }
            Ok::<_, io::Error>(seen.key(&target_id))
        });
        let unavailable = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, folder = %self.folder.display(), "the keys of targets can't be read");
            FilterError::Unavailable("the folder with the keys of targets")
        };
        asked.await.map_err(|error| unavailable(&error))?.map_err(|error| unavailable(&error))
    }
}

#[cfg(test)]
mod tests;
