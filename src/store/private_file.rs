//! Files that only we may read, written so that a reader sees the old content or the new one, never half of it.
//!
//! A file of ours is a regular one of this process's account. It is never looked for behind a link, and opening it never
//! waits: whoever got a link or a FIFO into a folder must not lead this process elsewhere, nor hold it up.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::account::Account;

/// The mode of what only its owner may read.
const PRIVATE: u32 = 0o600;
/// The mode of what everybody may read, and its owner write.
const PUBLIC: u32 = 0o644;

/// Reads a file that an operator named, if it is there; it may lie behind a link.
///
/// # Errors
/// If it can't be read, or others than its owner may read or write it.
pub(crate) fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let opened = OpenOptions::new().read(true).open(path);
    content(path, opened.map_err(|e| named(path, &e)).and_then(|file| check(path, &file.metadata()?).map(|()| file)))
}

/// Reads a file of ours, if it is there.
///
/// # Errors
/// If it can't be read, or is not a file of ours that only we may read; the text says how to mend it. Of the second kind
/// is [`io::ErrorKind::PermissionDenied`].
pub(crate) fn read_own(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    content(path, open_own(path, OpenOptions::new().read(true)))
}

fn content(path: &Path, opened: io::Result<File>) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    file.read_to_end(&mut bytes).map_err(|e| named(path, &e))?;
    Ok(Some(bytes))
}

/// Opens a file of ours for writing; an empty one is made where it is missing.
///
/// # Errors
/// If it can be neither made nor opened, or is not a file of ours that only we may read.
pub(crate) fn open_or_make(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true);
    match options.clone().create_new(true).mode(PRIVATE).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open_own(path, &mut options),
        made => made.map_err(|e| named(path, &e)),
    }
}

/// Keeps out whoever else takes the lock of this file, as long as what is given back is open. It is a file of its own
/// (`.lock` behind the name), since the file itself is replaced.
///
/// # Errors
/// If the lock's file can be neither made nor opened, or is not a file of ours.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    let beside = beside(path, ".lock");
    let file = open_or_make(&beside)?;
    file.lock().map_err(|e| named(&beside, &e))?;
    Ok(file)
}

/// The path of a file in the same folder, with this behind its name.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

fn open_own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    match options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed()).open(path) {
        Ok(file) => {
            check_own(path, &file.metadata().map_err(|e| named(path, &e))?)?;
            Ok(file)
        }
        Err(error) => {
            // What does not fit says more than that it can't be opened.
            fs::symlink_metadata(path).map_or(Ok(()), |meta| check_own(path, &meta))?;
            Err(named(path, &error))
        }
    }
}

fn check_own(path: &Path, meta: &fs::Metadata) -> io::Result<()> {
    let file = path.display();
    if meta.is_symlink() {
        return Err(unfit(format!("{file} is a link; remove it")));
    }
    if !meta.is_file() {
        return Err(unfit(format!("{file} is no regular file; remove it")));
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        let (owner, ours) = (Account::of(meta.uid()), Account::of_process());
        return Err(unfit(format!(
            "{file} belongs to the account {owner}, and this process runs as {ours} (chown -h {} {file})",
            ours.uid()
        )));
    }
    check(path, meta)
}

fn check(path: &Path, meta: &fs::Metadata) -> io::Result<()> {
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(unfit(format!("{} has mode {mode:03o}; it must be 600 (chmod 600)", path.display())));
    }
    Ok(())
}

fn unfit(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, text)
}

/// Makes sure that files can be made beside this one.
///
/// # Errors
/// If none can.
pub(crate) fn probe(path: &Path) -> io::Result<()> {
    Draft::make(path).map(|_gone| ()).map_err(|e| named(path, &e))
}

/// Puts new content in the place of the old, durably.
///
/// # Errors
/// If it can't be written; the old content is there then.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    rename(&Draft::write(path, bytes, PRIVATE)?.0, path)
}

/// Gives a file another name in the same folder, durably.
///
/// # Errors
/// If it can't be renamed.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to).map_err(|e| named(to, &e))?;
    sync_folder(to)
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

/// A finished file beside the one that it is for; removed unless it was moved away.
struct Draft(PathBuf);

impl Draft {
    fn make(path: &Path) -> io::Result<(Self, File)> {
        let draft = Self(beside(path, &format!(".{}.new", Uuid::new_v4().simple())));
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(PRIVATE).open(&draft.0);
        file.map(|file| (draft, file))
    }

    fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<Self> {
        let (draft, mut file) = Self::make(path).map_err(|e| named(path, &e))?;
        let written = file
            .set_permissions(Permissions::from_mode(mode))
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
