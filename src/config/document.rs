//! The file as a tree of values that know their line: read loosely here, checked section by section afterwards, so
//! that every fault is found in one go.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Spanned};

/// A value and the line it stands in, counted from 1.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) line: u64,
    /// The text before its substitutions, where it had some: what they brought may be a secret.
    pub(super) written: Option<String>,
    pub(super) value: Value,
}

/// A YAML value. Maps keep their order, and keys that are written twice.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    /// A substitution that could not be made; its fault is noted.
    Unsubstituted,
    Bool(bool),
    Integer(i128),
    Decimal,
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: u64,
    pub(super) node: Node,
}

/// The file is no YAML document of the kind that is read here.
#[derive(Debug)]
pub(super) struct Malformed {
    pub(super) line: u64,
    pub(super) reason: String,
}

/// Reads a document; an empty one is an empty map.
pub(super) fn parse(text: &str) -> Result<Node, Malformed> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        leading_zero_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    if text.trim().is_empty() {
        return Ok(Node { line: 1, written: None, value: Value::Map(Vec::new()) });
    }
    let root: Spanned<Value> = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let (line, column) = error.location().map_or((0, 0), |place| (place.line(), place.column()));
        let cause = cause(text, line, column, is_of_mapping(&error));
        Malformed { line, reason: reason(&error) + &cause.unwrap_or_default() }
    })?;
    Ok(node(root))
}

/// What a parser stumbles over is often written in a line above.
fn cause(text: &str, line: u64, column: u64, of_mapping: bool) -> Option<String> {
    let [line, column] = [line, column].map(|number| usize::try_from(number).ok()?.checked_sub(1));
    let (lines, line): (Vec<&str>, usize) = (text.lines().collect(), line?);
    let lost = if of_mapping { lost_colon(&lines, line, column) } else { None };
    lost.or_else(|| lost_blank(lines.get(line)?)).or_else(|| lost_bracket(&lines, line))
}

/// The dash of an item that is no dash to YAML.
fn lost_blank(line: &str) -> Option<String> {
    let item = line.trim_start().strip_prefix('-')?;
    let is_text = item.starts_with(|next: char| !next.is_whitespace() && next != '-');
    is_text.then(|| "; a blank is missing behind the dash".to_owned())
}

/// The nearest line above with something in it, if it opens more brackets than it closes.
fn lost_bracket(lines: &[&str], line: usize) -> Option<String> {
    let says = |(_, text): &(usize, &&str)| !text.trim().is_empty() && !text.trim_start().starts_with('#');
    let (above, text) = lines.get(..line)?.iter().enumerate().rfind(says)?;
    let count = |brackets: [char; 2]| text.matches(brackets).count();
    let is_open = count(['[', '{']) > count([']', '}']);
    is_open.then(|| format!("; it may be line {} that lacks a bracket at its end", above + 1))
}

/// A line without a colon is gone on with by the next one, and the colon there is too much.
fn lost_colon(lines: &[&str], line: usize, column: Option<usize>) -> Option<String> {
    let is_pair = |text: &str| text.trim_end().ends_with(':') || text.contains(": ");
    // Where it is the second colon of its line, that line is enough to stumble.
    let begun: String = lines.get(line)?.chars().take(column?).collect();
    let goes_on = |text: &str| !text.trim().is_empty() && !text.trim_start().starts_with('#') && !is_pair(text);
    let before = lines.get(..line)?.iter().rev().take_while(|text| goes_on(text)).count();
    let is_meant = before > 0 && !is_pair(begun.trim_end_matches(':'));
    is_meant.then(|| format!("; it may be line {} that lacks the colon, or the blank behind it", line + 1 - before))
}

fn is_of_mapping(error: &serde_saphyr::Error) -> bool {
    matches!(error, serde_saphyr::Error::ExternalMessage { msg, .. } if msg.contains("mapping values are not allowed"))
}

/// The parser's words only where they cannot hold a value of the file.
fn reason(error: &serde_saphyr::Error) -> String {
    match error {
        serde_saphyr::Error::ExternalMessage { msg, .. } => format!("this is not YAML: {}", msg.replace('\n', " ")),
        serde_saphyr::Error::MultipleDocuments { .. } => "a second document begins here".to_owned(),
        _ => "this is not YAML that is understood here".to_owned(),
    }
}

fn node(spanned: Spanned<Value>) -> Node {
    Node { line: spanned.defined.line(), written: None, value: spanned.value }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_f64<E: de::Error>(self, _value: f64) -> Result<Value, E> {
        Ok(Value::Decimal)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Value>>()? {
            list.push(node(item));
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let node = node(entries.next_value::<Spanned<Value>>()?);
            map.push(Entry { key: key.value, line: key.defined.line(), node });
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests;
