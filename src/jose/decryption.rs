//! The software phone's encryption key: what it keeps of a dispatch target to read messages with.

use josekit::jwe::{ECDH_ES_A256KW, JweContext};
use josekit::jwk::Jwk;
use josekit::jwk::alg::ec::EcCurve;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{CryptoError, encryption::CONTENT};

/// A private P-256 key for ECDH-ES+A256KW. Serialising it writes the private JWK.
pub struct DecryptionKey(Jwk);

impl DecryptionKey {
    /// A new one.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn generate() -> Result<Self, CryptoError> {
        let mut jwk = Jwk::generate_ec_key(EcCurve::P256)?;
        jwk.set_algorithm("ECDH-ES+A256KW");
        jwk.set_key_use("enc");
        Ok(Self(jwk))
    }

    /// The public part, to be registered.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn public_jwk(&self) -> Result<Value, CryptoError> {
        Ok(Value::Object(self.0.to_public_key()?.into()))
    }

    /// The plain text of a compact JWE for this key.
    ///
    /// # Errors
    /// If it is for another key, was changed, or uses other algorithms than ours.
    pub fn decrypt(&self, jwe: &str) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let decrypter = ECDH_ES_A256KW.decrypter_from_jwk(&self.0)?;
        let (plain, header) = JweContext::new().deserialize_compact(jwe, &decrypter)?;
        let plain = Zeroizing::new(plain);
        match (header.content_encryption(), header.compression()) {
            (Some(CONTENT), None) => Ok(plain),
            _ => Err(CryptoError("the JWE uses another content encryption, or compression".to_owned())),
        }
    }
}

impl Serialize for DecryptionKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DecryptionKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = serde_json::Map::deserialize(deserializer)?;
        Jwk::from_map(members).map(Self).map_err(serde::de::Error::custom)
    }
}
