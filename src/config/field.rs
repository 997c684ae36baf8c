//! One key: its value becomes a checked type, or its fault is noted.

mod nested;

use std::path::{Path, PathBuf};

use super::context::Context;
use super::dangling::Dangling;
use super::document::{Node, Value};
use super::scalar::{Scalar, text};
use super::section::is_name;
use super::suggest::{listed, nearest};

/// A key of a section, written or not.
pub(super) struct Field<'a> {
    context: &'a Context,
    path: String,
    line: u64,
    /// Whether the key is there, with or without a value.
    present: bool,
    /// Whether a fault of the value is noted already.
    faulty: bool,
    node: Option<&'a Node>,
}

impl<'a> Field<'a> {
    pub(super) fn new(context: &'a Context, path: String, line: u64, node: Option<&'a Node>) -> Self {
        let faulty = node.is_some_and(|node| matches!(node.value, Value::Unsubstituted));
        if node.is_some() {
            context.places.borrow_mut().note(&path, line);
        }
        let value = node.filter(|node| !matches!(node.value, Value::Null | Value::Unsubstituted));
        Self { context, path, line, present: node.is_some(), faulty, node: value }
    }

    /// Whether the key has a value.
    pub(super) fn is_written(&self) -> bool {
        self.node.is_some() || self.faulty
    }

    /// Whether keys are written below it.
    pub(super) fn is_section(&self) -> bool {
        matches!(self.node.map(|node| &node.value), Some(Value::Map(_)))
    }

    /// Whether the key is there, even without a value: a section whose keys are all commented out is meant.
    pub(super) fn is_present(&self) -> bool {
        self.present
    }

    /// Whether a fault of the key, or of one below it, was noted by now.
    pub(super) fn has_fault(&self) -> bool {
        self.context.has_fault(&self.path)
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn fault(&self, wrong: impl Into<String>, right: impl Into<String>) {
        self.context.fault(self.line, &self.path, wrong, right);
    }

    /// Notes a fault of the flag whose value stands in place of this key's.
    pub(super) fn fault_of_flag(&self, flag: &str, wrong: impl Into<String>, right: impl Into<String>) {
        self.context.fault_of_flag(flag, wrong, right);
    }

    pub(super) fn notice(&self, text: impl Into<String>) {
        self.context.notice(&self.path, text);
    }

    /// The value, if it is written and right.
    pub(super) fn optional<T: Scalar>(&self) -> Option<T> {
        let node = self.node?;
        match text(&node.value).and_then(|text| T::read(&text)) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.context.fault(node.line, &self.path, wrong, T::RIGHT);
                None
            }
        }
    }

    /// The text as it is written, whatever is right here.
    pub(super) fn single(&self) -> Option<String> {
        text(&self.node?.value).ok()
    }

    /// Notes a fault if the key is not written.
    pub(super) fn demand(&self, right: &str) {
        if !self.is_written() {
            self.fault("this key must be written", right);
        }
    }

    /// The same key, whose absence is a fault.
    pub(super) fn demanded(self, right: &str) -> Self {
        self.demand(right);
        self
    }

    /// The value; a fault if it is not written.
    pub(super) fn required<T: Scalar>(&self) -> Option<T> {
        self.demand(T::RIGHT);
        self.optional()
    }

    /// The value, or this one. A wrong value is a fault, whatever is returned then.
    pub(super) fn or<T: Scalar>(&self, default: T) -> T {
        self.optional().unwrap_or(default)
    }

    /// One of several words.
    pub(super) fn choice<T: Clone>(&self, known: &[(&str, T)]) -> Option<T> {
        let node = self.node?;
        let found = text(&node.value)
            .ok()
            .and_then(|text| known.iter().find(|(word, _)| *word == text).map(|(_, value)| value.clone()));
        if found.is_none() {
            let words = || known.iter().map(|(word, _)| *word);
            let right = match text(&node.value).ok().and_then(|text| nearest(&text, words())) {
                Some(near) => format!("did you mean {near}?"),
                None if known.len() == 1 => format!("write {}", listed(words())),
                None => format!("write one of {}", listed(words())),
            };
            self.context.fault(node.line, &self.path, "this word is not known here", right);
        }
        found
    }

    /// The name of something that is configured elsewhere in the file.
    pub(super) fn reference(&self, what: &str, names: &[&str]) -> Option<String> {
        let name: String = self.optional()?;
        self.context.referred.borrow_mut().insert((what.to_owned(), name.clone()));
        if names.contains(&name.as_str()) {
            return Some(name);
        }
        let right = match nearest(&name, names.iter().copied()) {
            // That one has a fault of its own, and mends both.
            Some(known) if !is_name(known) => return None,
            Some(known) => format!("did you mean {known}?"),
            None if names.is_empty() => format!("configure the {what} first"),
            None => format!("configured are {}", listed(names.iter().copied())),
        };
        let (line, key, what) = (self.line, self.path.clone(), what.to_owned());
        self.context.dangling.borrow_mut().push(Dangling { line, key, what, name, right });
        None
    }

    /// A path, relative to the folder of the file.
    pub(super) fn path(&self) -> Option<PathBuf> {
        let path: String = self.optional()?;
        if path.contains(['\n', '\r']) {
            self.fault(
                "this is a text of several lines, and no path",
                "write the text to a file of its own, and name that",
            );
            return None;
        }
        Some(self.context.folder.join(path))
    }

    /// The path of a file or folder that `check` finds in order, and that is read once for a configuration.
    pub(super) fn existing(&self, right: &str, check: fn(&Path) -> Result<(), String>) -> Option<PathBuf> {
        let path = self.path()?;
        self.context.files.borrow_mut().insert(path.clone());
        self.checked(path, right, check)
    }

    /// The same of what is looked at again while it is used.
    pub(super) fn consulted(&self, right: &str, check: fn(&Path) -> Result<(), String>) -> Option<PathBuf> {
        self.checked(self.path()?, right, check)
    }

    fn checked(&self, path: PathBuf, right: &str, check: fn(&Path) -> Result<(), String>) -> Option<PathBuf> {
        match check(&path) {
            Ok(()) => Some(path),
            Err(wrong) => {
                let path = match self.node.and_then(|node| node.written.as_deref()) {
                    Some(written) => format!("what {written} stands for"),
                    None => path.display().to_string(),
                };
                self.fault(format!("{path} {wrong}"), right);
                None
            }
        }
    }
}
