//! The file itself: how it is looked at, and how another is put in its place.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use zeroize::Zeroizing;

use super::UsersFileError;
use super::listing::{Listing, removed_line, user_line};
use crate::store::users::{PasswordHash, User, UserError};
use crate::store::{ExtId, FileStamp, StoreError, private_file};

/// The content of a new file: an empty one is a lost one.
const NOBODY: &str = "# name:extId:hash or name:extId:hash:role,role\n";

/// Reads what is at a path, if anything is.
pub(super) type Reader = dyn Fn(&Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> + Send + Sync;

/// How often a fault that may pass is told.
const TOLD: Duration = Duration::from_secs(1);

pub(super) struct Inner {
    path: PathBuf,
    read: Box<Reader>,
    seen: ArcSwapOption<Seen>,
    /// Held by the one who reads it again; the others wait for what is found.
    pub(super) looking: Arc<tokio::sync::Mutex<()>>,
    /// Whether the file had content at any time: then it is to have some.
    had_content: AtomicBool,
    /// When a fault that may pass was told last.
    told: Mutex<Option<Instant>>,
}

/// What the file decides: a fault that may pass is never kept.
pub(super) struct Seen {
    stamp: Option<FileStamp>,
    pub(super) content: Result<Arc<Listing>, UsersFileError>,
}

impl Inner {
    /// The file at a path, of which nothing is seen yet.
    pub(super) fn new(path: PathBuf, had_content: bool, read: Box<Reader>) -> Self {
        let (seen, looking, told) = (ArcSwapOption::empty(), Arc::default(), Mutex::new(None));
        Self { path, read, seen, looking, had_content: AtomicBool::new(had_content), told }
    }

    /// What was seen of the file, if that is how it is now.
    pub(super) fn known(&self) -> Result<Option<Arc<Seen>>, UsersFileError> {
        let stamp = self.asked_stamp()?;
        Ok(self.seen.load_full().filter(|seen| seen.stamp == stamp))
    }

    fn asked_stamp(&self) -> Result<Option<FileStamp>, UsersFileError> {
        self.stamp().map_err(|e| self.unread(&e)).inspect_err(|e| self.tell(e))
    }

    /// Reads the file.
    pub(super) fn look(&self) -> Result<Arc<Listing>, UsersFileError> {
        let stamp = self.asked_stamp()?;
        let content = self.load().map(Arc::new);
        if let Err(error) = &content {
            self.tell(error);
            if error.passing {
                return content;
            }
        }
        // The stamp is older than the content or as old: a write between the two is seen at the next question.
        self.seen.store(Some(Arc::new(Seen { stamp, content: content.clone() })));
        content
    }

    /// Says that nobody can log in: once for each state of the file, at most once a second for what may pass.
    fn tell(&self, error: &UsersFileError) {
        if !error.passing {
            return tracing::error!(%error, "no user can log in until the file is mended");
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() >= TOLD) {
            *told = Some(Instant::now());
            tracing::error!(%error, "no user can log in until the file can be read");
        }
    }

    pub(super) fn load(&self) -> Result<Listing, UsersFileError> {
        let Some(bytes) = (self.read)(&self.path).map_err(|e| self.unread(&e))? else {
            return self.without_content();
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| self.fault(&"it is not UTF-8"))?;
        if text.trim().is_empty() {
            return self.without_content();
        }
        self.had_content.store(true, Ordering::Relaxed);
        Listing::parse(text).map_err(|e| self.fault(&e))
    }

    fn without_content(&self) -> Result<Listing, UsersFileError> {
        if self.had_content.load(Ordering::Relaxed) {
            return Err(self.fault(&"it is gone or empty, and was in use before: put it back from a backup, or begin a new one without the users \
                 who were there (sidegate user add NAME --new-users-file)"));
        }
        Ok(Listing::default())
    }

    fn stamp(&self) -> io::Result<Option<FileStamp>> {
        match std::fs::symlink_metadata(&self.path) {
            Ok(meta) => Ok(Some(FileStamp::from(&meta))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Runs a change while no other process makes one.
    pub(super) fn locked<T>(&self, change: impl FnOnce(&Self) -> Result<T, UserError>) -> Result<T, UserError> {
        let _lock = private_file::lock(&self.path).map_err(|e| StoreError::from(self.fault(&e)))?;
        change(self)
    }

    pub(super) fn begin(&self) -> Result<(), UsersFileError> {
        let _lock = private_file::lock(&self.path).map_err(|e| self.fault(&e))?;
        self.load()?;
        if !self.had_content.swap(true, Ordering::Relaxed) {
            private_file::replace(&self.path, NOBODY.as_bytes()).map_err(|e| self.fault(&e))?;
        }
        Ok(())
    }

    pub(super) fn add(&self, name: &str, password: PasswordHash) -> Result<User, UserError> {
        let listing = self.load().map_err(StoreError::from)?;
        if listing.by_name(name).is_some() {
            return Err(UserError::Exists);
        }
        let user = User { name: name.to_owned(), ext_id: ExtId::random(), password, roles: Vec::new() };
        self.replace(&format!("{}{}\n", listing.text(), user_line(&user)))?;
        Ok(user)
    }

    /// Writes another line for a user, if there is one.
    pub(super) fn change(&self, name: &str, change: impl FnOnce(User) -> User) -> Result<Option<User>, UserError> {
        let listing = self.load().map_err(StoreError::from)?;
        let Some(user) = listing.by_name(name) else { return Ok(None) };
        let user = change(user.clone());
        self.replace(&listing.text_with(name, &user_line(&user)))?;
        Ok(Some(user))
    }

    pub(super) fn remove(&self, name: &str) -> Result<Option<User>, UserError> {
        let listing = self.load().map_err(StoreError::from)?;
        let Some(user) = listing.by_name(name) else { return Ok(None) };
        self.replace(&listing.text_with(name, &removed_line(user)))?;
        Ok(Some(user.clone()))
    }

    fn replace(&self, text: &str) -> Result<(), StoreError> {
        private_file::replace(&self.path, text.as_bytes()).map_err(|e| self.fault(&e))?;
        self.had_content.store(true, Ordering::Relaxed);
        // What was seen before is over, also where no question comes before the next change.
        self.seen.store(None);
        Ok(())
    }

    fn fault(&self, reason: &dyn ToString) -> UsersFileError {
        UsersFileError { path: self.path.display().to_string(), reason: reason.to_string(), passing: false }
    }

    /// Owner and mode are part of the file's state; what else the system says (no file left to open, a disk that fails)
    /// may be over at the next question.
    pub(super) fn unread(&self, error: &io::Error) -> UsersFileError {
        UsersFileError { passing: error.kind() != io::ErrorKind::PermissionDenied, ..self.fault(error) }
    }
}
