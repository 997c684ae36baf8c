//! `${env:NAME}`, `${file:PATH}` and `${public-url}` in values. Keys are never substituted.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::document::{Node, Value};

/// The largest file that `${file:PATH}` takes in, in bytes.
const LARGEST_FILE: u64 = 64 * 1024;

type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where substitutions take their values from.
pub struct Environment {
    variables: Box<Variables>,
}

impl Environment {
    /// The environment of the process.
    #[must_use]
    pub fn of_process() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }

    /// An environment in which `variables` answers for every name.
    pub fn new(variables: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { variables: Box::new(variables) }
    }

    /// The value of a variable.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.variables)(name)
    }
}

/// A substitution that cannot be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsubstituted {
    pub(super) line: u64,
    pub(super) key: String,
    pub(super) wrong: String,
    pub(super) right: String,
}

pub(super) struct Substitution<'a> {
    pub(super) environment: &'a Environment,
    /// Relative paths start here.
    pub(super) folder: &'a Path,
    /// `None` while the public URL itself is read.
    pub(super) public_url: Option<String>,
    /// Files that were taken in, whether they are there or not.
    pub(super) files: &'a RefCell<BTreeSet<PathBuf>>,
}

impl Substitution<'_> {
    /// Replaces every substitution below `node`, and collects those that cannot be made.
    pub(super) fn apply(&self, node: &mut Node, key: &str, faults: &mut Vec<Unsubstituted>) {
        match &mut node.value {
            Value::Text(text) => match self.expand(text) {
                Ok(expanded) if expanded == *text => {}
                Ok(expanded) => node.written = Some(std::mem::replace(text, expanded)),
                Err((wrong, right)) => {
                    faults.push(Unsubstituted { line: node.line, key: key.to_owned(), wrong, right });
                    node.value = Value::Unsubstituted;
                }
            },
            Value::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.apply(item, &format!("{key}[{index}]"), faults);
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    let key = if key.is_empty() { entry.key.clone() } else { format!("{key}.{}", entry.key) };
                    self.apply(&mut entry.node, &key, faults);
                }
            }
            Value::Null | Value::Unsubstituted | Value::Bool(_) | Value::Integer(_) | Value::Decimal => {}
        }
    }

    /// `$${` stands for `${`.
    pub(super) fn expand(&self, text: &str) -> Result<String, (String, String)> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            if let Some(literal) = before.strip_suffix('$') {
                expanded.push_str(literal);
                expanded.push_str("${");
                rest = after;
                continue;
            }
            let (name, after) = after.split_once('}').ok_or_else(|| {
                ("a ${ is not closed".to_owned(), "close it with }, or write $${ for the characters".to_owned())
            })?;
            expanded.push_str(before);
            expanded.push_str(&self.value(name)?);
            rest = after;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    fn value(&self, name: &str) -> Result<String, (String, String)> {
        match name.split_once(':') {
            Some(("env", variable)) => self.environment.variable(variable).ok_or_else(|| {
                (format!("the environment has no variable {variable}"), "set it before the start".to_owned())
            }),
            Some(("file", path)) => {
                let path = self.folder.join(path);
                self.files.borrow_mut().insert(path.clone());
                read(&path)
            }
            None if name == "public-url" => self.public_url.clone().ok_or_else(|| {
                ("public-url cannot stand on itself".to_owned(), "write the URL, or ${env:NAME}".to_owned())
            }),
            _ => Err((
                "this substitution is not known".to_owned(),
                "known are ${env:NAME}, ${file:PATH} and ${public-url}".to_owned(),
            )),
        }
    }
}

fn read(path: &PathBuf) -> Result<String, (String, String)> {
    let wrong = |reason: &str| (format!("{}: {reason}", path.display()), "name a readable text file".to_owned());
    let meta = std::fs::metadata(path).map_err(|error| wrong(&super::files::reason(&error)))?;
    if !meta.is_file() {
        return Err(wrong("this is no file"));
    }
    if meta.len() > LARGEST_FILE {
        return Err(wrong("the file is larger than 64 KiB"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&super::files::reason(&error)))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn expand(text: &str) -> Result<String, (String, String)> {
        let environment = Environment::new(|name| (name == "PORT").then(|| "${env:PORT}8080".to_owned()));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("name"), "sidegate\n").unwrap();
        let public_url = Some("https://gate.example".to_owned());
        let files = RefCell::default();
        Substitution { environment: &environment, folder: folder.path(), public_url, files: &files }.expand(text)
    }

    #[test]
    fn known_names_are_replaced_once() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a${env:PORT}b", "a${env:PORT}8080b"),
            ("${file:name}", "sidegate"),
            ("${public-url}/x and ${public-url}", "https://gate.example/x and https://gate.example"),
            ("$${env:PORT}", "${env:PORT}"),
            ("100$ $x", "100$ $x"),
        ] {
            assert_eq!(expand(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_replaced_is_said() {
        for (text, wrong) in [
            ("${env:NONE}", "no variable NONE"),
            ("${file:none}", "does not exist"),
            ("${file:.}", "no file"),
            ("${data}", "not known"),
            ("${env:PORT", "not closed"),
        ] {
            assert!(expand(text).unwrap_err().0.contains(wrong), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_without_a_dollar_stays(text in "[^$]{0,40}") {
            prop_assert_eq!(expand(&text).unwrap(), text);
        }

        #[test]
        fn any_text_is_expanded_or_refused(text in "[${}:a-c]{0,40}") {
            let _ = expand(&text);
        }
    }
}
