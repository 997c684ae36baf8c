//! What servers make of a path that is spelt in an unusual way: some mend what they see, each in its own way.

use super::CanonicalPath;
use super::canonical::escape;

/// So many readings of one path are followed up; nobody means a path that has more.
const MOST: usize = 64;

/// A longer path is not read in all these ways: each takes time.
const LONGEST: usize = 2048;

/// What one server makes of a text; `None` where nobody is to see that.
type Mending = fn(&str) -> Option<String>;

/// What some server does, always to the whole path.
const MENDINGS: &[Mending] =
    &[merged, without_host, without_parameters, cut_at_parameter, slashes, backslashes, semicolons, decoded];

impl CanonicalPath {
    /// The path, and what it becomes for servers that mend it: each mending alone, and one after the other in any order,
    /// until nothing is left to mend. `None` where one reading belongs to a class that no route may allow, there are
    /// too many of them, or the path is longer than 2 KiB.
    #[must_use]
    pub fn readings(&self) -> Option<Vec<Self>> {
        self.read_by(|mending, text| mending(text))
    }

    /// The same, with all work on texts done by `mend`.
    fn read_by(&self, mut mend: impl FnMut(&Mending, &str) -> Option<String>) -> Option<Vec<Self>> {
        if self.text.len() > LONGEST {
            return None;
        }
        let mut all = vec![self.clone()];
        let mut next = 0;
        while let Some(path) = all.get(next) {
            let texts: Option<Vec<_>> = MENDINGS.iter().map(|mending| mend(mending, &path.text)).collect();
            let changed = texts?.into_iter().filter(|text| *text != path.text);
            let mended: Option<Vec<Self>> = changed.map(|text| Self::parse(&text).ok()).collect();
            for mended in mended? {
                if !all.contains(&mended) {
                    all.push(mended);
                }
            }
            if all.len() > MOST {
                return None;
            }
            next += 1;
        }
        Some(all)
    }
}

/// Slashes in a row are one.
fn merged(text: &str) -> Option<String> {
    let mut merged = String::with_capacity(text.len());
    for next in text.chars() {
        if next != '/' || !merged.ends_with('/') {
            merged.push(next);
        }
    }
    Some(merged)
}

/// What begins with two slashes names a host first (RFC 3986 4.2).
fn without_host(text: &str) -> Option<String> {
    let Some(rest) = text.strip_prefix("//") else { return Some(text.to_owned()) };
    Some(rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/").to_owned())
}

/// Each segment ends where its parameters begin.
fn without_parameters(text: &str) -> Option<String> {
    let names: Vec<_> = text.split('/').map(|segment| segment.split(';').next().unwrap_or(segment)).collect();
    Some(names.join("/"))
}

/// The path ends there.
fn cut_at_parameter(text: &str) -> Option<String> {
    text.split(';').next().map(str::to_owned)
}

fn slashes(text: &str) -> Option<String> {
    Some(text.replace("%2F", "/"))
}

/// A backslash is as good as a slash.
fn backslashes(text: &str) -> Option<String> {
    Some(text.replace("%5C", "/"))
}

fn semicolons(text: &str) -> Option<String> {
    Some(text.replace("%3B", ";"))
}

/// Decoded once more. What is no text then is as little for anybody as what is none at first; a control character may be the
/// end of the text for some.
fn decoded(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("%25") {
        let (before, escapes) = rest.split_at(at);
        decoded.push_str(before);
        let (bytes, after) = run(escapes);
        if bytes.is_empty() {
            decoded.push_str("%25");
            rest = escapes.get(3..)?;
            continue;
        }
        if std::str::from_utf8(&bytes).ok()?.chars().any(char::is_control) {
            return None;
        }
        bytes.iter().for_each(|byte| decoded.push_str(&format!("%{byte:02X}")));
        rest = after;
    }
    decoded.push_str(rest);
    Some(decoded)
}

/// The bytes that stand there escaped twice, one behind the other, and what follows.
fn run(text: &str) -> (Vec<u8>, &str) {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some(digits) = rest.strip_prefix("%25")
        && let Some(((byte, _), tail)) = escape(digits.as_bytes()).zip(digits.get(2..))
    {
        bytes.push(byte);
        rest = tail;
    }
    (bytes, rest)
}

#[cfg(test)]
mod tests;
