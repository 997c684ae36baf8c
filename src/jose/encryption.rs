//! Encrypting to a phone: compact JWE for the key of its dispatch target (`http-api.md` 10).

use josekit::jwe::{self, ECDH_ES, ECDH_ES_A128KW, ECDH_ES_A256KW, JweEncrypter, JweHeader, RSA_OAEP, RSA_OAEP_256};
use josekit::jwk::Jwk;
use serde_json::Value;
use sidegate_filters::jws::{JwkDocument, JwkError, KeyKind, Purpose};

use super::CryptoError;

/// The one content encryption.
pub(super) const CONTENT: &str = "A256GCM";

/// A phone's public encryption key, ready to use. Importing costs five times an encryption: make one and keep it.
pub struct EncryptionKey {
    encrypter: Box<dyn JweEncrypter>,
    kid: Option<String>,
}

impl std::fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EncryptionKey").field("alg", &self.encrypter.algorithm().name()).finish_non_exhaustive()
    }
}

impl TryFrom<JwkDocument> for EncryptionKey {
    type Error = JwkError;

    /// Imports a JWK as an encryption key: kind, `use`, `key_ops`, size and point are checked. `alg` may choose among
    /// RSA-OAEP-256 (default) and RSA-OAEP, or ECDH-ES+A256KW (default), ECDH-ES and ECDH-ES+A128KW; every other is
    /// refused.
    fn try_from(document: JwkDocument) -> Result<Self, JwkError> {
        document.require(Purpose::Encryption)?;
        document.public_key()?;
        let encrypter = encrypter(&document)?;
        Ok(Self { encrypter, kid: document.kid().map(str::to_owned) })
    }
}

fn encrypter(document: &JwkDocument) -> Result<Box<dyn JweEncrypter>, JwkError> {
    let algorithm = algorithm(document).ok_or(JwkError::Algorithm)?;
    let mut members = document.public_members();
    members.insert("alg".to_owned(), Value::from(algorithm));
    let jwk = Jwk::from_map(members).map_err(|_| JwkError::Form)?;
    let made: Result<Box<dyn JweEncrypter>, _> = match algorithm {
        "RSA-OAEP-256" => RSA_OAEP_256.encrypter_from_jwk(&jwk).map(|key| Box::new(key) as _),
        "RSA-OAEP" => RSA_OAEP.encrypter_from_jwk(&jwk).map(|key| Box::new(key) as _),
        "ECDH-ES" => ECDH_ES.encrypter_from_jwk(&jwk).map(|key| Box::new(key) as _),
        "ECDH-ES+A128KW" => ECDH_ES_A128KW.encrypter_from_jwk(&jwk).map(|key| Box::new(key) as _),
        _ => ECDH_ES_A256KW.encrypter_from_jwk(&jwk).map(|key| Box::new(key) as _),
    };
    made.map_err(|_| JwkError::Algorithm)
}

/// The algorithm for the key: the JWK's own if it is an accepted one for its kind.
fn algorithm(document: &JwkDocument) -> Option<&'static str> {
    let accepted: &[&str] = match document.kind() {
        KeyKind::Rsa => &["RSA-OAEP-256", "RSA-OAEP"],
        KeyKind::Ec(_) | KeyKind::X25519 => &["ECDH-ES+A256KW", "ECDH-ES", "ECDH-ES+A128KW"],
        KeyKind::Ed25519 => &[],
    };
    match document.alg() {
        None => accepted.first().copied(),
        Some(wanted) => accepted.iter().find(|name| **name == wanted).copied(),
    }
}

impl EncryptionKey {
    /// A compact JWE of these bytes; `kid` is the JWK's.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn encrypt(&self, plain: &[u8]) -> Result<String, CryptoError> {
        let mut header = JweHeader::new();
        header.set_content_encryption(CONTENT);
        if let Some(kid) = &self.kid {
            header.set_key_id(kid);
        }
        Ok(jwe::serialize_compact(plain, &header, self.encrypter.as_ref())?)
    }
}

#[cfg(test)]
mod tests;
