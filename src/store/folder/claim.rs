//! Whose a folder is, and that it lets nobody else in.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::FolderError;
use crate::store::Account;
use crate::store::private_file::named;

/// Whether this process may work on the folder, if it is there.
pub(super) fn check(path: &Path) -> Result<(), FolderError> {
    // With a slash behind it, a link is looked through.
    let path = &path.components().collect::<PathBuf>();
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => {
            let owner = Account::of(meta.uid());
            if ![Account::ROOT, Account::of_process().uid()].contains(&owner.uid()) {
                return Err(FolderError::Link { path: shown(path), owner });
            }
            fs::metadata(path)
        }
        found => found,
    };
    let (meta, runner) = match meta {
        Ok(meta) => (meta, Account::of_process()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(path, error)),
    };
    if meta.uid() == runner.uid() {
        return Ok(());
    }
    Err(FolderError::Foreign { path: shown(path), owner: Account::of(meta.uid()), runner })
}

/// Makes the folder where it is missing.
pub(super) fn make(path: &Path) -> Result<(), FolderError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => refused(path, error),
        kind => io::Error::new(kind, format!("{} can't be made: {error}", path.display())).into(),
    })
}

/// Makes sure that a folder of ours lets only its owner in: an empty one is closed, one with files must be closed
/// already. True if it was closed just now.
pub(super) fn close(path: &Path) -> io::Result<bool> {
    // One opened folder is looked at and changed, whatever is put in its place meanwhile.
    let folder = File::open(path).map_err(|e| named(path, &e))?;
    let meta = folder.metadata().map_err(|e| named(path, &e))?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(false);
    }
    if !is_empty(path)? || meta.uid() != Account::of_process().uid() {
        let text = format!("{} has mode {mode:03o}; it must be 700 (chmod 700)", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    folder.set_permissions(Permissions::from_mode(0o700)).map_err(|e| named(path, &e)).map(|()| true)
}

/// Whether there is nothing in the folder.
pub(super) fn is_empty(path: &Path) -> io::Result<bool> {
    Ok(fs::read_dir(path).map_err(|e| named(path, &e))?.next().is_none())
}

fn refused(path: &Path, error: io::Error) -> FolderError {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            FolderError::Closed { path: shown(path), error, runner: Account::of_process() }
        }
        _ => named(path, &error).into(),
    }
}

/// The absolute path: an operator may stand elsewhere than a service does.
fn shown(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
