//! Public keys as clients write them (RFC 7517), checked before anything is done with them.

mod material;
mod members;
#[cfg(test)]
mod tests;
mod thumbprint;

use openssl::pkey::{PKey, Public};
use serde_json::{Map, Value};

use self::material::Material;
use super::json::{self, JsonError};

pub use self::material::EcCurve;
pub use self::thumbprint::Thumbprint;

/// Why a JWK is refused (`http-api.md` 1: a 422 with this text, but 400 for [`Self::Form`]). Nothing of the key is echoed.
#[derive(Debug, thiserror::Error)]
pub enum JwkError {
    /// Neither an object nor a string.
    #[error("a JWK must be an object, or a string that holds one")]
    Form,
    /// The string does not hold a strict JSON object.
    #[error("the string that should hold a JWK is {0}")]
    Json(#[from] JsonError),
    /// A member that belongs to a private or secret key.
    #[error("the JWK holds {0}, which belongs to a private key: send the public key only, and replace this one")]
    Private(&'static str),
    /// A mandatory member is not there.
    #[error("the JWK lacks {0}")]
    Missing(&'static str),
    /// A member has the wrong type.
    #[error("{0} of the JWK has the wrong type")]
    Type(&'static str),
    /// A number that is not canonical base64url, or not of the length that RFC 7518 wants.
    #[error("{0} of the JWK is not canonical base64url of the right length")]
    Encoding(&'static str),
    /// `kty` is another one.
    #[error("kty of the JWK must be RSA, EC or OKP")]
    KeyType,
    /// `crv` is another one, or belongs to another `kty`.
    #[error("crv of the JWK must be P-256, P-384 or P-521 (EC), Ed25519 or X25519 (OKP)")]
    Curve,
    /// The RSA modulus is too short or too long.
    #[error("the RSA key must have 2048 to 8192 bits")]
    RsaSize,
    /// The RSA modulus is even.
    #[error("n of the RSA key is no product of two primes")]
    RsaModulus,
    /// The RSA exponent is even, below 3 or over 64 bits.
    #[error("e of the RSA key must be odd, at least 3 and at most 64 bits long")]
    RsaExponent,
    /// The point is not on the curve, or of small order.
    #[error("the point of the JWK is not one of the curve's, or a weak one")]
    Point,
    /// This kind of key cannot do that.
    #[error("a key of this kind cannot be used for {0}")]
    Kind(Purpose),
    /// `use` says that the key is for something else.
    #[error("use of the JWK does not fit: the key is wanted for {0}")]
    Use(Purpose),
    /// `key_ops` has none of the operations needed, or names one twice.
    #[error("key_ops of the JWK does not fit: the key is wanted for {0}")]
    KeyOps(Purpose),
    /// `alg` is unknown or belongs to another kind of key or another use.
    #[error("alg of the JWK is not an accepted one for this key")]
    Algorithm,
    /// OpenSSL could not do its work.
    #[error("the key could not be imported")]
    Internal(#[from] openssl::error::ErrorStack),
}

/// What a key is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Verifying signatures.
    Signature,
    /// Encrypting to its owner.
    Encryption,
}

impl std::fmt::Display for Purpose {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Signature => "signatures",
            Self::Encryption => "encryption",
        })
    }
}

/// The kinds of key that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA, for both purposes.
    Rsa,
    /// A NIST curve, for both purposes.
    Ec(EcCurve),
    /// Ed25519: signatures only.
    Ed25519,
    /// X25519: encryption only.
    X25519,
}

/// A JWK whose members are well-formed and public. What it is good for is not decided yet: [`JwkDocument::require`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwkDocument {
    material: Material,
    alg: Option<String>,
    kid: Option<String>,
    key_use: Option<String>,
    key_ops: Option<Vec<String>>,
}

impl JwkDocument {
    /// Reads a JWK given as an object or as a string holding one. An object must come from a strict parser
    /// ([`json::object`]), since a duplicate member cannot be seen here any more.
    ///
    /// # Errors
    /// When it is malformed, of an unknown kind, or holds a private member.
    pub fn parse(value: &Value) -> Result<Self, JwkError> {
        match value {
            Value::Object(members) => Self::from_members(members),
            Value::String(text) => Self::from_members(&json::object(text.as_bytes())?),
            _ => Err(JwkError::Form),
        }
    }

    fn from_members(members: &Map<String, Value>) -> Result<Self, JwkError> {
        if let Some(private) = members::PRIVATE.into_iter().find(|name| members.contains_key(*name)) {
            return Err(JwkError::Private(private));
        }
        Ok(Self {
            material: Material::from_members(members)?,
            alg: members::optional_text(members, "alg")?,
            kid: members::optional_text(members, "kid")?,
            key_use: members::optional_text(members, "use")?,
            key_ops: members::optional_texts(members, "key_ops")?,
        })
    }

    /// What kind of key it is.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.material.kind()
    }

    /// `alg`, unchecked: it belongs to the purpose.
    #[must_use]
    pub fn alg(&self) -> Option<&str> {
        self.alg.as_deref()
    }

    /// `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Checks that kind, `use` and `key_ops` fit the purpose.
    ///
    /// # Errors
    /// Which of them does not.
    pub fn require(&self, purpose: Purpose) -> Result<(), JwkError> {
        let (unfit, name) = match purpose {
            Purpose::Signature => (KeyKind::X25519, "sig"),
            Purpose::Encryption => (KeyKind::Ed25519, "enc"),
        };
        if self.kind() == unfit {
            return Err(JwkError::Kind(purpose));
        }
        if self.key_use.as_deref().is_some_and(|found| found != name) {
            return Err(JwkError::Use(purpose));
        }
        match &self.key_ops {
            Some(operations) if !members::operations_fit(operations, self.kind(), purpose) => {
                Err(JwkError::KeyOps(purpose))
            }
            _ => Ok(()),
        }
    }

    /// The key for OpenSSL: RSA of 2048 to 8192 bits with an odd exponent, a point on its curve, no weak point.
    ///
    /// # Errors
    /// When the numbers are no such key.
    pub fn public_key(&self) -> Result<PKey<Public>, JwkError> {
        self.material.import()
    }

    /// The public members in canonical form, with `alg` and `kid` where there: for another JOSE library.
    #[must_use]
    pub fn public_members(&self) -> Map<String, Value> {
        let mut members: Map<String, Value> =
            self.material.required().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        for (name, value) in [("alg", &self.alg), ("kid", &self.kid)] {
            if let Some(value) = value {
                members.insert(name.to_owned(), value.clone().into());
            }
        }
        members
    }

    /// The SHA-256 thumbprint (RFC 7638): the same for every way to write this key.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        Thumbprint::of(&self.material.required())
    }
}
