//! Whether files changed, and stand still since.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::store::FileStamp;

/// What was at each path: of a folder all that lies in it, one level deep.
pub(super) type States = BTreeMap<PathBuf, State>;

/// What was at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing, or nothing that can be looked at.
    Nothing,
    /// A file, or a folder with these.
    There(FileStamp, BTreeMap<PathBuf, FileStamp>),
}

impl State {
    fn of(path: &Path) -> Self {
        let Some(stamp) = behind(path) else { return Self::Nothing };
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        Self::There(stamp, entries.filter_map(|path| behind(&path).map(|stamp| (path, stamp))).collect())
    }
}

/// That of what a path leads to, by links too.
fn behind(path: &Path) -> Option<FileStamp> {
    std::fs::metadata(path).ok().as_ref().map(FileStamp::from)
}

fn states(paths: &BTreeSet<PathBuf>) -> States {
    paths.iter().map(|path| (path.clone(), State::of(path))).collect()
}

/// The paths of which the two tell otherwise. A path that only one of them knows was named, not changed.
pub(super) fn changed(before: &States, now: &States) -> Vec<PathBuf> {
    let differs = |(path, state): &(&PathBuf, &State)| before.get(*path).is_some_and(|before| before != *state);
    now.iter().filter(differs).map(|(path, _)| path.clone()).collect()
}

/// Files that are looked at now and then.
pub(in crate::cli) struct Watch {
    paths: BTreeSet<PathBuf>,
    /// As they were when they were read last.
    read: States,
    /// As they were at the last look.
    seen: States,
    /// What was read is not known to be whole.
    torn: bool,
}

impl Watch {
    /// These paths, read just now.
    pub(in crate::cli) fn new(paths: BTreeSet<PathBuf>) -> Self {
        let read = states(&paths);
        Self { paths, seen: read.clone(), read, torn: false }
    }

    /// Whether they are others than those that were read, and were so at the last look already.
    pub(super) fn look(&mut self) -> bool {
        let now = states(&self.paths);
        let still = now == self.seen;
        self.seen = now;
        still && (self.torn || self.seen != self.read)
    }

    /// As they were when they were read last.
    pub(super) fn read(&self) -> States {
        self.read.clone()
    }

    /// These are read now.
    pub(super) fn set(&mut self, paths: BTreeSet<PathBuf>) {
        *self = Self::new(paths);
    }

    /// Whether one of them changed since.
    pub(super) fn moved(&self) -> bool {
        states(&self.paths) != self.read
    }

    /// What was read is to be read again.
    pub(super) fn unread(&mut self) {
        self.torn = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(paths: &[&Path]) -> Watch {
        Watch::new(paths.iter().map(|path| path.to_path_buf()).collect())
    }

    #[test]
    fn a_change_counts_once_it_stands_still() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let mut watch = watch(&[&file]);
        assert!(!watch.look() && !watch.look(), "nothing changed");
        std::fs::write(&file, "half").unwrap();
        assert!(!watch.look(), "it may go on");
        std::fs::write(&file, "half and half").unwrap();
        assert!(!watch.look(), "it went on");
        assert!(watch.look() && watch.look(), "until it is read");
        let before = watch.read();
        watch.set([file.clone()].into());
        assert!(!watch.look() && !watch.moved());
        assert_eq!(changed(&before, &watch.read()), std::slice::from_ref(&file));
        std::fs::remove_file(&file).unwrap();
        assert!(watch.moved() && !watch.look() && watch.look());
    }

    #[test]
    fn what_is_in_a_folder_and_behind_a_link_counts_and_what_was_torn_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let [inside, one, other, link] = ["in", "one", "other", "link"].map(|name| folder.path().join(name));
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(inside.join("a.json"), "{}").unwrap();
        std::fs::write(&one, "1").unwrap();
        std::fs::write(&other, "2").unwrap();
        std::os::unix::fs::symlink(&one, &link).unwrap();
        let mut watch = watch(&[&inside, &link]);
        std::fs::write(inside.join("a.json"), "{ }").unwrap();
        assert!(!watch.look() && watch.look());
        watch.set([inside, link.clone()].into());
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(&other, &link).unwrap();
        assert!(!watch.look() && watch.look());
        watch.set([link].into());
        assert!(!watch.look());
        watch.unread();
        assert!(watch.look());
    }
}
