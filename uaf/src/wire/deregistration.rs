//! `DeregistrationRequest` (UAF protocol 1.1, section 3.6). There is no response to it.

use serde::{Deserialize, Serialize};

use super::{OperationHeader, message, non_empty};

/// Tells a client to delete keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeregistrationRequest {
    /// Head with op `Dereg`.
    pub header: OperationHeader,
    /// Which keys.
    #[serde(deserialize_with = "non_empty")]
    pub authenticators: Vec<DeregisterAuthenticator>,
}

impl DeregistrationRequest {
    /// The protocol message: a JSON array with this one dictionary.
    #[must_use]
    pub fn to_message(&self) -> String {
        message(self)
    }
}

/// One key; with an empty key id all keys of the model; with both empty everything of the appID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeregisterAuthenticator {
    /// AAID or the empty string.
    pub aaid: String,
    /// Key id as base64url, or the empty string.
    #[serde(rename = "keyID")]
    pub key_id: String,
}
