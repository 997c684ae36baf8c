//! Files that only we may read, written so that a reader sees the old content or the new one, never half of it.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use uuid::Uuid;
use zeroize::Zeroizing;

/// Reads a file, if it is there.
///
/// # Errors
/// If it can't be read, or others than its owner may read or write it.
pub(crate) fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(named(path, &error)),
    };
    check(path, &file.metadata().map_err(|e| named(path, &e))?)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.read_to_end(&mut bytes).map_err(|e| named(path, &e))?;
    Ok(Some(bytes))
}

/// Makes sure that a file is there, empty if it is new, and that only its owner may read or write it.
///
/// # Errors
/// If it can't be made, or others may read it.
pub(crate) fn ensure(path: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(|e| named(path, &e))?;
    check(path, &fs::metadata(path).map_err(|e| named(path, &e))?)
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
    let draft = Draft::write(path, bytes)?;
    fs::rename(&draft.0, path).map_err(|e| named(path, &e))?;
    sync_folder(path)
}

/// Makes a file, unless somebody else did meanwhile. False if it was there; it is left as it is then.
///
/// # Errors
/// If it can't be written.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let draft = Draft::write(path, bytes)?;
    // A link, unlike a rename, fails where the name is taken.
    match fs::hard_link(&draft.0, path) {
        Ok(()) => sync_folder(path).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(named(path, &error)),
    }
}

/// Makes sure that a folder lets only its owner in: an empty one is closed, one with files must be closed already.
///
/// # Errors
/// If it is open and has files, or can't be closed.
pub(crate) fn claim_folder(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path).map_err(|e| named(path, &e))?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    if fs::read_dir(path).map_err(|e| named(path, &e))?.next().is_some() {
        let text = format!("{} has mode {mode:03o}; it must be 700 (chmod 700)", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(|e| named(path, &e))
}

/// A finished file beside the one that it is for; removed unless it was moved away.
struct Draft(PathBuf);

impl Draft {
    fn write(path: &Path, bytes: &[u8]) -> io::Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", Uuid::new_v4().simple()));
        let draft = Self(path.with_file_name(name));
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create_new(true).mode(0o600).open(&draft.0).map_err(|e| named(&draft.0, &e))?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| named(&draft.0, &e))?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _moved_away = fs::remove_file(&self.0);
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| named(folder, &e))
}

/// The error with the file that it is about.
pub(crate) fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
