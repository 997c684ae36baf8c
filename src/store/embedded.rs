//! Durable stores in one file of this gateway: dispatch targets, UAF credentials and their counters, used request ids
//! (`gateway.md` 5), on redb.
//!
//! Acknowledged means that the file system confirmed it: every change is a transaction of its own with immediate
//! durability, run where blocking is allowed. Reads come from the page cache in about a microsecond and run in place.
//! A file system that failed once is forgiven: the file is opened anew, and meanwhile answers are
//! [`StoreError::Unavailable`].

mod belongings;
mod credentials;
mod file;
mod keys_behind;
mod place;
mod replays;
mod targets;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Builder, ConcurrencyMode, Database, ReadTransaction, ReadableDatabase, WriteTransaction};
use serde::{Serialize, de::DeserializeOwned};
use sidegate_filters::clock::Clock;

use crate::store::{StoreError, private_file};
use file::{Opener, StoreFile};

/// The file can't be opened; the text names it and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// Another process writes it.
    #[error(
        "{0} is in use by another process: only one gateway may run on a data folder; end the other one, or name another folder with --data"
    )]
    InUse(PathBuf),
    /// It is not what we wrote.
    #[error(
        "{path} is damaged ({reason}): put a backup in its place, or move it and {} away to begin anew without \
         dispatch targets and keys",
        place::mark(path).display()
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What redb says.
        reason: String,
    },
    /// It is not there, and was.
    #[error(
        "{0} is gone, and was there before: put it back from a backup, or remove {mark} to begin anew without dispatch \
         targets and keys",
        mark = place::mark(.0).display()
    )]
    Lost(PathBuf),
    /// The file system said no, or others may read it: what the file has may be whole.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Targets, credentials and used request ids in one file. Other processes may read it meanwhile.
#[derive(Clone)]
pub struct Embedded {
    file: Arc<StoreFile>,
    clock: Arc<dyn Clock>,
}

impl Embedded {
    /// Opens the file, making it where it never was.
    ///
    /// # Errors
    /// If another process writes it, it is damaged or gone, or others may read it.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, EmbeddedError> {
        place::make_once(path)?;
        if private_file::open_or_make(path)?.metadata().map_err(|e| private_file::named(path, &e))?.len() == 0 {
            return Err(EmbeddedError::Damaged { path: path.to_owned(), reason: "it is empty".to_owned() });
        }
        let again = path.to_owned();
        let opener: Opener = Box::new(move || builder().open(&again));
        let database = opener().map_err(|error| refused(path, error.into()))?;
        let opened = Self::of(path, database, opener, clock).map_err(|error| refused(path, error))?;
        place::remember(path)?;
        Ok(opened)
    }

    /// Whether the file is there, or was.
    ///
    /// # Errors
    /// If that can't be seen.
    pub fn was_made(path: &Path) -> io::Result<bool> {
        place::was_made(path)
    }

    fn of(path: &Path, database: Database, opener: Opener, clock: Arc<dyn Clock>) -> Result<Self, redb::Error> {
        make_tables(&database)?;
        let file = StoreFile::new(path, database, opener, clock.clone()).map_err(redb::Error::Io)?;
        Ok(Self { file: Arc::new(file), clock })
    }

    fn read<T>(&self, question: impl FnOnce(&ReadTransaction) -> Result<T, Fault>) -> Result<T, StoreError> {
        Ok(self.file.ask(|database| question(&database.begin_read()?))?)
    }

    /// Runs a change as one transaction; nothing of it is kept unless it ends well.
    async fn write<T, E>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<Result<T, E>, Fault> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let file = Arc::clone(&self.file);
        let task = tokio::task::spawn_blocking(move || file.ask(|database| transact(database, change)));
        let ended = task.await.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        ended.map_err(StoreError::from)?
    }
}

fn transact<T, E>(
    database: &Database,
    change: impl FnOnce(&WriteTransaction) -> Result<Result<T, E>, Fault>,
) -> Result<Result<T, E>, Fault> {
    let transaction = database.begin_write()?;
    let result = change(&transaction)?;
    if result.is_ok() {
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(result)
}

/// What was refused, for the log.
#[derive(Debug, thiserror::Error)]
enum Fault {
    /// By redb.
    #[error("{0}")]
    Redb(redb::Error),
    /// By a record's text; serde_json's message may quote it, a push token included.
    #[error("a record is damaged")]
    Record,
    /// The file is being opened anew, or can't be.
    #[error("the file system failed, and the file is not open again yet")]
    Closed,
    /// Another file, or none, lies where the open one did: what is written now would be lost.
    #[error("the file was removed or replaced while it was open")]
    Displaced,
}

impl Fault {
    /// Whether all that follows would fail too until the file is opened anew.
    fn needs_reopening(&self) -> bool {
        match self {
            Self::Redb(error) => {
                matches!(error, redb::Error::Io(_) | redb::Error::PreviousIo | redb::Error::LockPoisoned(_))
            }
            Self::Record | Self::Displaced => false,
            Self::Closed => true,
        }
    }
}

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Redb(error.into())
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        Self::Unavailable(fault.to_string())
    }
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
    builder
}

/// A reader finds its tables from the first moment on.
fn make_tables(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    targets::make_tables(&transaction)?;
    credentials::make_tables(&transaction)?;
    keys_behind::make_tables(&transaction)?;
    replays::make_tables(&transaction)?;
    Ok(transaction.commit()?)
}

fn refused(path: &Path, error: redb::Error) -> EmbeddedError {
    let path = path.to_owned();
    match error {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => EmbeddedError::InUse(path),
        redb::Error::Corrupted(reason) => EmbeddedError::Damaged { path, reason },
        // What is cut short, and what redb never wrote.
        redb::Error::Io(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) => {
            EmbeddedError::Damaged { path, reason: error.to_string() }
        }
        redb::Error::Io(error) => EmbeddedError::Io(private_file::named(&path, &error)),
        other => EmbeddedError::Io(private_file::named(&path, &io::Error::other(other))),
    }
}

fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(record).map_err(|_| Fault::Record)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|_| Fault::Record)
}

#[cfg(test)]
mod tests;
