//! The software phone's signature key: what signs its modify requests (`http-api.md` 1.1).

use josekit::jws::{ES256, ES384, ES512, EdDSA, JwsHeader, JwsSigner, RS256};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use sidegate_filters::jws::{EcCurve, JwkError, KeyKind, Purpose};

use super::CryptoError;
use super::private_jwk::{PrivateJwk, PrivateJwkError};

/// A private key that signs messages: RS256, ES256, ES384, ES512 or EdDSA, by its kind. Serialising it
/// writes the private JWK.
pub struct MessageSigningKey {
    key: PrivateJwk,
    signer: Box<dyn JwsSigner>,
}

impl MessageSigningKey {
    /// A new key: RSA (2048 bits), a NIST curve, or Ed25519.
    ///
    /// # Errors
    /// For X25519, or if the library fails.
    pub fn generate(kind: KeyKind) -> Result<Self, PrivateJwkError> {
        Self::of(PrivateJwk::generate(kind, Purpose::Signature)?)
    }

    fn of(key: PrivateJwk) -> Result<Self, PrivateJwkError> {
        let signer: Box<dyn JwsSigner> = match key.kind() {
            KeyKind::Rsa => Box::new(RS256.signer_from_jwk(key.jwk())?),
            KeyKind::Ec(EcCurve::P256) => Box::new(ES256.signer_from_jwk(key.jwk())?),
            KeyKind::Ec(EcCurve::P384) => Box::new(ES384.signer_from_jwk(key.jwk())?),
            KeyKind::Ec(EcCurve::P521) => Box::new(ES512.signer_from_jwk(key.jwk())?),
            KeyKind::Ed25519 => Box::new(EdDSA.signer_from_jwk(key.jwk())?),
            KeyKind::X25519 => return Err(JwkError::Kind(Purpose::Signature).into()),
        };
        Ok(Self { key, signer })
    }

    /// The public JWK, as a dispatch target takes it: with `kid` (the thumbprint) and `use`.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        self.key.public_jwk()
    }

    /// Signs a payload as a compact JWS with the key's `kid`.
    ///
    /// # Errors
    /// If the library fails.
    pub fn sign(&self, payload: &[u8]) -> Result<String, CryptoError> {
        Ok(josekit::jws::serialize_compact(payload, &JwsHeader::new(), self.signer.as_ref())?)
    }
}

impl Serialize for MessageSigningKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.key.jwk().as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MessageSigningKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = PrivateJwk::from_members(Map::deserialize(deserializer)?, Purpose::Signature);
        key.and_then(Self::of).map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Debug for MessageSigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MessageSigningKey({})", self.key.kid())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use sidegate_filters::jws::{Algorithm, CompactJws, JwkDocument, VerificationKey};

    use super::*;

    #[rstest]
    #[case(KeyKind::Rsa, Algorithm::Rs256)]
    #[case(KeyKind::Ec(EcCurve::P256), Algorithm::Es256)]
    #[case(KeyKind::Ec(EcCurve::P384), Algorithm::Es384)]
    #[case(KeyKind::Ec(EcCurve::P521), Algorithm::Es512)]
    #[case(KeyKind::Ed25519, Algorithm::EdDsa)]
    fn what_it_signs_verifies_with_its_public_jwk(#[case] kind: KeyKind, #[case] algorithm: Algorithm) {
        let made = MessageSigningKey::generate(kind).unwrap();
        let kept = serde_json::to_string(&made).unwrap();
        let key: MessageSigningKey = serde_json::from_str(&kept).unwrap();
        assert_eq!(made.public_jwk(), key.public_jwk());
        let document = JwkDocument::parse(&key.public_jwk()).unwrap();
        let verification = VerificationKey::try_from(document).unwrap();
        for payload in [&b"{}"[..], &[b'x'; 3000]] {
            let compact = key.sign(payload).unwrap();
            let jws = CompactJws::parse(compact.as_bytes(), 8192).unwrap().admit(&[algorithm]).unwrap();
            assert_eq!(jws.header().kid(), verification.kid());
            assert_eq!(jws.verify(&verification).unwrap().payload(), payload);
        }
    }

    #[test]
    fn keys_for_encryption_do_not_sign() {
        assert!(MessageSigningKey::generate(KeyKind::X25519).is_err());
        let key = MessageSigningKey::generate(KeyKind::Ed25519).unwrap();
        let public = serde_json::from_value::<MessageSigningKey>(key.public_jwk());
        assert!(public.is_err(), "a public key signs nothing");
        assert!(!format!("{key:?}").contains("\"d\""));
    }
}
