//! The two ways to write the list.

use std::borrow::Cow;

use super::{Element, ForwardedError};

/// The places of an `X-Forwarded-For`. An empty one is a place, too: it could else hide behind what a client wrote.
pub(super) fn addresses(list: &str) -> Vec<Element<'_>> {
    list.split(',').map(|node| Element { node: Some(Cow::Borrowed(trimmed(node))), proto: None }).collect()
}

/// The elements of a `Forwarded` (RFC 7239 4): `for` and `proto` of each.
///
/// # Errors
/// When the list is not built as the grammar has it: nobody knows then which part of it a proxy wrote.
pub(super) fn elements(list: &str) -> Result<Vec<Element<'_>>, ForwardedError> {
    let mut elements = Vec::new();
    let mut rest = list;
    loop {
        let (element, behind) = element(rest)?;
        elements.push(element);
        match behind.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Ok(elements),
        }
    }
}

/// One element, and what follows it: a comma, or nothing.
fn element(mut rest: &str) -> Result<(Element<'_>, &str), ForwardedError> {
    let mut names: Vec<String> = Vec::new();
    let mut element = Element::default();
    loop {
        rest = start(rest);
        let (name, behind) = token(rest);
        rest = behind;
        if !name.is_empty() {
            let (value, behind) = value(rest.strip_prefix('=').ok_or(ForwardedError::Form)?)?;
            rest = start(behind);
            let name = name.to_ascii_lowercase();
            if names.contains(&name) {
                return Err(ForwardedError::Form);
            }
            match name.as_str() {
                "for" => element.node = Some(value),
                "proto" => element.proto = Some(value),
                _ => {}
            }
            names.push(name);
        }
        match rest.strip_prefix(';') {
            Some(behind) => rest = behind,
            None if rest.is_empty() || rest.starts_with(',') => return Ok((element, rest)),
            None => return Err(ForwardedError::Form),
        }
    }
}

/// A token or a quoted string, and what follows it.
fn value(text: &str) -> Result<(Cow<'_, str>, &str), ForwardedError> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = token(text);
        return if value.is_empty() { Err(ForwardedError::Form) } else { Ok((Cow::Borrowed(value), rest)) };
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next().ok_or(ForwardedError::Form)? {
            '"' => return Ok((Cow::Owned(value), chars.as_str())),
            '\\' => value.push(chars.next().ok_or(ForwardedError::Form)?),
            char => value.push(char),
        }
    }
}

/// The token that a text begins with (RFC 9110 5.6.2), and what follows it.
fn token(text: &str) -> (&str, &str) {
    let is_token = |char: char| char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char);
    text.split_at(text.find(|char| !is_token(char)).unwrap_or(text.len()))
}

fn start(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

fn trimmed(text: &str) -> &str {
    start(text).trim_end_matches([' ', '\t'])
}
