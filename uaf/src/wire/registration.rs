//! `RegistrationRequest` (UAF protocol 1.1, section 3.4.1).

use serde::{Deserialize, Serialize};

use super::{Challenge, Operation, OperationHeader, Policy, Request, Username, Version, message, pick};
use crate::encoding::dictionary;
use crate::error::Error;

dictionary!(RegistrationRequest);

/// Asks a client to make a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct RegistrationRequest {
    /// Head with op `Reg`.
    pub header: OperationHeader,
    /// The server's nonce.
    pub challenge: Challenge,
    /// Name to show beside the key.
    pub username: Username,
    /// Which authenticators may answer.
    pub policy: Policy,
}

impl RegistrationRequest {
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
        pick(text, Operation::Reg, version, |request: &Self| &request.header)
    }

    /// A protocol message with this one dictionary; a server writes [`super::Outgoing::to_message`].
    #[must_use]
    pub fn to_message(&self) -> String {
        message(self)
    }
}

impl Request for RegistrationRequest {
    fn header_mut(&mut self) -> &mut OperationHeader {
        &mut self.header
    }
}
