//! What is wrong with a configuration, said so that an operator can mend it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One fault of a configuration: printed as `file:line: key: what is wrong; what would be right`. It quotes no value,
/// which may be a secret, but names of sections and rows, hosts, networks, and paths as the file itself writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, as it was named on the command line.
    pub file: Arc<str>,
    /// The line, counted from 1; 0 when the file as a whole is meant.
    pub line: u64,
    /// The path of the key, such as `listeners[0].address`; empty when the file as a whole is meant.
    pub key: String,
    /// What is wrong.
    pub wrong: String,
    /// What would be right.
    pub right: String,
}

/// The longest part of a key that is shown, in bytes.
const LONGEST_KEY: usize = 64;

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:", self.file)?;
        if self.line > 0 {
            write!(out, "{}:", self.line)?;
        }
        if !self.key.is_empty() {
            write!(out, " {}:", shown(&self.key))?;
        }
        write!(out, " {}; {}", self.wrong, self.right)
    }
}

/// A key, or the path of one, as far as it is made of what keys are made of: what stands before a colon in a file that
/// is no configuration may be a secret.
pub(super) fn shown(key: &str) -> Cow<'_, str> {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "-_.[]/~".contains(sign);
    let is_long = |part: &str| part.len() > LONGEST_KEY;
    let end = key.find(|sign| !is_plain(sign)).or_else(|| key.split('.').any(is_long).then_some(0));
    let Some(before) = end.and_then(|end| key.get(..end)) else { return Cow::Borrowed(key) };
    let whole = before.rfind('.').and_then(|dot| before.get(..=dot)).unwrap_or_default();
    Cow::Owned(format!("{whole}\u{2026}"))
}

/// Every fault that was found, in the order of the file; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn new(mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(|fault| fault.line);
        Self(faults)
    }

    /// The faults, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            write!(out, "{fault}")?;
        }
        Ok(())
    }
}

/// Where the keys of a file stand, for faults that only show when its values are used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places(BTreeMap<String, u64>);

impl Places {
    pub(super) fn note(&mut self, key: &str, line: u64) {
        self.0.entry(key.to_owned()).or_insert(line);
    }

    /// The line of a key, counted from 1; of the nearest one above it where it is not written, 0 where none is.
    #[must_use]
    pub fn line(&self, key: &str) -> u64 {
        let above = || key.rfind(['.', '[']).and_then(|end| key.get(..end));
        self.0.get(key).copied().or_else(|| above().map(|above| self.line(above))).unwrap_or_default()
    }
}

/// Something that is allowed and that an operator should know before phones and strangers meet it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The key it is about.
    pub key: String,
    /// What is set, and what it means.
    pub text: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.key, self.text)
    }
}
