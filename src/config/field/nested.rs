//! What is written below a key: a section, a list, names.

use super::Field;
use crate::config::document::{Entry, Node, Value};
use crate::config::scalar::text;
use crate::config::section::{NAME, Section, is_name, join};

impl<'a> Field<'a> {
    /// A section below this key; one that is not written is read as empty.
    pub(in crate::config) fn section<T>(&self, read: impl FnOnce(&Section<'a>) -> T) -> Option<T> {
        let (line, entries): (u64, &'a [Entry]) = match self.node {
            None => (self.line, &[]),
            Some(Node { line, value: Value::Map(entries), .. }) => (*line.min(&self.line), entries),
            Some(_) => {
                self.fault("this must be a section", self.right_of_section("write its keys below it, indented"));
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
    pub(in crate::config) fn each<T>(&self, mut read: impl FnMut(&Field<'a>) -> Option<T>) -> Vec<T> {
        let items: &'a [Node] = match self.node {
            None => &[],
            Some(Node { value: Value::List(items), .. }) => items,
            Some(_) => {
                self.fault("this must be a list", self.right_of_list());
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
    pub(in crate::config) fn of_item(&self, name: &str, key: &str) -> Self {
        let list = || Self::new(self.context, self.path.clone(), self.line, self.node);
        self.written_in_item(name, key).unwrap_or_else(list)
    }

    /// A key of the section with this name, or that section where it is not written; the sections where there is none.
    pub(in crate::config) fn of_named(&self, name: &str, key: &str) -> Self {
        let itself = Self::new(self.context, self.path.clone(), self.line, self.node);
        let named = self.below(name).unwrap_or(itself);
        named.below(key).unwrap_or(named)
    }

    /// The same, if it is written.
    pub(in crate::config) fn written_in_named(&self, name: &str, key: &str) -> Option<Self> {
        self.below(name)?.below(key)
    }

    fn below(&self, key: &str) -> Option<Self> {
        let entry = self.node.and_then(|node| entry(node, key))?;
        Some(Self::new(self.context, join(&self.path, key), entry.line, Some(&entry.node)))
    }

    /// The same, if it is written.
    pub(in crate::config) fn written_in_item(&self, name: &str, key: &str) -> Option<Self> {
        let items = match self.node.map(|node| &node.value) {
            Some(Value::List(items)) => items.as_slice(),
            _ => &[],
        };
        let named =
            |node: &Node| entry(node, "name").is_some_and(|entry| text(&entry.node.value).as_deref() == Ok(name));
        let found = items.iter().enumerate().find(|(_, node)| named(node));
        let (index, entry) = found.and_then(|(index, node)| Some((index, entry(node, key)?)))?;
        Some(Self::new(self.context, format!("{}[{index}].{key}", self.path), entry.line, Some(&entry.node)))
    }

    /// The named sections below this key, in their order. Names are lower-case letters, digits and dashes.
    pub(in crate::config) fn named<T>(&self, mut read: impl FnMut(&str, &Section<'a>) -> Option<T>) -> Vec<T> {
        let entries: &'a [Entry] = match self.node {
            None => &[],
            Some(Node { value: Value::Map(entries), .. }) => entries,
            Some(_) => {
                let right = self.right_of_section("write a name and a colon, and its keys below it");
                self.fault("this must be a section of names", right);
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
    pub(in crate::config) fn pairs(&self, mut read: impl FnMut(&str, &Field<'a>)) {
        let entries: &'a [Entry] = match self.node {
            None => &[],
            Some(Node { value: Value::Map(entries), .. }) => entries,
            Some(_) => {
                let right = self.right_of_section("write KEY: VALUE below it, indented, or {KEY: VALUE}");
                self.fault("this must be a section", right);
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
    pub(in crate::config) fn is_all(&self, read: usize) -> bool {
        match self.node.map(|node| &node.value) {
            None => read == 0 && !self.faulty,
            Some(Value::Map(entries)) => entries.len() == read,
            Some(Value::List(items)) => items.len() == read,
            Some(_) => false,
        }
    }

    /// A list that is written names something; `right` says what.
    pub(in crate::config) fn refuse_empty(&self, right: &str) {
        if self.is_written() && self.is_all(0) {
            self.fault("the list is empty", right);
        }
    }

    /// The names below this key, also of sections that are at fault: whoever refers to those is not.
    pub(in crate::config) fn names(&self) -> Vec<&'a str> {
        match self.node {
            Some(Node { value: Value::Map(entries), .. }) => entries.iter().map(|entry| entry.key.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// To YAML, what has a dash without a blank behind it is a text.
    fn right_of_list(&self) -> &'static str {
        if self.single().is_some_and(|text| text.starts_with('-')) {
            "a blank is missing behind a dash below it: - VALUE"
        } else {
            "write items below it, each with a leading dash, or [a, b]"
        }
    }

    /// To YAML, what has a colon without a blank behind it is a text. A URL is meant as one.
    fn right_of_section(&self, right: &'static str) -> &'static str {
        let lacks_blank = |text: &String| {
            let mut behind = text.split(':').skip(1);
            !text.contains("://") && behind.any(|rest| !rest.is_empty() && !rest.starts_with(' '))
        };
        if self.single().as_ref().is_some_and(lacks_blank) {
            "a blank is missing behind a colon below it: KEY: VALUE"
        } else {
            right
        }
    }

    /// Notes the sections below this key that nothing referred to as such by now.
    pub(in crate::config) fn note_unused(&self, what: &str, text: &str) {
        let referred = self.context.referred.borrow();
        for name in self.names().into_iter().filter(|name| !referred.contains(&(what.to_owned(), (*name).to_owned()))) {
            self.context.notice(&join(&self.path, name), text);
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
