//! An answer without assertions: the user or the device said no. The protocol does not foresee
//! it; clients send it with the code of the ASM or of the client in the context.

use serde::{Deserialize, Serialize};

use crate::error::StatusCode;

/// A denial, made only from a response whose serverData, challenge, facet and channel were checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// Why the authenticator did not answer (`UAF_ASM_STATUS_*`).
    pub asm_status_code: Option<u16>,
    /// Why the client did not answer (`ErrorCode` of the client API).
    pub client_error_code: Option<u16>,
}

impl Denial {
    /// What the client is told.
    pub const STATUS: StatusCode = StatusCode::UNACCEPTABLE_CONTENT;
}
