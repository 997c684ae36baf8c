//! Files that a configuration names.

use std::io;
use std::path::Path;

/// Why a path cannot be read, in words.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "may not be read by this user".to_owned(),
        io::ErrorKind::InvalidData => "is no UTF-8 text".to_owned(),
        _ => format!("cannot be read ({error})"),
    }
}

/// Checks that `path` is a file that can be opened.
pub(super) fn readable(path: &Path) -> Result<(), String> {
    let file = std::fs::File::open(path).map_err(|error| reason(&error))?;
    let meta = file.metadata().map_err(|error| reason(&error))?;
    if meta.is_file() { Ok(()) } else { Err("is no file".to_owned()) }
}

/// Checks that `path` is one or the other.
pub(super) fn file_or_folder(path: &Path) -> Result<(), String> {
    if path.is_dir() { folder(path) } else { readable(path) }
}

/// Checks that `path` is a folder that can be listed.
pub(super) fn folder(path: &Path) -> Result<(), String> {
    std::fs::read_dir(path).map(drop).map_err(|error| match error.kind() {
        io::ErrorKind::NotADirectory => "is no folder".to_owned(),
        _ => reason(&error),
    })
}
