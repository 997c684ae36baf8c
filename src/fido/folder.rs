//! Folders of JSON files, which an administrator writes.

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

/// The `*.json` files of a folder with their texts, in the order of their names: of several faults the same one is told
/// at every start.
pub(super) fn json_files(folder: &Path) -> Result<Vec<(PathBuf, String)>, Unreadable> {
    let unreadable = |path: &Path, source| Unreadable { path: path.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
        files.push(entry.map_err(|source| unreadable(folder, source))?.path());
    }
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    let read = |path: PathBuf| match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(source) => Err(unreadable(&path, source)),
    };
    files.into_iter().map(read).collect()
}
