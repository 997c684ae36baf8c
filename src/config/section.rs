//! Reading one section after the other and noting every fault on the way. A reader asks for the keys it knows; what
//! is left over is unknown.

use std::cell::{Cell, RefCell};

use super::context::Context;
use super::document::{Entry, Node, Value};
use super::fault::shown;
use super::field::Field;
use super::suggest::{listed, nearest};

/// A map of the file, or the place where one may stand.
pub(super) struct Section<'a> {
    context: &'a Context,
    path: String,
    line: u64,
    entries: &'a [Entry],
    asked: RefCell<Vec<&'static str>>,
    /// Keys that belong elsewhere, and where.
    elsewhere: RefCell<Vec<(&'static str, &'static str)>>,
    unread: Cell<bool>,
}

impl<'a> Section<'a> {
    pub(super) fn new(context: &'a Context, path: String, line: u64, entries: &'a [Entry]) -> Self {
        Self {
            context,
            path,
            line,
            entries,
            asked: RefCell::default(),
            elsewhere: RefCell::default(),
            unread: Cell::default(),
        }
    }

    /// Reads the whole file.
    pub(super) fn root<T>(context: &'a Context, node: &'a Node, read: impl FnOnce(&Self) -> T) -> Option<T> {
        Field::new(context, String::new(), node.line, Some(node)).section(read)
    }

    pub(super) fn field(&self, key: &'static str) -> Field<'a> {
        if !self.asked.borrow().contains(&key) {
            self.asked.borrow_mut().push(key);
        }
        let entry = self.entries.iter().find(|entry| entry.key == key);
        let line = entry.map_or(self.line, |entry| entry.line);
        Field::new(self.context, join(&self.path, key), line, entry.map(|entry| &entry.node))
    }

    /// Notes a fault of the section as a whole.
    pub(super) fn fault(&self, wrong: impl Into<String>, right: impl Into<String>) {
        self.context.fault(self.line, &self.path, wrong, right);
    }

    /// Tells of these keys, which are known in another section, where they belong.
    pub(super) fn belong_elsewhere(&self, keys: &[&'static str], right: &'static str) {
        self.elsewhere.borrow_mut().extend(keys.iter().map(|key| (*key, right)));
    }

    /// Says nothing of keys that were not asked for: what they should be hangs on one that is at fault.
    pub(super) fn leave_unread(&self) {
        self.unread.set(true);
    }

    /// Notes a fault if none of these keys, of which some must be there, is written.
    pub(super) fn demand_some(&self, keys: &[&'static str], wrong: &str, right: &str) {
        let is_written = |key: &&'static str| self.field(key).is_written();
        if !keys.iter().any(is_written) && !self.misspells(keys) {
            self.fault(wrong, right);
        }
    }

    /// Whether a key that was not asked for until now may have been meant as one of these: it is told as such.
    pub(super) fn misspells(&self, keys: &[&'static str]) -> bool {
        let asked = self.asked.borrow();
        let mut unknown = self.entries.iter().filter(|entry| !asked.contains(&entry.key.as_str()));
        unknown.any(|entry| nearest(&entry.key, keys.iter().copied()).is_some())
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(&self) {
        if self.unread.get() {
            return;
        }
        let mut above = None;
        for entry in self.entries {
            if !self.asked.borrow().contains(&entry.key.as_str()) {
                let path = join(&self.path, &entry.key);
                let elsewhere = self.elsewhere.borrow().iter().find(|(key, _)| *key == entry.key).copied();
                match elsewhere {
                    Some((_, right)) => self.context.fault(entry.line, &path, "this key is not known here", right),
                    None => self.context.fault(entry.line, &path, "this key is not known", self.meant(entry, above)),
                }
            }
            above = Some(entry);
        }
    }

    /// What an unknown key may have been meant as.
    fn meant(&self, entry: &Entry, above: Option<&Entry>) -> String {
        let asked = self.asked.borrow();
        let missing = asked.iter().copied().filter(|key| self.entries.iter().all(|entry| entry.key != *key));
        if let Some(known) = nearest(&entry.key, missing) {
            self.forget_missing(known);
            return format!("did you mean {known}?");
        }
        let known = listed(asked.iter().copied());
        match above {
            Some(Entry { key, node: Node { value: Value::Null, .. }, .. }) => {
                format!("if it belongs to {}, indent it; known here: {known}", shown(key))
            }
            _ => format!("known here: {known}"),
        }
    }

    /// Takes back what was said of a key that is not written: it is there, misspelt, and one fault is enough.
    fn forget_missing(&self, key: &str) {
        let path = join(&self.path, key);
        self.context.faults.borrow_mut().retain(|fault| fault.key != path);
    }
}

/// What names are made of.
pub(super) const NAME: &str = "write lower-case letters, digits and single dashes, such as main-shop";

/// Whether `text` is a name: it stands in log lines, cookie names and SecTokens.
pub(super) fn is_name(text: &str) -> bool {
    text.split('-')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
        && text.len() <= 64
}

/// The path of a key below another.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
