//! Which modules of its own crate a file names.

use super::sources::{Source, first_word};

/// The top-level modules named by `crate::…`, `crate::{…}` and chains of `super::` that climb to the root, with their
/// lines.
pub(super) fn imported_modules(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let code: Vec<(usize, &str)> = source.code().collect();
    let mut depth = source.depth();
    for (index, (number, line)) in code.iter().enumerate() {
        // Modules inside a file stand at its end; inside them one more `super` is needed.
        if line.starts_with("mod ") && line.trim_end().ends_with('{') {
            depth = source.depth() + 1;
        }
        for (start, _) in line.match_indices("crate::") {
            let rest = &line[start + "crate::".len()..];
            if rest.starts_with('{') {
                let group: String = code[index..].iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
                let start = group.find("crate::{").map_or(0, |start| start + "crate::{".len());
                found.extend(group_members(&group[start..]).map(|name| (*number, name)));
            } else {
                found.push((*number, first_word(rest).to_owned()));
            }
        }
        found.extend(climbed(line, depth).map(|name| (*number, name)));
    }
    found.retain(|(_, name)| name.starts_with(|first: char| first.is_ascii_lowercase()));
    found
}

/// The first names of a group `a, b::{c, d}, e}`, its opening brace already read.
fn group_members(text: &str) -> impl Iterator<Item = String> {
    let mut nested = 0;
    let mut members = vec![String::new()];
    for letter in text.chars() {
        match letter {
            '}' if nested == 0 => break,
            '{' => nested += 1,
            '}' => nested -= 1,
            ',' if nested == 0 => members.push(String::new()),
            _ => {}
        }
        if let Some(member) = members.last_mut() {
            member.push(letter);
        }
    }
    members.into_iter().map(|member| first_word(member.trim_start_matches([',', ' ', '\n'])).to_owned())
}

/// The name after a chain of `super::` as long as the file is deep.
fn climbed(line: &str, depth: usize) -> Option<String> {
    let start = line.find("super::")?;
    let mut rest = &line[start..];
    let mut climbed = 0;
    while let Some(after) = rest.strip_prefix("super::") {
        (rest, climbed) = (after, climbed + 1);
    }
    (climbed >= depth).then(|| first_word(rest).to_owned())
}
