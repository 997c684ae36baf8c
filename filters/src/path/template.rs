//! Route templates: literal segments and `{name}` segments.

use super::CanonicalPath;
use super::letters::are_alike;

/// The values of a template's `{name}` segments, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// The value of the segment `{name}`: canonical text, never empty, never with a slash in any spelling.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It does not begin with `/`.
    #[error("a route's path must begin with a slash")]
    NotAbsolute,
    /// Braces around nothing or around other characters than letters, digits, `-` and `_`, or inside a segment.
    #[error("{0:?} is no segment: write a literal, or a name in braces")]
    Segment(String),
    /// A literal that no canonical path has: the route would never match.
    #[error("{0:?} is not how a path is spelt after parsing: no empty or dot segments, no needless escapes")]
    Spelling(String),
    /// A name used for two segments.
    #[error("{0:?} names two segments")]
    Twice(String),
    /// `*` anywhere but as the last segment.
    #[error("* stands alone, as the last segment: /shop/*")]
    Wildcard,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Name(String),
}

/// A path with named segments (`/targets/{id}`); a last segment `*` matches any rest, also none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate {
    segments: Vec<Segment>,
    open_end: bool,
    any_case: bool,
}

/// How a server behind may read a path more loosely than the template does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looseness {
    /// Small and capital ASCII letters are the same.
    pub any_case: bool,
    /// Any segment is a parameter, also an empty one and one that holds a separator.
    pub any_segment: bool,
}

impl PathTemplate {
    /// Parses a template. With a slash at its end it matches other paths than without.
    ///
    /// # Errors
    /// When it is malformed, or could never match.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let rest = text.strip_prefix('/').ok_or(TemplateError::NotAbsolute)?;
        let (rest, open_end) = match rest.strip_suffix('*').map(|rest| (rest, rest.strip_suffix('/'))) {
            Some((_, Some(rest)) | (rest @ "", None)) => (rest, true),
            _ => (rest, false),
        };
        let mut segments = Vec::new();
        let mut parts = parts(rest).peekable();
        while let Some(part) = parts.next() {
            let ends = !open_end && !segments.is_empty() && parts.peek().is_none();
            let segment = if ends && part.is_empty() { Segment::Literal(String::new()) } else { segment(part)? };
            if matches!(segment, Segment::Name(_)) && segments.contains(&segment) {
                return Err(TemplateError::Twice(part.to_owned()));
            }
            segments.push(segment);
        }
        Ok(Self { segments, open_end, any_case: false })
    }

    /// The same for a server that takes small and capital ASCII letters for the same.
    #[must_use]
    pub fn in_any_case(self) -> Self {
        Self { any_case: true, ..self }
    }

    /// Whether small and capital ASCII letters are the same to it.
    #[must_use]
    pub fn ignores_case(&self) -> bool {
        self.any_case
    }

    /// The parameters if `path` matches.
    #[must_use]
    pub fn matches(&self, path: &CanonicalPath) -> Option<Params> {
        let text = path.as_str().strip_prefix('/')?;
        let mut parts = parts(text);
        let mut params = Params::default();
        for segment in &self.segments {
            let part = parts.next()?;
            match segment {
                Segment::Literal(literal) if is_same(literal, part, self.any_case) => {}
                Segment::Name(name) if is_plain(part) => params.0.push((name.clone(), part.to_owned())),
                _ => return None,
            }
        }
        (self.open_end || parts.next().is_none()).then_some(params)
    }

    /// Whether a server that reads paths so loosely finds this template by `path`.
    #[must_use]
    pub fn may_match(&self, path: &CanonicalPath, reader: Looseness) -> bool {
        let Some(text) = path.as_str().strip_prefix('/') else { return false };
        let mut parts = parts(text);
        let mut fits = |segment: &Segment| {
            parts.next().is_some_and(|part| match segment {
                Segment::Literal(literal) if reader.any_case => are_alike(literal, part),
                Segment::Literal(literal) => is_same(literal, part, self.any_case),
                Segment::Name(_) => reader.any_segment || is_plain(part),
            })
        };
        self.segments.iter().all(&mut fits) && (self.open_end || parts.next().is_none())
    }

    /// Whether it matches every path that `other` matches. Two templates that cover each other match the same.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let covers = |(here, there): (&Segment, &Segment)| match (here, there) {
            (Segment::Literal(here), Segment::Literal(there)) => {
                is_same(here, there, self.any_case) && (self.any_case || !other.any_case || !has_case(there))
            }
            (Segment::Literal(_), Segment::Name(_)) => false,
            (Segment::Name(_), Segment::Literal(there)) => is_plain(there),
            (Segment::Name(_), Segment::Name(_)) => true,
        };
        let ends = if self.open_end {
            self.segments.len() <= other.segments.len()
        } else {
            !other.open_end && self.segments.len() == other.segments.len()
        };
        ends && self.segments.iter().zip(&other.segments).all(covers)
    }
}

impl PathTemplate {
    /// Whether there is a path that both match.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let overlaps = |(here, there): (&Segment, &Segment)| match (here, there) {
            (Segment::Literal(here), Segment::Literal(there)) if self.any_case || other.any_case => {
                are_alike(here, there)
            }
            (Segment::Literal(here), Segment::Literal(there)) => here == there,
            (Segment::Name(_), Segment::Literal(literal)) | (Segment::Literal(literal), Segment::Name(_)) => {
                is_plain(literal)
            }
            (Segment::Name(_), Segment::Name(_)) => true,
        };
        let (here, there) = (self.segments.len(), other.segments.len());
        (self.open_end || here >= there)
            && (other.open_end || there >= here)
            && self.segments.iter().zip(&other.segments).all(overlaps)
    }
}

/// The segments of what follows the first slash: none after nothing.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split('/').filter(move |_| !text.is_empty())
}

/// Escapes are in capital letters anyhow.
fn is_same(literal: &str, part: &str, any_case: bool) -> bool {
    literal == part || any_case && literal.eq_ignore_ascii_case(part)
}

/// Whether it could be spelt in other letters, beside those of escapes.
fn has_case(literal: &str) -> bool {
    let letters = |text: &str| text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let mut parts = literal.split('%');
    parts.next().is_some_and(letters) || parts.any(|part| part.get(2..).is_some_and(letters))
}

/// A parameter is one whole, non-empty segment in which nothing may be read as a separator.
fn is_plain(part: &str) -> bool {
    const READ_OTHERWISE: [&str; 5] = [";", "%3B", "%2F", "%5C", "%25"];
    !part.is_empty() && !READ_OTHERWISE.iter().any(|spelling| part.contains(spelling))
}

fn segment(text: &str) -> Result<Segment, TemplateError> {
    if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        return if !name.is_empty() && name.bytes().all(is_name) {
            Ok(Segment::Name(name.to_owned()))
        } else {
            Err(TemplateError::Segment(text.to_owned()))
        };
    }
    if text.contains('*') {
        return Err(TemplateError::Wildcard);
    }
    if text.contains(['{', '}']) {
        return Err(TemplateError::Segment(text.to_owned()));
    }
    match CanonicalPath::parse(&format!("/{text}")) {
        Ok(path) if !text.is_empty() && path.as_str().strip_prefix('/') == Some(text) => {
            Ok(Segment::Literal(text.to_owned()))
        }
        _ => Err(TemplateError::Spelling(text.to_owned())),
    }
}
