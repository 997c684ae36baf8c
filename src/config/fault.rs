//! What is wrong with a configuration, said so that an operator can mend it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One fault of a configuration: printed as `file:line: key: what is wrong; what would be right`. It never quotes
/// the file, whose values may be secrets; it names keys, and paths of missing files.
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

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:", self.file)?;
        if self.line > 0 {
            write!(out, "{}:", self.line)?;
        }
        if !self.key.is_empty() {
            write!(out, " {}:", self.key)?;
        }
        write!(out, " {}; {}", self.wrong, self.right)
    }
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
