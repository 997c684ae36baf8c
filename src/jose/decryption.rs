//! The software phone's encryption key: what it keeps of a dispatch target to read messages with, strictly.

use josekit::jwe::{ECDH_ES, ECDH_ES_A128KW, ECDH_ES_A256KW, JweContext, JweDecrypter, RSA_OAEP, RSA_OAEP_256};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use sidegate_filters::jws::{JwkDocument, KeyKind, Purpose, base64url, json};
use zeroize::Zeroizing;

use super::encryption::CONTENT;
use super::private_jwk::{PrivateJwk, PrivateJwkError};

/// The longest message that is looked at, in bytes.
const LIMIT: usize = 64 * 1024;

/// Why a message is not decrypted. Which key, tag or padding was wrong is not told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// Not five parts of canonical base64url with a strict JSON header, or too long.
    #[error("the JWE is malformed")]
    Malformed,
    /// `alg` does not fit the key, `enc` is not A256GCM, or `kid` names another key.
    #[error("the JWE is not for this key")]
    NotForThisKey,
    /// A header member that is never accepted (`zip`, `crit`).
    #[error("the header of the JWE has a member that is not accepted")]
    RefusedMember,
    /// The ephemeral key is none of this curve.
    #[error("the ephemeral key of the JWE is not acceptable")]
    EphemeralKey,
    /// It does not decrypt.
    #[error("the JWE does not decrypt")]
    Failed,
}

/// A private key that dispatches are encrypted for. Serialising it writes the private JWK.
pub struct DecryptionKey {
    key: PrivateJwk,
    decrypters: Vec<Box<dyn JweDecrypter>>,
}

impl DecryptionKey {
    /// A new key: RSA (2048 bits), a NIST curve, or X25519.
    ///
    /// # Errors
    /// For Ed25519, or if the library fails.
    pub fn generate(kind: KeyKind) -> Result<Self, PrivateJwkError> {
        Self::of(PrivateJwk::generate(kind, Purpose::Encryption)?)
    }

    fn of(key: PrivateJwk) -> Result<Self, PrivateJwkError> {
        let mut decrypters: Vec<Box<dyn JweDecrypter>> = Vec::new();
        if key.kind() == KeyKind::Rsa {
            for algorithm in [RSA_OAEP_256, RSA_OAEP] {
                let mut decrypter = algorithm.decrypter_from_jwk(key.jwk())?;
                decrypter.remove_key_id();
                decrypters.push(Box::new(decrypter));
            }
        } else {
            for algorithm in [ECDH_ES_A256KW, ECDH_ES_A128KW, ECDH_ES] {
                let mut decrypter = algorithm.decrypter_from_jwk(key.jwk())?;
                decrypter.remove_key_id();
                decrypters.push(Box::new(decrypter));
            }
        }
        Ok(Self { key, decrypters })
    }

    /// The public JWK, as a dispatch target takes it: with `kid` (the thumbprint) and `use`.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        self.key.public_jwk()
    }

    /// Decrypts a compact JWE.
    ///
    /// # Errors
    /// Why it does not.
    pub fn decrypt(&self, compact: &str) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
        let header = header(compact)?;
        let decrypter = self.admit(&header)?;
        let mut context = JweContext::new();
        context.remove_compression("DEF");
        let plain = context.deserialize_compact(compact, decrypter).map_err(|_| DecryptError::Failed)?;
        Ok(Zeroizing::new(plain.0))
    }

    fn admit(&self, header: &Map<String, Value>) -> Result<&dyn JweDecrypter, DecryptError> {
        if header.contains_key("zip") || header.contains_key("crit") {
            return Err(DecryptError::RefusedMember);
        }
        let text = |name| header.get(name).and_then(Value::as_str);
        let named = self.decrypters.iter().find(|decrypter| text("alg") == Some(decrypter.algorithm().name()));
        let decrypter = named.ok_or(DecryptError::NotForThisKey)?;
        let kid_fits = header.get("kid").is_none_or(|kid| kid.as_str() == Some(self.key.kid().as_str()));
        if text("enc") != Some(CONTENT) || !kid_fits {
            return Err(DecryptError::NotForThisKey);
        }
        if self.key.kind() != KeyKind::Rsa {
            self.check_ephemeral(header)?;
        }
        Ok(decrypter.as_ref())
    }

    /// A point off the curve would give the private key away, piece by piece.
    fn check_ephemeral(&self, header: &Map<String, Value>) -> Result<(), DecryptError> {
        let point = header.get("epk").and_then(|epk| JwkDocument::parse(epk).ok());
        let point = point.filter(|point| point.kind() == self.key.kind() && point.public_key().is_ok());
        point.map(|_| ()).ok_or(DecryptError::EphemeralKey)
    }
}

impl Serialize for DecryptionKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.key.jwk().as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DecryptionKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = PrivateJwk::from_members(Map::deserialize(deserializer)?, Purpose::Encryption);
        key.and_then(Self::of).map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DecryptionKey({})", self.key.kid())
    }
}

/// The header of a well-formed message. Lengths are checked here, since a GCM tag of a few bytes could be guessed.
fn header(compact: &str) -> Result<Map<String, Value>, DecryptError> {
    let parts: Vec<Vec<u8>> = compact
        .split('.')
        .take(6)
        .map(|part| base64url::decode(part).map_err(|_| DecryptError::Malformed))
        .collect::<Result<_, _>>()?;
    let [header, _key, iv, _text, tag] = parts.as_slice() else { return Err(DecryptError::Malformed) };
    if compact.len() > LIMIT || iv.len() != 12 || tag.len() != 16 {
        return Err(DecryptError::Malformed);
    }
    json::object(header).map_err(|_| DecryptError::Malformed)
}

#[cfg(test)]
mod tests;
