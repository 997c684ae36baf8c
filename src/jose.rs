//! Cryptography of the services: JWE, signing, keyed hashes, random numbers. With the gateway's TLS the only
//! place in this crate that names `openssl`, `josekit` and `jsonwebtoken`.
//!
//! Whatever comes from outside is read by the strict parsers of [`sidegate_filters::jws`], which also verify every
//! signature.

pub mod certificates;
pub mod client_certificate;
pub mod decryption;
mod encryption;
pub mod mac;
mod message_signing;
mod private_jwk;
mod provider;
pub mod sample;
pub mod server_certificate;
pub mod signing_key;
mod upstream_tls;

pub use decryption::{DecryptError, DecryptionKey};
pub use encryption::EncryptionKey;
pub use mac::MacKey;
pub use message_signing::MessageSigningKey;
pub use private_jwk::PrivateJwkError;
pub use signing_key::{SigningKey, SigningKeyError, jwks};
pub use upstream_tls::UpstreamTls;

/// The cryptographic library failed: our own fault, or the machine's.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cryptography failed: {0}")]
pub struct CryptoError(String);

impl From<openssl::error::ErrorStack> for CryptoError {
    fn from(stack: openssl::error::ErrorStack) -> Self {
        Self(stack.to_string())
    }
}

impl From<josekit::JoseError> for CryptoError {
    fn from(error: josekit::JoseError) -> Self {
        Self(error.to_string())
    }
}

impl From<jsonwebtoken::errors::Error> for CryptoError {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        Self(error.to_string())
    }
}

/// Random bytes from the operating system's seeded generator.
///
/// # Errors
/// If the generator has no entropy.
pub fn random<const N: usize>() -> Result<[u8; N], CryptoError> {
    let mut bytes = [0; N];
    openssl::rand::rand_bytes(&mut bytes)?;
    Ok(bytes)
}

/// Bytes in hexadecimal digits, as `sha256sum` writes them.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-1: what a WebSocket's handshake is answered with (RFC 6455 4.2.2). Good for nothing that has to be secure.
#[must_use]
pub fn sha1(data: &[u8]) -> [u8; 20] {
    openssl::sha::sha1(data)
}

/// SHA-256.
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    openssl::sha::sha256(data)
}
