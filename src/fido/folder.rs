//! JSON files, which an administrator writes.

use std::fmt::{Debug, Display};
use std::path::{Path, PathBuf};

/// What is wrong with the files of one key: one fault or more, those of files in the order of their names.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct FileFaults<E: Debug + Display>(Vec<E>);

impl<E: Debug + Display> FileFaults<E> {
    /// The result of reading all files, of which these were found wrong.
    pub(super) fn none_or<T>(faults: Vec<E>, read: T) -> Result<T, Self> {
        if faults.is_empty() { Ok(read) } else { Err(Self(faults)) }
    }
}

impl<E: Debug + Display> From<E> for FileFaults<E> {
    fn from(fault: E) -> Self {
        Self(vec![fault])
    }
}

impl<E: Debug + Display> IntoIterator for FileFaults<E> {
    type Item = E;
    type IntoIter = std::vec::IntoIter<E>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

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
pub(super) fn json_file_or_files(place: &Path) -> Result<Vec<Read>, Unreadable> {
    if place.is_file() { Ok(vec![read(place.to_owned())]) } else { json_files(place) }
}

/// A file with its text, or why it can't be read.
type Read = Result<(PathBuf, String), Unreadable>;

/// The `*.json` files of a folder with their texts, in the order of their names: several faults are told in the same order
/// at every start.
pub(super) fn json_files(folder: &Path) -> Result<Vec<Read>, Unreadable> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
        files.push(entry.map_err(|source| unreadable(folder, source))?.path());
    }
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    Ok(files.into_iter().map(read).collect())
}

fn read(path: PathBuf) -> Read {
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(source) => Err(unreadable(&path, source)),
    }
}

fn unreadable(path: &Path, source: std::io::Error) -> Unreadable {
    Unreadable { path: path.to_owned(), source }
}
