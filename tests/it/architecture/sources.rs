//! The source files of the three crates.

use std::path::Path;

/// A source file; its path is below the repository's root, with slashes.
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
}

impl Source {
    /// Whether it is this module, or below it: `src/gateway` is `src/gateway.rs` and `src/gateway/…`.
    pub(super) fn is_in(&self, place: &str) -> bool {
        let Some(rest) = self.path.strip_prefix(place) else { return false };
        rest.is_empty() || rest.starts_with(['/', '.'])
    }

    /// The module of the crate `sidegate` that it belongs to.
    pub(super) fn module(&self) -> Option<&str> {
        let below = self.path.strip_prefix("src/")?;
        let module = below.split('/').next()?;
        let module = module.strip_suffix(".rs").unwrap_or(module);
        (!matches!(module, "lib" | "main")).then_some(module)
    }

    /// Whether it is compiled for tests only, as files of these names are here. Tests of a lower layer may look at it
    /// through an upper one.
    pub(super) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "testing" | "testing.rs"))
    }

    /// How many modules deep it is: 1 for `src/store.rs`, 2 for `src/store/users.rs`.
    pub(super) fn depth(&self) -> usize {
        self.path.split('/').count() - 1
    }

    /// The lines that are no comments, counted from 1.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Each word that stands before `::`, or right after `use`, with its line.
    pub(super) fn named_crates(&self) -> Vec<(usize, &str)> {
        let mut named = Vec::new();
        for (number, line) in self.code() {
            let used = line.trim_start().strip_prefix("use ").map(|rest| rest.trim_start_matches("::"));
            named.extend(used.map(|rest| (number, first_word(rest))));
            for (start, _) in line.match_indices("::") {
                let before = &line[..start];
                let word = before.rfind(|letter| !is_word(letter)).map_or(before, |end| {
                    let next = end + before[end..].chars().next().map_or(1, char::len_utf8);
                    &before[next..]
                });
                let is_first = !before[..before.len() - word.len()].ends_with("::");
                if is_first && !word.is_empty() {
                    named.push((number, word));
                }
            }
        }
        named
    }
}

pub(super) fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The identifier that a text begins with.
pub(super) fn first_word(text: &str) -> &str {
    &text[..text.find(|letter| !is_word(letter)).unwrap_or(text.len())]
}

/// The sources of all three crates.
pub(super) fn sources(root: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    for folder in ["src", "filters/src", "uaf/src"] {
        collect(root, &root.join(folder), &mut found);
    }
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push(Source { path: path.strip_prefix(root).unwrap().display().to_string(), text });
        }
    }
}
