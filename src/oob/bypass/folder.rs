//! Signature keys of targets whose server is another one: a folder with a public JWK for each target, in a file
//! `<target id>.json`. Files may come, change and go while we run; they are looked at again when a second is over.
//!
//! A file without a good key is no target. One that can't be read just now may be one: its changes can't be decided, and it
//! is tried again at the next look.

mod file;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use sidegate_filters::FilterError;
use sidegate_filters::clock::{Clock, Millis};
use sidegate_filters::jws::Thumbprint;
use sidegate_filters::jws_bypass::{RegisteredKey, TargetKeys};
use tokio::sync::Mutex;

use file::KeyFile;

/// How old what is known of the folder may be.
const AGE: Duration = Duration::from_secs(1);
const SUFFIX: &str = ".json";

/// The keys of a folder.
pub struct KeyFolder {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    seen: Arc<ArcSwap<Seen>>,
    /// Held by the one who looks; the others wait for what is found.
    looking: Arc<Mutex<()>>,
}

/// The folder as it was last.
#[derive(Default)]
struct Seen {
    at: Option<Millis>,
    files: HashMap<String, KeyFile>,
    /// How many files hold the key.
    holders: HashMap<Thumbprint, usize>,
}

impl KeyFolder {
    /// The keys that are in this folder at the time of asking.
    #[must_use]
    pub fn new(folder: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { folder, clock, seen: Arc::default(), looking: Arc::default() }
    }

    async fn fresh(&self) -> io::Result<Arc<Seen>> {
        let seen = self.seen.load_full();
        if seen.is_fresh(self.clock.now()) {
            return Ok(seen);
        }
        let turn = Arc::clone(&self.looking).lock_owned().await;
        let (before, now) = (self.seen.load_full(), self.clock.now());
        if before.is_fresh(now) {
            return Ok(before);
        }
        let (folder, place) = (self.folder.clone(), Arc::clone(&self.seen));
        let look = tokio::task::spawn_blocking(move || {
            // It goes on when nobody waits for it any more.
            let _turn = turn;
            let seen = Arc::new(before.look_again(&folder, now)?);
            place.store(Arc::clone(&seen));
            Ok(seen)
        });
        look.await.map_err(io::Error::other)?
    }

    fn unavailable(&self, error: &io::Error) -> FilterError {
        tracing::error!(%error, folder = %self.folder.display(), "the keys of targets can't be read");
        FilterError::unavailable("the folder with the keys of targets")
    }
}

impl Seen {
    fn is_fresh(&self, now: Millis) -> bool {
        self.at.is_some_and(|at| at <= now && now.since(at) < AGE)
    }

    /// The folder as it is now; only files that changed are read.
    fn look_again(&self, folder: &Path, now: Millis) -> io::Result<Self> {
        let mut seen = Self { at: Some(now), ..Self::default() };
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)) else { continue };
            let Some(file) = KeyFile::look(&entry.path(), self.files.get(id)) else { continue };
            if let Some(key) = file.last() {
                *seen.holders.entry(*key.thumbprint()).or_default() += 1;
            }
            seen.files.insert(id.to_owned(), file);
        }
        Ok(seen)
    }

    fn key(&self, target_id: &str) -> Result<Option<RegisteredKey>, FilterError> {
        let Some(file) = self.files.get(target_id) else { return Ok(None) };
        let key = file.key().map_err(|_| FilterError::unavailable("a file with the key of a target"))?;
        Ok(key.map(|key| RegisteredKey {
            key: Arc::clone(key),
            serves_several: self.holders.get(key.thumbprint()).is_some_and(|holders| *holders > 1),
        }))
    }
}

#[async_trait]
impl TargetKeys for KeyFolder {
    async fn key(&self, target_id: &str) -> Result<Option<RegisteredKey>, FilterError> {
        self.fresh().await.map_err(|error| self.unavailable(&error))?.key(target_id)
    }
}

#[cfg(test)]
mod tests;
