//! The data folder: keys, secrets and embedded stores of one gateway (`gateway.md` 6.2).

mod claim;

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use zeroize::Zeroizing;

use crate::jose;
use crate::store::{Account, private_file};

/// The data folder can't be used; the text names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The file system said no.
    #[error("data folder: {0}")]
    Io(#[from] io::Error),
    /// It is somebody else's: root would leave files in it that its owner can't read, and could be led elsewhere by it.
    #[error(
        "{path} belongs to the account {owner}, and this process runs as {runner}: run it as that account \
         (sudo -u '{owner}' sidegate ...), or name another folder with --data, made for this account as root \
         (install -d -m 700 -o {} DIR)",
        runner.uid()
    )]
    Foreign {
        /// Which folder.
        path: String,
        /// Whose it is.
        owner: Account,
        /// Who we are.
        runner: Account,
    },
    /// It is behind a link of somebody who could lay it elsewhere at any time.
    #[error("{path} is a link that the account {owner} laid: name the folder itself with --data, or remove the link")]
    Link {
        /// Which link.
        path: String,
        /// Whose it is.
        owner: Account,
    },
    /// This account can't get at it.
    #[error(
        "data folder: {path}: {error}, and this process runs as {runner}: make the folder for it as root \
         (install -d -m 700 -o {} {path})",
        runner.uid()
    )]
    Closed {
        /// Which folder.
        path: String,
        /// What the file system said.
        error: io::Error,
        /// Who we are.
        runner: Account,
    },
    /// A file has not what it should.
    #[error("data folder: {path} is damaged: {reason}")]
    Damaged {
        /// Which file.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No randomness.
    #[error("data folder: {0}")]
    Random(#[from] jose::CryptoError),
}

/// A folder with mode 0700 whose files have mode 0600; all belong to the account of this process.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
    closed: bool,
    began_empty: bool,
    /// Nothing is changed in it.
    looks: bool,
}

impl DataFolder {
    /// Opens the folder, making it where it is missing. An empty one is closed to others, see [`DataFolder::closed`].
    ///
    /// # Errors
    /// As [`DataFolder::check`], before anything is changed; if it can't be made, or has files already and lets others
    /// in: it may not be meant for us.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FolderError> {
        let path = path.into();
        Self::check(&path)?;
        claim::make(&path)?;
        Self::check(&path)?;
        let closed = claim::close(&path)?;
        let began_empty = claim::is_empty(&path)?;
        Ok(Self { path, closed, began_empty, looks: false })
    }

    /// The folder of another process, to see what this one would find in it: nothing is written there, and what is missing
    /// is made for this look alone.
    ///
    /// # Errors
    /// As [`DataFolder::check`].
    pub fn look(path: impl Into<PathBuf>) -> Result<Self, FolderError> {
        let path = path.into();
        Self::check(&path)?;
        Ok(Self { path, closed: false, began_empty: false, looks: true })
    }

    /// Whether this process may work on the folder, if it is there: it belongs to the same account. Root is no
    /// exception, since the owner of a folder could lay links in it to files that only root may write.
    ///
    /// # Errors
    /// [`FolderError::Foreign`], [`FolderError::Link`], [`FolderError::Closed`].
    pub fn check(path: &Path) -> Result<(), FolderError> {
        claim::check(path)
    }

    /// Whether it was empty and open to others, and was closed when it was opened: whoever sees it should be told.
    #[must_use]
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// Whether nothing was in it when it was opened, or it was made then: if a gateway ran before, what it kept is
    /// elsewhere, and whoever starts it should be told.
    #[must_use]
    pub fn began_empty(&self) -> bool {
        self.began_empty
    }

    /// Where the folder is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a file of this name is, or would be.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Reads a file, if it is there.
    ///
    /// # Errors
    /// If it can't be read, others may read it, or it is no file of this account.
    pub fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, FolderError> {
        Ok(private_file::read_own(&self.file(name))?)
    }

    /// When a file was last written, if it is there.
    ///
    /// # Errors
    /// If the file system does not tell.
    pub fn changed(&self, name: &str) -> Result<Option<SystemTime>, FolderError> {
        match std::fs::symlink_metadata(self.file(name)).and_then(|file| file.modified()) {
            Ok(changed) => Ok(Some(changed)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a file, whole or not at all, durably.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        if self.looks { Ok(()) } else { Ok(private_file::replace(&self.file(name), bytes)?) }
    }

    /// Gives a file another name, durably; what had the name before is gone.
    ///
    /// # Errors
    /// If it can't be renamed.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), FolderError> {
        if self.looks { Ok(()) } else { Ok(private_file::rename(&self.file(from), &self.file(to))?) }
    }

    /// Reads a file, or makes it once: of several processes that start together all get the same.
    ///
    /// # Errors
    /// If it can be neither read nor written, or `make` fails.
    pub fn read_or_make<E>(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, E>,
    ) -> Result<Zeroizing<Vec<u8>>, FolderError>
    where
        FolderError: From<E>,
    {
        if let Some(bytes) = self.read(name)? {
            return Ok(bytes);
        }
        let made = make()?;
        if self.looks || private_file::create(&self.file(name), &made)? {
            return Ok(made);
        }
        self.read(name)?.ok_or_else(|| self.damaged(name, "it vanished"))
    }

    /// The 32 random bytes of this name, made when they are first asked for.
    ///
    /// # Errors
    /// As [`DataFolder::read_or_make`]; a file of another length is damaged.
    pub fn secret(&self, name: &str) -> Result<Zeroizing<[u8; 32]>, FolderError> {
        let bytes = self.read_or_make(name, || jose::random::<32>().map(|r| Zeroizing::new(r.to_vec())))?;
        let secret = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| self.damaged(name, "it must have 32 bytes"))?;
        Ok(Zeroizing::new(secret))
    }

    fn damaged(&self, name: &str, reason: &'static str) -> FolderError {
        FolderError::Damaged { path: self.file(name).display().to_string(), reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn folder_and_files_are_closed_to_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/var");
        fs::create_dir_all(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let folder = DataFolder::open(&path).unwrap();
        assert!(folder.closed() && !DataFolder::open(&path).unwrap().closed(), "it is said once");
        assert_eq!(mode(&path), 0o700);
        folder.secret("s").unwrap();
        folder.write("w", b"x").unwrap();
        assert_eq!((mode(&folder.file("s")), mode(&folder.file("w"))), (0o600, 0o600));
    }

    #[test]
    fn who_looks_finds_what_is_there_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let kept = DataFolder::open(dir.path()).unwrap().secret("kept").unwrap();
        let folder = DataFolder::look(dir.path()).unwrap();
        assert_eq!(folder.secret("kept").unwrap(), kept);
        folder.secret("missing").unwrap();
        folder.write("kept", b"x").unwrap();
        folder.rename("kept", "other").unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(folder.secret("kept").unwrap(), kept);
    }

    #[test]
    fn a_folder_begins_empty_until_something_is_kept_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("var");
        let folder = DataFolder::open(&path).unwrap();
        assert!(folder.began_empty() && DataFolder::open(&path).unwrap().began_empty(), "made, and then found empty");
        folder.write("w", b"x").unwrap();
        assert!(!DataFolder::open(&path).unwrap().began_empty());
    }

    #[test]
    fn an_open_folder_with_files_is_not_ours() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("other"), "").unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let error = DataFolder::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains("chmod 700"), "{error}");
        assert_eq!(mode(dir.path()), 0o755);
    }

    #[test]
    fn a_link_of_another_account_is_no_folder() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        DataFolder::open(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(DataFolder::open(&link).is_ok(), "whoever laid it may");
        // Only root can give a link away: elsewhere what is asserted of it can't be seen.
        if Account::of_process().uid() == Account::ROOT {
            std::os::unix::fs::lchown(&link, Some(65534), None).unwrap();
            for path in [link.clone(), link.join("")] {
                let told = DataFolder::open(path).unwrap_err().to_string();
                assert!(told.contains("link is a link that the account "), "{told}");
            }
            fs::remove_dir(&real).unwrap();
            assert!(matches!(DataFolder::open(&link), Err(FolderError::Link { .. })), "one that leads nowhere, too");
            assert!(!real.exists());
        }
    }

    #[test]
    fn a_folder_of_another_account_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        if Account::of_process().uid() != Account::ROOT {
            return println!("not run as root: folders of other accounts are not looked at");
        }
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::chown(dir.path(), Some(65534), None).unwrap();
        let told = DataFolder::open(dir.path()).unwrap_err().to_string();
        assert!(told.contains("this process runs as root") && told.contains("install -d -m 700 -o 0 "), "{told}");
        assert_eq!(mode(dir.path()), 0o755);
    }

    #[test]
    fn a_secret_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path()).unwrap();
        let first = folder.secret("one").unwrap();
        assert_eq!(*first, *DataFolder::open(dir.path()).unwrap().secret("one").unwrap());
        assert_ne!(*first, *folder.secret("two").unwrap());
    }

    #[test]
    fn racing_starts_share_one_secret() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path()).unwrap();
        let seen: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..16).map(|_| scope.spawn(|| *folder.secret("race").unwrap())).collect();
            starts.into_iter().map(|s| s.join().unwrap()).collect()
        });
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no drafts are left");
    }

    #[test]
    fn a_file_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path()).unwrap();
        folder.secret("s").unwrap();
        fs::set_permissions(folder.file("s"), fs::Permissions::from_mode(0o640)).unwrap();
        let error = folder.secret("s").unwrap_err().to_string();
        assert!(error.contains("640") && error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_truncated_secret_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path()).unwrap();
        folder.write("s", &[7; 31]).unwrap();
        assert!(matches!(folder.secret("s"), Err(FolderError::Damaged { .. })));
    }
}
