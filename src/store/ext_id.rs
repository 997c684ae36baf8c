//! The identifier under which everything of a user is stored.

use serde::{Deserialize, Serialize};

/// A user's extId (`http-api.md` 0.2): an opaque string, a UUID where we make it. Not the login name: a name that is
/// removed and added again is a new user with a new extId.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExtId(String);

impl ExtId {
    /// A new one, never used before.
    #[must_use]
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for ExtId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for ExtId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::fmt::Display for ExtId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
