//! What stands behind an operation that a user's session began.

use serde::{Deserialize, Serialize};

use super::Era;

/// A session that began a registration or a deregistration, for as long as that is under way: whatever ends all sessions of
/// the user ends this too, and so does the end of a key that it was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warrant {
    /// The user's era that the session is of.
    pub era: Era,
    /// As in [`SessionRecord::keys`](crate::store::SessionRecord::keys).
    pub keys: Vec<String>,
    /// Whether it may register a first key only, since the session showed none and each further one takes that
    /// (`additional-registration: step-up`).
    pub first_key: bool,
}
