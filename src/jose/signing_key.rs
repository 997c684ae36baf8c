//! The keys that SecTokens are signed with, and the JWK set that makes them known (`gateway.md` 3.3).

use jsonwebtoken::{Algorithm, Header};
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sidegate_filters::jws::{JwkDocument, JwkError, VerificationKey, base64url};
use zeroize::Zeroizing;

use super::CryptoError;
use super::provider::Handle;

/// A signing key that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// Not a P-256 private key in PEM.
    #[error("it is no P-256 private key in PEM (PKCS#8)")]
    Pem,
    /// The library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The public half was refused.
    #[error(transparent)]
    Jwk(#[from] JwkError),
}

impl From<openssl::error::ErrorStack> for SigningKeyError {
    fn from(stack: openssl::error::ErrorStack) -> Self {
        Self::Crypto(stack.into())
    }
}

/// An ES256 key, parsed once. Its `kid` is its RFC 7638 thumbprint.
pub struct SigningKey {
    key: PKey<Private>,
    handle: Handle,
    document: JwkDocument,
    kid: String,
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// If the library fails.
    pub fn generate() -> Result<Self, SigningKeyError> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        Self::of(PKey::from_ec_key(EcKey::generate(&group)?)?)
    }

    /// The key of a PEM file.
    ///
    /// # Errors
    /// If it is not a P-256 key.
    pub fn from_pem(pem: &[u8]) -> Result<Self, SigningKeyError> {
        let key = PKey::private_key_from_pem(pem).map_err(|_| SigningKeyError::Pem)?;
        let ec = key.ec_key().map_err(|_| SigningKeyError::Pem)?;
        if ec.group().curve_name() != Some(Nid::X9_62_PRIME256V1) || ec.check_key().is_err() {
            return Err(SigningKeyError::Pem);
        }
        Self::of(key)
    }

    fn of(key: PKey<Private>) -> Result<Self, SigningKeyError> {
        let document = JwkDocument::parse(&public_jwk(&key)?)?;
        let kid = document.thumbprint().to_string();
        Ok(Self { handle: Handle::of(key.clone())?, key, document, kid })
    }

    /// The key as PEM (PKCS#8), for a file with mode 0600.
    ///
    /// # Errors
    /// If the library fails.
    pub fn to_pem(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        Ok(Zeroizing::new(self.key.private_key_to_pem_pkcs8()?))
    }

    /// The key's name in headers and in the JWK set.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key as a member of a JWK set.
    #[must_use]
    pub fn public_jwk(&self) -> Map<String, Value> {
        let mut members = self.document.public_members();
        for (name, value) in [("kid", self.kid.as_str()), ("alg", "ES256"), ("use", "sig")] {
            members.insert(name.to_owned(), value.into());
        }
        members
    }

    /// The key that verifies what this one signs.
    ///
    /// # Errors
    /// If the library fails.
    pub fn verification_key(&self) -> Result<VerificationKey, JwkError> {
        self.document.clone().try_into()
    }

    /// Signs claims as a compact JWS with `typ` JWT and this key's `kid`.
    ///
    /// # Errors
    /// If the claims are no JSON object, or the library fails.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, CryptoError> {
        self.sign_as("JWT", claims)
    }

    /// The same with another `typ`, which stands first in the header.
    ///
    /// # Errors
    /// As [`SigningKey::sign`].
    pub fn sign_as(&self, typ: &str, claims: &impl Serialize) -> Result<String, CryptoError> {
        let own = Header::new(Algorithm::ES256);
        let header = Header { kid: Some(self.kid.clone()), typ: Some(typ.to_owned()), ..own };
        Ok(jsonwebtoken::encode(&header, claims, &self.handle.encoding_key())?)
    }

    #[cfg(test)]
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

/// The JWK set (RFC 7517, section 5) of these keys. While a key is being replaced it holds the old one and the new one,
/// so that tokens of both verify.
#[must_use]
pub fn jwks<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> Value {
    let keys: Vec<Value> = keys.into_iter().map(|key| Value::Object(key.public_jwk())).collect();
    json!({ "keys": keys })
}

fn public_jwk(key: &PKey<Private>) -> Result<Value, CryptoError> {
    let ec = key.ec_key()?;
    let (mut x, mut y, mut context) = (BigNum::new()?, BigNum::new()?, BigNumContext::new()?);
    ec.public_key().affine_coordinates(ec.group(), &mut x, &mut y, &mut context)?;
    let text = |number: BigNum| Ok::<_, CryptoError>(base64url::encode(number.to_vec_padded(32)?));
    Ok(json!({ "kty": "EC", "crv": "P-256", "x": text(x)?, "y": text(y)? }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use sidegate_filters::jws::{Algorithm as Strict, CompactJws};

    #[test]
    fn what_it_signs_verifies_with_its_public_key() {
        let key = SigningKey::generate().unwrap();
        for number in 0..50 {
            let token = key.sign(&json!({ "sub": "jeff", "n": number })).unwrap();
            let jws = CompactJws::parse(token.as_bytes(), 8192).unwrap().admit(&[Strict::Es256]).unwrap();
            assert_eq!((jws.header().kid(), jws.header().typ()), (Some(key.kid()), Some("JWT")));
            let payload = jws.verify(&key.verification_key().unwrap()).unwrap().into_payload();
            assert_eq!(serde_json::from_slice::<Value>(&payload).unwrap(), json!({ "sub": "jeff", "n": number }));
        }
    }

    #[test]
    fn it_survives_its_file() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(again.kid(), key.kid());
    }

    #[test]
    fn other_keys_are_refused() {
        let ec = |nid| PKey::from_ec_key(EcKey::generate(&EcGroup::from_curve_name(nid).unwrap()).unwrap()).unwrap();
        let public = SigningKey::generate().unwrap().key.public_key_to_pem().unwrap();
        let pems = [
            ec(Nid::SECP384R1).private_key_to_pem_pkcs8().unwrap(),
            ec(Nid::SECP256K1).private_key_to_pem_pkcs8().unwrap(),
            PKey::generate_ed25519().unwrap().private_key_to_pem_pkcs8().unwrap(),
            public,
            b"nothing".to_vec(),
        ];
        for pem in pems {
            assert!(matches!(SigningKey::from_pem(&pem), Err(SigningKeyError::Pem)));
        }
    }

    #[test]
    fn a_set_names_each_key_and_no_private_member() {
        let (old, new) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let set = jwks([&old, &new]);
        for (jwk, key) in set["keys"].as_array().unwrap().iter().zip([&old, &new]) {
            let names: BTreeSet<&str> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names, BTreeSet::from(["alg", "crv", "kid", "kty", "use", "x", "y"]));
            assert_eq!(jwk["kid"], key.kid());
            let verification = VerificationKey::try_from(JwkDocument::parse(jwk).unwrap()).unwrap();
            assert_eq!(verification.thumbprint(), key.verification_key().unwrap().thumbprint());
        }
    }

    #[test]
    fn it_is_never_printed() {
        let key = SigningKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.kid()));
    }
}
