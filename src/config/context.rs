//! Where everything that reads one file notes what it finds.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::dangling::Dangling;
use super::fault::{Fault, Notice, Places};

/// What all sections of one file share.
pub(super) struct Context {
    pub(super) file: Arc<str>,
    /// Relative paths start here.
    pub(super) folder: PathBuf,
    pub(super) faults: RefCell<Vec<Fault>>,
    /// Names of what is not configured: told at the end.
    pub(super) dangling: RefCell<Vec<Dangling>>,
    /// What is referred to, and by which name.
    pub(super) referred: RefCell<BTreeSet<(String, String)>>,
    pub(super) notices: RefCell<Vec<Notice>>,
    pub(super) places: RefCell<Places>,
    /// Files and folders that are read once for a configuration, whether they are there or not.
    pub(super) files: RefCell<BTreeSet<PathBuf>>,
}

impl Context {
    pub(super) fn fault(&self, line: u64, key: &str, wrong: impl Into<String>, right: impl Into<String>) {
        self.faults.borrow_mut().push(Fault {
            file: Arc::clone(&self.file),
            line,
            key: key.to_owned(),
            wrong: wrong.into(),
            right: right.into(),
        });
    }

    /// Whether a key, or one below it, has a fault that was noted by now.
    pub(super) fn has_fault(&self, key: &str) -> bool {
        let is_below = |fault: &Fault| {
            fault.key.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.faults.borrow().iter().any(is_below)
    }

    /// A fault of a flag of the command line, which stands in place of a key's value.
    pub(super) fn fault_of_flag(&self, flag: &str, wrong: impl Into<String>, right: impl Into<String>) {
        self.faults.borrow_mut().push(Fault {
            file: Arc::from(flag),
            line: 0,
            key: String::new(),
            wrong: wrong.into(),
            right: right.into(),
        });
    }

    pub(super) fn notice(&self, key: &str, text: impl Into<String>) {
        self.notices.borrow_mut().push(Notice { key: key.to_owned(), text: text.into() });
    }
}
