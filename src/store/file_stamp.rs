//! Tells whether a file was changed since it was looked at.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// Tells one state of a file from another: a replaced file has another inode, an edited one another time of change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStamp {
    inode: u64,
    changed: (i64, i64),
    length: u64,
}

impl From<&Metadata> for FileStamp {
    fn from(meta: &Metadata) -> Self {
        Self { inode: meta.ino(), changed: (meta.ctime(), meta.ctime_nsec()), length: meta.len() }
    }
}
