//! JSON files, which an administrator writes.

use std::path::{Path, PathBuf};

/// The folder or a file in it can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct Unreadable {
    /// Which one.
    path: PathBuf,
    /// Why.
    source: std::io::Error,
}

/// A file, or the `*.json` files of a folder, with their texts.
pub(super) fn json_file_or_files(place: &Path) -> Result<Vec<(PathBuf, String)>, Unreadable> {
    if place.is_file() { Ok(vec![read(place.to_owned())?]) } else { json_files(place) }
}

/// The `*.json` files of a folder with their texts, in the order of their names: of several faults the same one is told
/// at every start.
pub(super) fn json_files(folder: &Path) -> Result<Vec<(PathBuf, String)>, Unreadable> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
        files.push(entry.map_err(|source| unreadable(folder, source))?.path());
    }
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    files.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> Result<(PathBuf, String), Unreadable> {
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(source) => Err(unreadable(&path, source)),
    }
}

fn unreadable(path: &Path, source: std::io::Error) -> Unreadable {
    Unreadable { path: path.to_owned(), source }
}
