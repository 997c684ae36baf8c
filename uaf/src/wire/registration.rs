//! `RegistrationRequest` (UAF protocol 1.1, section 3.4.1).

use serde::{Deserialize, Serialize};

use super::{Challenge, OperationHeader, Policy, Username, message};

/// Asks a client to make a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The protocol message: a JSON array with this one dictionary.
    #[must_use]
    pub fn to_message(&self) -> String {
        message(self)
    }
}
