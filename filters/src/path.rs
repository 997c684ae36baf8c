//! Canonical paths and the templates that match them (`gateway.md` 2.1).
//!
//! A path is refused rather than guessed at: what was matched is byte for byte what is forwarded.

mod canonical;
mod letters;
mod readings;
mod template;
#[cfg(test)]
mod tests;

pub use canonical::{CanonicalPath, PathError, PathRules};
pub(crate) use letters::small;
pub use template::{Looseness, Params, PathTemplate, TemplateError};
