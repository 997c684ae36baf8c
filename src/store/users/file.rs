//! Users in a text file: a line each, `name:extId:hash`, with roles `name:extId:hash:role,role`; empty lines and lines
//! that begin with `#` are comments.
//!
//! The file is the truth and may be edited: it is looked at for every question and read again when it changed. A file
//! with a fault answers nobody until it is mended, since a user who was to be removed might else stay. One that had
//! content and is gone or empty is such a file too: it was lost, nobody removed all users. A user who is removed leaves a
//! line `#removed:extId`. Writers take a lock and put a whole new file in place, so that the command line works beside a
//! running server.

mod listing;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use zeroize::Zeroizing;

use super::{Costs, PasswordHash, PasswordStamp, User, UserError, Users, are_roles};
use crate::store::{ExtId, FileStamp, StoreError, private_file};
use listing::{Listing, removed_line, user_line};

/// The file can't be used; the text names the file and the line.
#[derive(Debug, Clone, thiserror::Error)]
#[error("users file {path}: {reason}")]
pub struct UsersFileError {
    path: String,
    reason: String,
    /// Whether the same file may be read well the next time.
    passing: bool,
}

impl From<UsersFileError> for StoreError {
    fn from(error: UsersFileError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// The content of a new file: an empty one is a lost one.
const NOBODY: &str = "# name:extId:hash or name:extId:hash:role,role\n";

/// The users of a file. A file that never was there has none.
#[derive(Clone)]
pub struct UsersFile(Arc<Inner>);

/// Reads what is at a path, if anything is.
type Reader = dyn Fn(&Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> + Send + Sync;

/// How often a fault that may pass is told.
const TOLD: Duration = Duration::from_secs(1);

struct Inner {
    path: PathBuf,
    read: Box<Reader>,
    seen: ArcSwapOption<Seen>,
    /// Held by the one who reads it again; the others wait for what is found.
    looking: Arc<tokio::sync::Mutex<()>>,
    /// Whether the file had content at any time: then it is to have some.
    had_content: AtomicBool,
    /// When a fault that may pass was told last.
    told: Mutex<Option<Instant>>,
}

/// What the file decides: a fault that may pass is never kept.
struct Seen {
    stamp: Option<FileStamp>,
    content: Result<Arc<Listing>, UsersFileError>,
}

impl UsersFile {
    /// Reads the file; one that is missing or empty has no users yet.
    ///
    /// # Errors
    /// If it can't be read, others may read it, or a line is wrong.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, UsersFileError> {
        Self::read_by(path.into(), false, Box::new(private_file::read_own))
    }

    /// Reads the file of a data folder that was in use: one that is missing or empty got lost.
    ///
    /// # Errors
    /// As [`UsersFile::open`], and if it got lost.
    pub fn open_used(path: impl Into<PathBuf>) -> Result<Self, UsersFileError> {
        Self::read_by(path.into(), true, Box::new(private_file::read_own))
    }

    /// Reads the file of a new data folder and gives it content where it has none, by which one that gets lost is noticed.
    ///
    /// # Errors
    /// As [`UsersFile::open`], and if it can't be made.
    pub fn open_new(path: impl Into<PathBuf>) -> Result<Self, UsersFileError> {
        let file = Self::open(path)?;
        file.0.begin()?;
        Ok(file)
    }

    fn read_by(path: PathBuf, had_content: bool, read: Box<Reader>) -> Result<Self, UsersFileError> {
        let (seen, looking, told) = (ArcSwapOption::empty(), Arc::default(), Mutex::new(None));
        let inner = Inner { path, read, seen, looking, had_content: AtomicBool::new(had_content), told };
        // Not as a question is: whoever opens it tells what is wrong with it, which needs no second line in the log.
        inner.load()?;
        Ok(Self(Arc::new(inner)))
    }

    /// The users as the file has them now. Asking costs one `stat`; where the file changed, one reads it, and no worker of
    /// the runtime stands still for that.
    async fn current(&self) -> Result<Arc<Listing>, UsersFileError> {
        if let Some(known) = self.0.known()? {
            return known.content.clone();
        }
        let turn = Arc::clone(&self.0.looking).lock_owned().await;
        if let Some(known) = self.0.known()? {
            return known.content.clone();
        }
        let inner = Arc::clone(&self.0);
        let look = tokio::task::spawn_blocking(move || {
            // It goes on when nobody waits for it any more.
            let _turn = turn;
            inner.look()
        });
        look.await.map_err(|error| self.0.unread(&io::Error::other(error)))?
    }

    async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Inner) -> Result<T, UserError> + Send + 'static,
    ) -> Result<T, UserError> {
        let inner = Arc::clone(&self.0);
        let task = tokio::task::spawn_blocking(move || inner.locked(change));
        task.await.map_err(|error| StoreError::Unavailable(error.to_string()))?
    }
}

impl Inner {
    /// What was seen of the file, if that is how it is now.
    fn known(&self) -> Result<Option<Arc<Seen>>, UsersFileError> {
        let stamp = self.asked_stamp()?;
        Ok(self.seen.load_full().filter(|seen| seen.stamp == stamp))
    }

    fn asked_stamp(&self) -> Result<Option<FileStamp>, UsersFileError> {
        self.stamp().map_err(|e| self.unread(&e)).inspect_err(|e| self.tell(e))
    }

    /// Reads the file.
    fn look(&self) -> Result<Arc<Listing>, UsersFileError> {
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

    fn load(&self) -> Result<Listing, UsersFileError> {
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
    fn locked<T>(&self, change: impl FnOnce(&Self) -> Result<T, UserError>) -> Result<T, UserError> {
        let _lock = private_file::lock(&self.path).map_err(|e| StoreError::from(self.fault(&e)))?;
        change(self)
    }

    fn begin(&self) -> Result<(), UsersFileError> {
        let _lock = private_file::lock(&self.path).map_err(|e| self.fault(&e))?;
        self.load()?;
        if !self.had_content.swap(true, Ordering::Relaxed) {
            private_file::replace(&self.path, NOBODY.as_bytes()).map_err(|e| self.fault(&e))?;
        }
        Ok(())
    }

    fn add(&self, name: &str, password: PasswordHash) -> Result<User, UserError> {
        let listing = self.load().map_err(StoreError::from)?;
        if listing.by_name(name).is_some() {
            return Err(UserError::Exists);
        }
        let user = User { name: name.to_owned(), ext_id: ExtId::random(), password, roles: Vec::new() };
        self.replace(&format!("{}{}\n", listing.text(), user_line(&user)))?;
        Ok(user)
    }

    /// Writes another line for a user, if there is one.
    fn change(&self, name: &str, change: impl FnOnce(User) -> User) -> Result<Option<User>, UserError> {
        let listing = self.load().map_err(StoreError::from)?;
        let Some(user) = listing.by_name(name) else { return Ok(None) };
        let user = change(user.clone());
        self.replace(&listing.text_with(name, &user_line(&user)))?;
        Ok(Some(user))
    }

    fn remove(&self, name: &str) -> Result<Option<User>, UserError> {
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
    fn unread(&self, error: &io::Error) -> UsersFileError {
        UsersFileError { passing: error.kind() != io::ErrorKind::PermissionDenied, ..self.fault(error) }
    }
}

/// A name for a new user: at most 128 units of UTF-16, as a UAF request can name one.
pub(crate) fn is_name(name: &str) -> bool {
    is_readable(name) && name.encode_utf16().count() <= 128
}

/// 1 to 128 characters that a line of the file can hold. So long could a name be when characters were counted; such a user
/// has a password and no UAF key, and is no reason to answer nobody.
pub(crate) fn is_readable(name: &str) -> bool {
    (1..=128).contains(&name.chars().count())
        && name.trim() == name
        && !name.starts_with('#')
        && !name.contains(|c: char| c == ':' || c.is_control())
}

#[async_trait]
impl Users for UsersFile {
    async fn by_name(&self, name: &str) -> Result<Option<User>, StoreError> {
        Ok(self.current().await?.by_name(name).cloned())
    }

    async fn by_ext_id(&self, ext_id: &ExtId) -> Result<Option<User>, StoreError> {
        Ok(self.current().await?.by_ext_id(ext_id).cloned())
    }

    async fn password_stamp(&self, ext_id: &ExtId) -> Result<Option<PasswordStamp>, StoreError> {
        Ok(self.current().await?.by_ext_id(ext_id).map(|user| user.password.stamp()))
    }

    async fn roles(&self, ext_id: &ExtId) -> Result<Vec<String>, StoreError> {
        Ok(self.current().await?.by_ext_id(ext_id).map(|user| user.roles.clone()).unwrap_or_default())
    }

    async fn costs(&self) -> Result<Costs, StoreError> {
        Ok(self.current().await?.costs().clone())
    }

    async fn list(&self) -> Result<Vec<User>, StoreError> {
        Ok(self.current().await?.users().to_vec())
    }

    async fn add(&self, name: &str, password: PasswordHash) -> Result<User, UserError> {
        if !is_name(name) {
            return Err(UserError::BadName);
        }
        let name = name.to_owned();
        self.write(move |file| file.add(&name, password)).await
    }

    async fn set_password(&self, name: &str, password: PasswordHash) -> Result<Option<User>, UserError> {
        let name = name.to_owned();
        self.write(move |file| file.change(&name, |user| User { password, ..user })).await
    }

    async fn set_roles(&self, name: &str, roles: Vec<String>) -> Result<Option<User>, UserError> {
        if !are_roles(&roles) {
            return Err(UserError::BadRoles);
        }
        let name = name.to_owned();
        self.write(move |file| file.change(&name, |user| User { roles, ..user })).await
    }

    async fn removed(&self) -> Result<BTreeSet<ExtId>, StoreError> {
        Ok(self.current().await?.removed().clone())
    }

    async fn remove(&self, name: &str) -> Result<Option<User>, UserError> {
        let name = name.to_owned();
        self.write(move |file| file.remove(&name)).await
    }
}

#[cfg(test)]
mod tests;
