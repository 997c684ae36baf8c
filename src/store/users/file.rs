//! Users in a text file: a line each, `name:extId:hash`, with roles `name:extId:hash:role,role`; empty lines and lines
//! that begin with `#` are comments.
//!
//! The file is the truth and may be edited: it is looked at for every question and read again when it changed. A file
//! with a fault answers nobody until it is mended, since a user who was to be removed might else stay. One that had
//! content and is gone or empty is such a file too: it was lost, nobody removed all users. A user who is removed leaves a
//! line `#removed:extId`. Writers take a lock and put a whole new file in place, so that the command line works beside a
//! running server.

mod inner;
mod listing;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Costs, PasswordHash, PasswordStamp, User, UserError, Users, are_roles};
use crate::store::{ExtId, StoreError, private_file};
use inner::{Inner, Reader};
use listing::Listing;

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

/// The users of a file. A file that never was there has none.
#[derive(Clone)]
pub struct UsersFile(Arc<Inner>);

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
        let inner = Inner::new(path, had_content, read);
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

/// Whether the text of a good users file names no such user.
pub(crate) fn lacks(text: &str, name: &str) -> bool {
    Listing::parse(text).is_ok_and(|listing| listing.by_name(name).is_none())
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
