//! The name of a key that follows from the key itself (RFC 7638).

use std::fmt;

use openssl::sha::sha256;

use crate::jws::base64url;

/// SHA-256 over the required members of a JWK; displayed as base64url.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// Of members in the order of their names, whose values need no escaping in JSON.
    pub(super) fn of(required: &[(&'static str, String)]) -> Self {
        let members: Vec<String> = required.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        Self(sha256(format!("{{{}}}", members.join(",")).as_bytes()))
    }

    /// The 32 bytes of the hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&base64url::encode(self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Thumbprint({self})")
    }
}
