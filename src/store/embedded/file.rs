//! The open file, opened anew after the file system failed.
//!
//! After one failed read or write redb refuses all that follows until the file is closed and opened again, which also
//! undoes the transaction that was cut off. Nothing that was acknowledged is in that transaction.
//!
//! A file that was removed, or another in its place, is noticed at each question: an open file without a name takes
//! whatever is written and is gone with the process.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use redb::{Database, DatabaseError};
use sidegate_filters::clock::{Clock, Millis};

use super::Fault;

/// How long a file that could not be opened is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// Opens the file, which must be there and have content: a new one would pass for a store that lost everything.
pub(super) type Opener = Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>;

pub(super) struct StoreFile {
    path: PathBuf,
    /// Device and inode of the file that was opened first: another one is not taken for it.
    identity: (u64, u64),
    displaced: AtomicBool,
    opener: Opener,
    clock: Arc<dyn Clock>,
    current: RwLock<Opened>,
    reopening: AtomicBool,
}

/// Whoever asks holds the lock shared, from the first byte to the last, never across an await: when it is taken for
/// opening nobody uses the old handle any more, and dropping that frees the writer's lock on the file.
struct Opened {
    /// None: it could not be opened again.
    database: Option<Database>,
    /// Grows with each opening: a fault of an older handle says nothing about this one.
    generation: u64,
    /// Not to be tried again before.
    rest: Millis,
}

impl StoreFile {
    pub(super) fn new(path: &Path, database: Database, opener: Opener, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let current = RwLock::new(Opened { database: Some(database), generation: 0, rest: clock.now() });
        let (path, identity) = (path.to_owned(), identity(path)?);
        let (displaced, reopening) = (AtomicBool::new(false), AtomicBool::new(false));
        Ok(Self { path, identity, displaced, opener, clock, current, reopening })
    }

    /// Asks the open file. While it is being opened anew the answer is a fault at once, never a wait.
    pub(super) fn ask<T>(self: &Arc<Self>, question: impl FnOnce(&Database) -> Result<T, Fault>) -> Result<T, Fault> {
        let Ok(current) = self.current.try_read() else { return Err(Fault::Closed) };
        let database = current.database.as_ref().ok_or(Fault::Closed);
        let answer = database.and_then(|database| self.in_place().and_then(|()| question(database)));
        if answer.as_ref().is_err_and(Fault::needs_reopening) && current.rest <= self.clock.now() {
            self.reopen_soon(current.generation);
        }
        answer
    }

    /// Costs one `stat`. Said once when it is displaced, and once when it is back.
    fn in_place(&self) -> Result<(), Fault> {
        let displaced = identity(&self.path).ok() != Some(self.identity);
        let told = self.displaced.swap(displaced, Ordering::AcqRel);
        let path = self.path.display();
        match (displaced, told) {
            (true, false) => tracing::error!(
                %path,
                "the store's file was removed or replaced while it was open, and the store answers nothing: put that very \
                 file back; a restart goes on with one that lies in its place, and a restart without it is refused; to \
                 begin anew, without targets and keys, stop and remove {path}.made too"
            ),
            (false, true) => tracing::warn!(%path, "the store's file is back in its place"),
            _ => {}
        }
        if displaced { Err(Fault::Displaced) } else { Ok(()) }
    }

    fn reopen_soon(self: &Arc<Self>, failed: u64) {
        if self.reopening.swap(true, Ordering::AcqRel) {
            return;
        }
        let file = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            file.reopen(failed);
            file.reopening.store(false, Ordering::Release);
        });
    }

    fn reopen(&self, failed: u64) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.generation != failed {
            return;
        }
        // The old handle first: it has the writer's lock.
        current.database = None;
        match (self.opener)() {
            Ok(database) => {
                current.database = Some(database);
                current.generation = current.generation.wrapping_add(1);
                tracing::warn!("the store's file was opened anew after a fault of the file system");
            }
            Err(error) => {
                current.rest = self.clock.now().after(PAUSE);
                tracing::error!(%error, "the store's file cannot be opened anew; it is tried again");
            }
        }
    }
}

/// Which file lies there.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::symlink_metadata(path).map(|meta| (meta.dev(), meta.ino()))
}

#[cfg(test)]
mod tests;
