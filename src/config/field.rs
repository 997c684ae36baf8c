//! One key: its value becomes a checked type, or its fault is noted.

use std::path::{Path, PathBuf};

use super::context::Context;
use super::dangling::Dangling;
use super::document::{Entry, Node, Value};
use super::scalar::{Scalar, text};
use super::section::{NAME, Section, is_name, join};
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
        self.optional::<String>().map(|path| self.context.folder.join(path))
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
                self.fault(format!("{} {wrong}", path.display()), right);
                None
            }
        }
    }

    /// A section below this key; one that is not written is read as empty.
    pub(super) fn section<T>(&self, read: impl FnOnce(&Section<'a>) -> T) -> Option<T> {
        let (line, entries): (u64, &'a [Entry]) = match self.node {
            None => (self.line, &[]),
            Some(Node { line, value: Value::Map(entries) }) => (*line.min(&self.line), entries),
            Some(_) => {
                self.fault("this must be a section", "write its keys below it, indented");
                return None;
            }
        };
        let section = Section::new(self.context, self.path.clone(), line, entries);
        self.refuse_duplicates(entries);
        let value = read(&section);
        section.finish();
        Some(value)
    }

    /// The items of a list; a list that is not written is empty.
    pub(super) fn each<T>(&self, mut read: impl FnMut(&Field<'a>) -> Option<T>) -> Vec<T> {
        let items: &'a [Node] = match self.node {
            None => &[],
            Some(Node { value: Value::List(items), .. }) => items,
            Some(_) => {
                self.fault("this must be a list", "write items below it, each with a leading dash, or [a, b]");
                &[]
            }
        };
        items
            .iter()
            .enumerate()
            .filter_map(|(index, node)| {
                let path = format!("{}[{index}]", self.path);
                let item = Field::new(self.context, path, node.line, Some(node));
                if !item.is_written() {
                    item.fault("this item is empty", "write a value after the dash, or take the dash away");
                    return None;
                }
                read(&item)
            })
            .collect()
    }

    /// A key of the item with this name, in a list of sections; the list where there is none.
    pub(super) fn of_item(&self, name: &str, key: &str) -> Self {
        let (context, path, line) = (self.context, &self.path, self.line);
        let items = match self.node.map(|node| &node.value) {
            Some(Value::List(items)) => items.as_slice(),
            _ => &[],
        };
        let named =
            |node: &Node| entry(node, "name").is_some_and(|entry| text(&entry.node.value).as_deref() == Ok(name));
        let found = items.iter().enumerate().find(|(_, node)| named(node));
        match found.and_then(|(index, node)| Some((index, entry(node, key)?))) {
            Some((index, entry)) => Self::new(context, format!("{path}[{index}].{key}"), entry.line, Some(&entry.node)),
            None => Self::new(context, path.clone(), line, self.node),
        }
    }

    /// The named sections below this key, in their order. Names are lower-case letters, digits and dashes.
    pub(super) fn named<T>(&self, mut read: impl FnMut(&str, &Section<'a>) -> Option<T>) -> Vec<T> {
        let entries: &'a [Entry] = match self.node {
            None => &[],
            Some(Node { value: Value::Map(entries), .. }) => entries,
            Some(_) => {
                self.fault("this must be a section of names", "write a name and a colon, and its keys below it");
                &[]
            }
        };
        self.refuse_duplicates(entries);
        entries
            .iter()
            .filter_map(|entry| {
                let path = join(&self.path, &entry.key);
                if !is_name(&entry.key) {
                    self.context.fault(entry.line, &path, "this is no name", NAME);
                }
                let field = Field::new(self.context, path, entry.line, Some(&entry.node));
                field.section(|section| read(&entry.key, section)).flatten()
            })
            .collect()
    }

    /// The values below this key, each with a key that need not be a name.
    pub(super) fn pairs(&self, mut read: impl FnMut(&str, &Field<'a>)) {
        let entries: &'a [Entry] = match self.node {
            None => &[],
            Some(Node { value: Value::Map(entries), .. }) => entries,
            Some(_) => {
                self.fault("this must be a section", "write KEY: VALUE below it, indented, or {KEY: VALUE}");
                &[]
            }
        };
        self.refuse_duplicates(entries);
        for entry in entries {
            let path = join(&self.path, &entry.key);
            read(&entry.key, &Field::new(self.context, path, entry.line, Some(&entry.node)));
        }
    }

    /// Whether so many sections or items are all that are written: none is at fault and missing.
    pub(super) fn is_all(&self, read: usize) -> bool {
        match self.node.map(|node| &node.value) {
            None => read == 0 && !self.faulty,
            Some(Value::Map(entries)) => entries.len() == read,
            Some(Value::List(items)) => items.len() == read,
            Some(_) => false,
        }
    }

    /// A list that is written names something; `right` says what.
    pub(super) fn refuse_empty(&self, right: &str) {
        if self.is_written() && self.is_all(0) {
            self.fault("the list is empty", right);
        }
    }

    /// The names below this key, also of sections that are at fault: whoever refers to those is not.
    pub(super) fn names(&self) -> Vec<&'a str> {
        match self.node {
            Some(Node { value: Value::Map(entries), .. }) => entries.iter().map(|entry| entry.key.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    fn refuse_duplicates(&self, entries: &[Entry]) {
        for (index, entry) in entries.iter().enumerate() {
            if let Some(first) = entries.iter().take(index).find(|earlier| earlier.key == entry.key) {
                let wrong = format!("this key is written twice, first in line {}", first.line);
                self.context.fault(entry.line, &join(&self.path, &entry.key), wrong, "keep one of them");
            }
        }
    }
}

/// A key of a section.
fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n Entry> {
    match &node.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
        _ => None,
    }
}
