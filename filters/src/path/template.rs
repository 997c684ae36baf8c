//! Route templates: literal segments and `{name}` segments.

use super::CanonicalPath;

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
    /// Braces around nothing, or inside a segment.
    #[error("{0:?} is no segment: write a literal, or a name in braces")]
    Segment(String),
    /// `*` anywhere but as the last segment.
    #[error("* may only be the last segment")]
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
}

impl PathTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let rest = text.strip_prefix('/').ok_or(TemplateError::NotAbsolute)?;
        let mut parts: Vec<&str> = rest.split('/').collect();
        let open_end = parts.last() == Some(&"*");
        if open_end {
            parts.pop();
        }
        let segments = parts.into_iter().map(segment).collect::<Result<_, _>>()?;
        Ok(Self { segments, open_end })
    }

    /// The parameters if `path` matches. A trailing slash is not significant unless the template ends in `*`.
    #[must_use]
    pub fn matches(&self, path: &CanonicalPath) -> Option<Params> {
        let text = path.as_str().strip_prefix('/')?;
        let text = if self.open_end { text } else { text.strip_suffix('/').unwrap_or(text) };
        let mut parts = text.split('/');
        let mut params = Params::default();
        for segment in &self.segments {
            let part = parts.next()?;
            match segment {
                Segment::Literal(literal) if literal == part => {}
                Segment::Name(name) if is_plain(part) => params.0.push((name.clone(), part.to_owned())),
                _ => return None,
            }
        }
        (self.open_end || parts.next().is_none()).then_some(params)
    }
}

/// A parameter is one whole, non-empty segment in which nothing may be read as a separator.
fn is_plain(part: &str) -> bool {
    !part.is_empty() && !part.contains(';') && !part.contains("%2F") && !part.contains("%5C") && !part.contains("%25")
}

fn segment(text: &str) -> Result<Segment, TemplateError> {
    let name = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    match name {
        Some(name) if !name.is_empty() && !name.contains(['{', '}']) => Ok(Segment::Name(name.to_owned())),
        None if !text.contains(['{', '}', '*']) => Ok(Segment::Literal(text.to_owned())),
        None if text.contains('*') => Err(TemplateError::Wildcard),
        _ => Err(TemplateError::Segment(text.to_owned())),
    }
}
