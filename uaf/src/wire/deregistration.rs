//! `DeregistrationRequest` (UAF protocol 1.1, section 3.6). There is no response to it.

use serde::{Deserialize, Serialize};

use super::{Operation, OperationHeader, Version, Versions, message, message_in, non_empty, pick};
use crate::encoding::dictionary;
use crate::error::Error;

dictionary!(DeregistrationRequest, DeregisterAuthenticator);

/// Tells a client to delete keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct DeregistrationRequest {
    /// Head with op `Dereg`.
    pub header: OperationHeader,
    /// Which keys.
    #[serde(deserialize_with = "non_empty")]
    pub authenticators: Vec<DeregisterAuthenticator>,
}

impl DeregistrationRequest {
    /// Reads a protocol message as a client does: the dictionary of version 1.1 in it.
    ///
    /// # Errors
    /// [`Error`]: what is wrong with the message.
    pub fn from_message(text: &str) -> Result<Self, Error> {
        Self::from_message_of(Version::V1_1, text)
    }

    /// The same of another version.
    ///
    /// # Errors
    /// [`Error`]: what is wrong with the message.
    pub fn from_message_of(version: Version, text: &str) -> Result<Self, Error> {
        pick(text, Operation::Dereg, version, |request: &Self| &request.header)
    }

    /// The protocol message: a JSON array with this one dictionary.
    #[must_use]
    pub fn to_message(&self) -> String {
        message(self)
    }

    /// The protocol message for clients of several versions: a dictionary for each.
    #[must_use]
    pub fn to_message_in(&self, versions: Versions) -> String {
        // Empty names are new in 1.1.
        let plain = self.authenticators.iter().all(|key| !key.aaid.is_empty() && !key.key_id.is_empty());
        let versions = if plain { versions } else { Versions::Only1_1 };
        message_in(self, versions, |request| &mut request.header)
    }
}

/// One key; with an empty key id all keys of the model; with both empty everything of the appID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct DeregisterAuthenticator {
    /// AAID or the empty string.
    pub aaid: String,
    /// Key id as base64url, or the empty string.
    #[serde(rename = "keyID")]
    pub key_id: String,
}
