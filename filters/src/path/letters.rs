//! Small and capital letters of a canonical path, for servers to which they are the same.

use std::borrow::Cow;

use super::CanonicalPath;
use super::canonical::{escape, push_escaped};

/// What small letters make of `İ` beside an `i`, which a server that folds simply leaves out.
const DOT_ABOVE: char = '\u{307}';

impl CanonicalPath {
    /// The path as a server reads it to which small and capital letters are the same, be they of ASCII or not: see [`small`].
    #[must_use]
    pub fn in_small_letters(&self) -> Self {
        Self { text: small(&self.text), ..self.clone() }
    }
}

/// Canonical text with its letters small. They went through capitals, so that those which have a twin elsewhere (the Kelvin sign
/// has `k`, the long s has `s`) are that. Escapes of what is no letter stay as they are.
pub(crate) fn small(text: &str) -> String {
    if text.is_ascii() && !text.contains('%') {
        return text.to_ascii_lowercase();
    }
    let mut small = String::with_capacity(text.len());
    for piece in Pieces(text) {
        match piece {
            Piece::Escape(escape) => small.push_str(escape),
            Piece::Letters(letters) => letters
                .chars()
                .flat_map(char::to_uppercase)
                .flat_map(char::to_lowercase)
                .filter(|letter| *letter != DOT_ABOVE)
                .for_each(|letter| push(&mut small, letter)),
        }
    }
    small
}

/// Whether a server to which letters are the same takes one for the other.
pub(super) fn are_alike(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || (one.contains('%') || other.contains('%')) && small(one) == small(other)
}

fn push(text: &mut String, letter: char) {
    if letter.is_ascii() {
        return text.push(letter);
    }
    letter.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_escaped(text, byte));
}

enum Piece<'a> {
    /// Of one ASCII byte, which is no letter, or it would not be escaped.
    Escape(&'a str),
    Letters(Cow<'a, str>),
}

struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let text = self.0;
        if !text.starts_with('%') {
            let (letters, rest) = text.split_at_checked(text.find('%').unwrap_or(text.len()))?;
            self.0 = rest;
            return (!letters.is_empty()).then_some(Piece::Letters(letters.into()));
        }
        let mut bytes = Vec::new();
        let mut rest = text;
        while let Some((byte @ 0x80.., _)) = rest.strip_prefix('%').and_then(|tail| escape(tail.as_bytes())) {
            bytes.push(byte);
            rest = rest.get(3..)?;
        }
        let piece = if bytes.is_empty() {
            let (escape, after) = text.split_at_checked(3)?;
            rest = after;
            Piece::Escape(escape)
        } else {
            // A canonical path decodes to UTF-8, and so does what stands in it between two ASCII characters.
            Piece::Letters(String::from_utf8_lossy(&bytes).into_owned().into())
        };
        self.0 = rest;
        Some(piece)
    }
}
