//! `AuthenticationRequest` and `Transaction` (UAF protocol 1.1, sections 3.5.1 and 3.5.2).

use serde::{Deserialize, Serialize};

use super::{
    Challenge, Operation, OperationHeader, PngCharacteristics, Policy, Request, Version, message, non_empty, pick,
};
use crate::encoding::Octets;
use crate::encoding::dictionary;
use crate::error::Error;

dictionary!(AuthenticationRequest, Transaction);

/// Asks a client to prove possession of a registered key. It names no user: the policy may name keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct AuthenticationRequest {
    /// Head with op `Auth`.
    pub header: OperationHeader,
    /// The server's nonce.
    pub challenge: Challenge,
    /// The same content in several renderings, or nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "non_empty")]
    pub transaction: Vec<Transaction>,
    /// Which authenticators may answer.
    pub policy: Policy,
}

impl AuthenticationRequest {
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
        pick(text, Operation::Auth, version, |request: &Self| &request.header)
    }

    /// A protocol message with this one dictionary; a server writes [`super::Outgoing::to_message`].
    #[must_use]
    pub fn to_message(&self) -> String {
        message(self)
    }
}

impl Request for AuthenticationRequest {
    fn header_mut(&mut self) -> &mut OperationHeader {
        &mut self.header
    }
}

/// One rendering of what the user has to confirm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// Media type of the content.
    pub content_type: ContentType,
    /// Text of at most 200 ASCII characters, or a PNG.
    pub content: Octets<1, 65_536>,
    /// Needed with a PNG.
    #[serde(rename = "tcDisplayPNGCharacteristics", default, skip_serializing_if = "Option::is_none")]
    pub png_characteristics: Option<PngCharacteristics>,
}

/// What a transaction can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContentType {
    /// ASCII text.
    #[serde(rename = "text/plain")]
    Text,
    /// A picture.
    #[serde(rename = "image/png")]
    Png,
}
