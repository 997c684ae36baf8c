//! Names of things that are configured elsewhere in the file, and are not. What is said of them waits until all is read:
//! what was named and is itself at fault is there, and one misspelt name is one fault, however often it is referred to.

use super::context::Context;

/// A reference to nothing.
pub(super) struct Dangling {
    pub(super) line: u64,
    pub(super) key: String,
    /// What is referred to, such as `upstream`: those are configured below `upstreams`.
    pub(super) what: String,
    pub(super) name: String,
    pub(super) right: String,
}

impl Dangling {
    /// Whether what it names is at fault itself, as one of these keys tells, or all of its kind are.
    fn is_told(&self, faulty: &[String]) -> bool {
        let all = format!("{}s", self.what);
        let one = format!("{all}.{}", self.name);
        let below = format!("{one}.");
        faulty.iter().any(|key| *key == all || *key == one || key.starts_with(&below))
    }
}

/// Notes the faults, each name once.
pub(super) fn settle(context: &Context) {
    let mut left: Vec<Dangling> = context.dangling.take();
    let mut faulty: Vec<String> = context.faults.borrow().iter().map(|fault| fault.key.clone()).collect();
    faulty.extend(left.iter().map(|dangling| dangling.key.clone()));
    left.retain(|dangling| !dangling.is_told(&faulty));
    left.sort_by_key(|dangling| dangling.line);
    while let Some(first) = (!left.is_empty()).then(|| left.remove(0)) {
        let (same, others): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|other| (&other.what, &other.name) == (&first.what, &first.name));
        left = others;
        let mut lines: Vec<String> = same.iter().map(|other| other.line.to_string()).collect();
        lines.dedup();
        let too = match &lines[..] {
            [] => String::new(),
            [line] => format!(", which line {line} names too"),
            lines => format!(", which lines {} name too", lines.join(", ")),
        };
        context.fault(first.line, &first.key, format!("there is no {} of this name{too}", first.what), first.right);
    }
}
