//! How an operation ends.

use serde::{Deserialize, Serialize};

use crate::store::ExtId;

/// A credential that took part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authenticator {
    /// The model.
    pub aaid: String,
    /// The key id, base64url.
    pub key_id: String,
    /// Our name for the credential.
    pub ext_id: String,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// A good answer (`uafStatusCode` 1200), or a deregistration handed out.
    Succeeded {
        /// Who answered; fills in the user of a user-less operation.
        user: Option<ExtId>,
        /// With which credentials.
        authenticators: Vec<Authenticator>,
    },
    /// A refused answer, a denial, a cancel.
    Failed {
        /// The UAF status code.
        code: u16,
        /// The ASM's code of a denial.
        asm_status_code: Option<i64>,
        /// The UAF client's code of a denial.
        client_error_code: Option<i64>,
    },
}
