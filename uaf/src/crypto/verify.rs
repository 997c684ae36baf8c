//! Public keys of registered authenticators, and the signatures made with them.

use openssl::ec::EcKey;
use openssl::pkey::{PKey, Public};

use super::{elliptic, rsa, sha256};
use crate::algorithm::{Algorithm, KeyFormat};

/// What is wrong with a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The format is none that this server does.
    #[error("unsupported key format")]
    UnsupportedFormat,
    /// A key of this format cannot belong to the algorithm.
    #[error("key format does not fit the algorithm")]
    FormatForAlgorithm,
    /// The bytes are not a key of the format.
    #[error("key encoding")]
    Encoding,
    /// The key is on another curve than the algorithm's.
    #[error("curve of another algorithm")]
    Curve,
    /// The point is not on the curve.
    #[error("point is not on the curve")]
    Point,
    /// The modulus has not 2048 bits or is even.
    #[error("RSA modulus")]
    Modulus,
    /// The exponent is even, 1, or longer than 64 bits.
    #[error("RSA exponent")]
    Exponent,
}

/// A public key that was found good for one algorithm.
#[derive(Clone)]
pub struct VerificationKey {
    algorithm: Algorithm,
    key: Key,
}

#[derive(Clone)]
enum Key {
    Elliptic(EcKey<Public>),
    Rsa(PKey<Public>),
}

impl VerificationKey {
    /// Reads a key as it stands in a PUB_KEY element.
    ///
    /// # Errors
    /// [`KeyError`]: what is wrong with it.
    pub fn parse(algorithm: Algorithm, format: KeyFormat, bytes: &[u8]) -> Result<Self, KeyError> {
        if !format.fits(algorithm) {
            return Err(KeyError::FormatForAlgorithm);
        }
        let key = match format {
            KeyFormat::EcRaw => Key::Elliptic(elliptic::from_point(algorithm, bytes)?),
            KeyFormat::EcDer => Key::Elliptic(elliptic::from_der(algorithm, bytes)?),
            KeyFormat::RsaRaw => Key::Rsa(rsa::from_raw(bytes)?),
            KeyFormat::RsaDer => Key::Rsa(rsa::from_der(bytes)?),
        };
        Ok(Self { algorithm, key })
    }

    /// Whether `signature` is this key's over `signed`, in the encoding of the algorithm and no other.
    #[must_use]
    pub fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        match &self.key {
            Key::Elliptic(key) => elliptic::verifies(key, self.algorithm, &sha256(signed), signature),
            Key::Rsa(key) => rsa::verifies(key, self.algorithm, signed, signature),
        }
    }
}

#[cfg(test)]
mod tests;
