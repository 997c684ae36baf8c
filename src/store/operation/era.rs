//! What ends all sessions of a user at once.

use serde::{Deserialize, Serialize};

use crate::store::PasswordStamp;

/// A time of a user that an end of all sessions, or another password, ends: what was begun in one is void in the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Era {
    /// How often all sessions of the user were ended.
    pub generation: u64,
    /// The user's password.
    pub password: PasswordStamp,
}
