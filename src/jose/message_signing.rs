//! The software phone's signature key: what signs its modify requests (`http-api.md` 1.1).

use josekit::jwk::Jwk;
use josekit::jwk::alg::ec::EcCurve;
use josekit::jws::{self, ES256, JwsHeader};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::CryptoError;

/// A private P-256 key for ES256. Serialising it writes the private JWK.
pub struct MessageSigningKey(Jwk);

impl MessageSigningKey {
    /// A new one.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn generate() -> Result<Self, CryptoError> {
        let mut jwk = Jwk::generate_ec_key(EcCurve::P256)?;
        jwk.set_algorithm("ES256");
        jwk.set_key_use("sig");
        Ok(Self(jwk))
    }

    /// The public part, to be registered.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn public_jwk(&self) -> Result<Value, CryptoError> {
        Ok(Value::Object(self.0.to_public_key()?.into()))
    }

    /// A compact JWS of these bytes.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn sign(&self, payload: &[u8]) -> Result<String, CryptoError> {
        let signer = ES256.signer_from_jwk(&self.0)?;
        Ok(jws::serialize_compact(payload, &JwsHeader::new(), &signer)?)
    }
}

impl Serialize for MessageSigningKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MessageSigningKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = serde_json::Map::deserialize(deserializer)?;
        Jwk::from_map(members).map(Self).map_err(serde::de::Error::custom)
    }
}
