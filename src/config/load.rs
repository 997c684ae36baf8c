//! From text to a checked configuration, or every fault in it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::assembly::{Assembly, KEYS};
use super::context::Context;
use super::document::{self, Node, Value};
use super::listeners::first_public;
use super::scalar::{Scalar as _, text};
use super::section::Section;
use super::substitution::{Environment, Substitution};
use super::suggest::{listed, nearest};
use super::url::{PublicUrl, STAND_IN};
use super::{Config, Fault, Faults, Overrides, STANDALONE, Source, dangling, files, listeners};

/// Reads and checks a configuration.
///
/// # Errors
/// Every fault that was found.
pub fn load(source: &Source, overrides: &Overrides, environment: &Environment) -> Result<Config, Faults> {
    read(source, overrides, environment).0
}

/// The same, and every file and folder that is read once for it, the source itself among them, as far as they were named
/// before a fault: there or not.
pub fn read(
    source: &Source,
    overrides: &Overrides,
    environment: &Environment,
) -> (Result<Config, Faults>, BTreeSet<PathBuf>) {
    let (folder, text) = match source {
        Source::BuiltIn => (PathBuf::new(), Ok(STANDALONE.as_bytes().to_vec())),
        Source::File(path) => (path.parent().map(Path::to_path_buf).unwrap_or_default(), std::fs::read(path)),
    };
    let context = context(Arc::from(source.name()), folder);
    let config = match text {
        Ok(text) => utf8(text, &context).and_then(|text| check(&text, overrides, environment, &context)),
        Err(error) => {
            context.fault(0, "", format!("the file {}", files::reason(&error)), "name a readable YAML file");
            None
        }
    };
    dangling::settle(&context);
    let (mut faults, notices) = (context.faults.into_inner(), context.notices.into_inner());
    let places = context.places.into_inner();
    let mut files = context.files.into_inner();
    let checked = match config {
        Some(config) if faults.is_empty() => Ok(Config { notices, places, files: files.clone(), ..config }),
        _ => {
            if faults.is_empty() {
                faults.push(unexplained(&context.file));
            }
            Err(Faults::new(faults))
        }
    };
    if let Source::File(path) = source {
        files.insert(path.clone());
    }
    (checked, files)
}

fn utf8(text: Vec<u8>, context: &Context) -> Option<String> {
    String::from_utf8(text)
        .map_err(|error| {
            let before = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
            let line = 1 + before.filter(|byte| **byte == b'\n').fold(0, |lines, _| lines + 1);
            context.fault(line, "", "a letter in this line is no UTF-8", "save the file as UTF-8");
        })
        .ok()
}

fn context(file: Arc<str>, folder: PathBuf) -> Context {
    let (faults, notices, places) = (RefCell::default(), RefCell::default(), RefCell::default());
    let (dangling, referred, files) = (RefCell::default(), RefCell::default(), RefCell::default());
    Context { file, folder, faults, dangling, referred, notices, places, files }
}

/// Fails closed should a section be refused without a word.
fn unexplained(file: &Arc<str>) -> Fault {
    Fault {
        file: Arc::clone(file),
        line: 0,
        key: String::new(),
        wrong: "the file was refused and no check said why".to_owned(),
        right: "report this with the file".to_owned(),
    }
}

fn check(text: &str, overrides: &Overrides, environment: &Environment, context: &Context) -> Option<Config> {
    let mut root = match document::parse(text) {
        Ok(root) => root,
        Err(malformed) => {
            context.fault(malformed.line, "", malformed.reason, "write KEY: VALUE with a blank after the colon, indent with blanks, and quote values with signs of YAML");
            return None;
        }
    };
    spell_right(&mut root, context);
    if is_foreign(&root) {
        context.fault(
            0,
            "",
            "none of its keys is one of a configuration",
            format!("known are {}", listed(KEYS.iter().copied())),
        );
        return None;
    }
    let public_url = substitute(&mut root, overrides, environment, context);
    Section::root(context, &root, |section| {
        Assembly { section, overrides, environment, public_url: public_url.as_ref() }.config()
    })
    .flatten()
}

/// Whether it is something else, whose keys are nobody's business.
fn is_foreign(root: &Node) -> bool {
    let Value::Map(entries) = &root.value else { return false };
    !entries.is_empty() && entries.iter().all(|entry| !KEYS.contains(&entry.key.as_str()))
}

/// A misspelt key is told, and read as the one that is meant: nothing else is said to be missing for it.
fn spell_right(root: &mut Node, context: &Context) {
    let Value::Map(entries) = &mut root.value else { return };
    let mut missing: Vec<&str> = KEYS.to_vec();
    missing.retain(|key| entries.iter().all(|entry| entry.key != *key));
    for entry in entries.iter_mut().filter(|entry| !KEYS.contains(&entry.key.as_str())) {
        let Some(meant) = nearest(&entry.key, missing.iter().copied()) else { continue };
        missing.retain(|key| *key != meant);
        context.fault(entry.line, &entry.key, "this key is not known", format!("did you mean {meant}?"));
        meant.clone_into(&mut entry.key);
    }
}

/// Makes the substitutions; the public URL, on which others stand, comes first. It is returned if it is written, or
/// can be told from the listeners.
fn substitute(
    root: &mut Node,
    overrides: &Overrides,
    environment: &Environment,
    context: &Context,
) -> Option<PublicUrl> {
    let mut faults = Vec::new();
    let mut substitution =
        Substitution { environment, folder: &context.folder, public_url: None, files: &context.files };
    let written = entry(root, "public-url").map(|node| {
        substitution.apply(node, "public-url", &mut faults);
        text(&node.value).ok().and_then(|text| PublicUrl::read(&text).ok())
    });
    for key in ["listeners", "try-out"] {
        if let Some(node) = entry(root, key) {
            substitution.apply(node, key, &mut faults);
        }
    }
    let public_url = match written {
        Some(url) => url,
        None => of_listeners(root, overrides),
    };
    // Where the URL itself is at fault, nothing that stands on it is reported.
    substitution.public_url = Some(public_url.as_ref().map_or(STAND_IN, PublicUrl::text).to_owned());
    if let Value::Map(entries) = &mut root.value {
        for entry in entries.iter_mut().filter(|entry| !matches!(&*entry.key, "public-url" | "listeners" | "try-out")) {
            substitution.apply(&mut entry.node, &entry.key, &mut faults);
        }
    }
    for fault in faults {
        context.fault(fault.line, &fault.key, fault.wrong, fault.right);
    }
    public_url
}

fn entry<'a>(root: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    let Value::Map(entries) = &mut root.value else { return None };
    entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node)
}

/// The URL of the first public listener. Its faults are noted when the listeners are read in earnest.
fn of_listeners(root: &Node, overrides: &Overrides) -> Option<PublicUrl> {
    let silent = context(Arc::from(""), PathBuf::new());
    let (listeners, _) =
        Section::root(&silent, root, |section| listeners::read(&section.field("listeners"), overrides))?;
    first_public(&listeners).and_then(|listener| PublicUrl::of_listener(listener.address, listener.tls.is_some()).ok())
}
