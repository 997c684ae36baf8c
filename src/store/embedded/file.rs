//! The open file, opened anew after the file system failed.
//!
//! After one failed read or write redb refuses all that follows until the file is closed and opened again, which also
//! undoes the transaction that was cut off. Nothing that was acknowledged is in that transaction.

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
    pub(super) fn new(database: Database, opener: Opener, clock: Arc<dyn Clock>) -> Self {
        let current = Opened { database: Some(database), generation: 0, rest: clock.now() };
        Self { opener, clock, current: RwLock::new(current), reopening: AtomicBool::new(false) }
    }

    /// Asks the open file. While it is being opened anew the answer is a fault at once, never a wait.
    pub(super) fn ask<T>(self: &Arc<Self>, question: impl FnOnce(&Database) -> Result<T, Fault>) -> Result<T, Fault> {
        let Ok(current) = self.current.try_read() else { return Err(Fault::Closed) };
        let answer = current.database.as_ref().ok_or(Fault::Closed).and_then(question);
        if answer.as_ref().is_err_and(Fault::needs_reopening) && current.rest <= self.clock.now() {
            self.reopen_soon(current.generation);
        }
        answer
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

#[cfg(test)]
mod tests;
