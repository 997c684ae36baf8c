//! Where the file lies: it gets its name only when it is whole, and one that was lost is not taken for a new one.
//!
//! That it was there is told by an empty file beside it, the mark.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{EmbeddedError, builder, make_tables, refused};
use crate::store::private_file::{self, beside, named};

/// The file by which a lost store is told from one that never was.
pub(super) fn mark(path: &Path) -> PathBuf {
    beside(path, ".made")
}

/// Whether the file is there, or was.
pub(super) fn was_made(path: &Path) -> io::Result<bool> {
    Ok(is_there(path)? || is_there(&mark(path))?)
}

/// Leaves the mark, once the file is open.
pub(super) fn remember(path: &Path) -> io::Result<()> {
    private_file::create(&mark(path), b"").map(drop)
}

/// Makes the file where it never was. A start that is cut short leaves an unfinished one under another name, which the
/// next start begins anew.
pub(super) fn make_once(path: &Path) -> Result<(), EmbeddedError> {
    if is_there(path)? {
        return Ok(());
    }
    if is_there(&mark(path))? {
        return Err(EmbeddedError::Lost(path.to_owned()));
    }
    let _lock = private_file::lock(path)?;
    // Another start may have made it while this one waited.
    if is_there(path)? { Ok(()) } else { make(path) }
}

fn make(path: &Path) -> Result<(), EmbeddedError> {
    let begun = beside(path, ".begun");
    if is_there(&begun)? {
        fs::remove_file(&begun).map_err(|e| named(&begun, &e))?;
    }
    let file: File = private_file::open_or_make(&begun)?;
    let database = builder().create(&begun).map_err(|error| refused(&begun, error.into()))?;
    make_tables(&database).map_err(|error| refused(&begun, error))?;
    // Closing it writes, too.
    drop(database);
    file.sync_all().map_err(|e| named(&begun, &e))?;
    Ok(private_file::rename(&begun, path)?)
}

fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(named(path, &error)),
    }
}
