//! Files that only we may read, written so that a reader sees the old content or the new one, never half of it.
//!
//! What root makes belongs to the owner of the folder that it is in: else the account that a gateway runs as could not
//! read what an operator wrote for it. Only a file that was made here, never one behind a link, changes its owner.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use uuid::Uuid;
use zeroize::Zeroizing;

use super::account::Account;

/// The mode of what only its owner may read.
const PRIVATE: u32 = 0o600;
/// The mode of what everybody may read, and its owner write.
const PUBLIC: u32 = 0o644;

/// Reads a file, if it is there.
///
/// # Errors
/// If it can't be read, or others than its owner may read or write it.
pub(crate) fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    read_if(path, |meta| check(path, meta))
}

/// As [`read`], of a file that must belong to the owner of its folder: one behind a link that the owner laid is not
/// read with the rights of root.
///
/// # Errors
/// As [`read`], and if it belongs to another account; the text says how to mend it.
pub(crate) fn read_own(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    read_if(path, |meta| check_owner(path, meta).and_then(|()| check(path, meta)))
}

fn read_if(path: &Path, fits: impl Fn(&fs::Metadata) -> io::Result<()>) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            // What does not fit says more than that it can't be opened.
            fs::metadata(path).map_or(Ok(()), |meta| fits(&meta))?;
            return Err(named(path, &error));
        }
    };
    fits(&file.metadata().map_err(|e| named(path, &e))?)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.read_to_end(&mut bytes).map_err(|e| named(path, &e))?;
    Ok(Some(bytes))
}

/// Makes sure that a file is there, empty if it is new, and that only its owner may read or write it.
///
/// # Errors
/// If it can't be made, or others may read it.
pub(crate) fn ensure(path: &Path) -> io::Result<()> {
    open_or_make(path)?;
    check(path, &fs::metadata(path).map_err(|e| named(path, &e))?)
}

/// Opens a file for writing; an empty one is made where it is missing.
///
/// # Errors
/// If it can be neither made nor opened.
pub(crate) fn open_or_make(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true);
    match options.clone().create_new(true).mode(PRIVATE).open(path) {
        Ok(file) => give_to_owner(&file, path).map(|()| file),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        Err(error) => Err(error),
    }
    .map_err(|e| named(path, &e))
}

/// The account that files of this process belong to.
///
/// # Errors
/// If none can be made in the folder.
pub(crate) fn maker(folder: &Path) -> io::Result<Account> {
    let (_draft, file) = Draft::make(&folder.join("owner")).map_err(|e| named(folder, &e))?;
    Ok(Account::of(file.metadata()?.uid()))
}

/// The account that a file or folder belongs to.
///
/// # Errors
/// If it can't be looked at.
pub(crate) fn owner(path: &Path) -> io::Result<Account> {
    Ok(Account::of(fs::metadata(path).map_err(|e| named(path, &e))?.uid()))
}

fn give_to_owner(file: &File, path: &Path) -> io::Result<()> {
    let folder = fs::metadata(folder_of(path))?;
    if file.metadata()?.uid() == Account::ROOT && folder.uid() != Account::ROOT {
        fchown(file, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(())
}

fn check_owner(path: &Path, meta: &fs::Metadata) -> io::Result<()> {
    let folder = fs::metadata(folder_of(path)).map_err(|e| named(path, &e))?;
    if meta.uid() == folder.uid() {
        return Ok(());
    }
    let (file, folder) = (Account::of(meta.uid()), Account::of(folder.uid()));
    let text = format!(
        "{path} belongs to the account {file} and its folder to {folder}; they must belong to one (chown {uid} {path})",
        path = path.display(),
        uid = folder.uid(),
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

fn check(path: &Path, meta: &fs::Metadata) -> io::Result<()> {
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let text = format!("{} has mode {mode:03o}; it must be 600 (chmod 600)", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    Ok(())
}

/// Puts new content in the place of the old, durably.
///
/// # Errors
/// If it can't be written; the old content is there then.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = Draft::write(path, bytes, PRIVATE)?;
    fs::rename(&draft.0, path).map_err(|e| named(path, &e))?;
    sync_folder(path)
}

/// Makes a file, unless somebody else did meanwhile. False if it was there; it is left as it is then.
///
/// # Errors
/// If it can't be written.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    create_with(path, bytes, PRIVATE)
}

/// As [`create`], of a file that everybody may read.
///
/// # Errors
/// As [`create`].
pub(crate) fn create_public(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    create_with(path, bytes, PUBLIC)
}

fn create_with(path: &Path, bytes: &[u8], mode: u32) -> io::Result<bool> {
    let draft = Draft::write(path, bytes, mode)?;
    // A link, unlike a rename, fails where the name is taken.
    match fs::hard_link(&draft.0, path) {
        Ok(()) => sync_folder(path).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(named(path, &error)),
    }
}

/// Makes sure that a folder lets only its owner in: an empty one is closed, one with files must be closed already.
/// True if it was closed just now.
///
/// # Errors
/// If it is open and has files, or can't be closed.
pub(crate) fn claim_folder(path: &Path) -> io::Result<bool> {
    let mode = fs::metadata(path).map_err(|e| named(path, &e))?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(false);
    }
    if fs::read_dir(path).map_err(|e| named(path, &e))?.next().is_some() {
        let text = format!("{} has mode {mode:03o}; it must be 700 (chmod 700)", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(|e| named(path, &e)).map(|()| true)
}

/// A finished file beside the one that it is for; removed unless it was moved away.
struct Draft(PathBuf);

impl Draft {
    fn make(path: &Path) -> io::Result<(Self, File)> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", Uuid::new_v4().simple()));
        let draft = Self(path.with_file_name(name));
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(PRIVATE).open(&draft.0);
        file.map(|file| (draft, file))
    }

    fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<Self> {
        let (draft, mut file) = Self::make(path).map_err(|e| named(path, &e))?;
        let written = give_to_owner(&file, path)
            .and_then(|()| file.set_permissions(Permissions::from_mode(mode)))
            .and_then(|()| file.write_all(bytes))
            .and_then(|()| file.sync_all());
        written.map_err(|e| named(&draft.0, &e)).map(|()| draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _moved_away = fs::remove_file(&self.0);
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = folder_of(path);
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| named(folder, &e))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The error with the file that it is about.
pub(crate) fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
