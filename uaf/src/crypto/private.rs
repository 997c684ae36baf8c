//! Private keys of the software authenticator. Random numbers for keys and signatures are OpenSSL's own.

use std::fmt;

use openssl::bn::BigNumContext;
use openssl::ec::{EcGroup, EcKey, PointConversionForm};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use zeroize::Zeroizing;

use super::{elliptic, rsa, sha256};
use crate::algorithm::{Algorithm, KeyFormat};

/// A private key could not be made, read or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("private key cannot be made, read or used for this algorithm")]
pub struct PrivateKeyError;

impl From<ErrorStack> for PrivateKeyError {
    fn from(_: ErrorStack) -> Self {
        Self
    }
}

/// A private key for one algorithm.
#[derive(Clone)]
pub struct PrivateKey {
    algorithm: Algorithm,
    key: PKey<Private>,
}

impl PrivateKey {
    /// Makes a key.
    ///
    /// # Errors
    /// [`PrivateKeyError`] if OpenSSL fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, PrivateKeyError> {
        let key = if algorithm.is_elliptic() {
            let group = EcGroup::from_curve_name(elliptic::nid(algorithm))?;
            PKey::from_ec_key(EcKey::generate(&group)?)?
        } else {
            PKey::from_rsa(Rsa::generate(2048)?)?
        };
        Ok(Self { algorithm, key })
    }

    /// Reads a PKCS#8 key of the kind that `algorithm` needs.
    ///
    /// # Errors
    /// [`PrivateKeyError`].
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, PrivateKeyError> {
        let key = PKey::private_key_from_pkcs8(der)?;
        let fits = match key.id() {
            Id::EC => algorithm.is_elliptic() && curve(&key)? == Some(elliptic::nid(algorithm)),
            Id::RSA => !algorithm.is_elliptic() && key.rsa()?.size() as usize == rsa::SIZE,
            _ => false,
        };
        if fits { Ok(Self { algorithm, key }) } else { Err(PrivateKeyError) }
    }

    /// The PKCS#8 form, wiped when dropped.
    ///
    /// # Errors
    /// [`PrivateKeyError`] if OpenSSL fails.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
        Ok(Zeroizing::new(self.key.private_key_to_pkcs8()?))
    }

    #[cfg(feature = "authenticator")]
    pub(super) fn key(&self) -> &PKey<Private> {
        &self.key
    }

    /// The algorithm it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key as a PUB_KEY element holds it.
    ///
    /// # Errors
    /// [`PrivateKeyError`] if the format is none of this kind of key.
    pub fn public_key(&self, format: KeyFormat) -> Result<Vec<u8>, PrivateKeyError> {
        Ok(match format {
            KeyFormat::EcRaw => {
                let key = self.key.ec_key()?;
                let mut context = BigNumContext::new()?;
                key.public_key().to_bytes(key.group(), PointConversionForm::UNCOMPRESSED, &mut context)?
            }
            KeyFormat::EcDer => self.key.ec_key()?.public_key_to_der()?,
            KeyFormat::RsaRaw => {
                let key = self.key.rsa()?;
                let mut bytes = key.n().to_vec();
                bytes.extend(key.e().to_vec());
                bytes
            }
            KeyFormat::RsaDer => self.key.rsa()?.public_key_to_der_pkcs1()?,
        })
    }

    /// Signs in the encoding of the algorithm.
    ///
    /// # Errors
    /// [`PrivateKeyError`] if OpenSSL fails.
    pub fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, PrivateKeyError> {
        if self.algorithm.is_elliptic() { self.sign_elliptic(bytes) } else { self.sign_rsa(bytes) }
    }

    fn sign_elliptic(&self, bytes: &[u8]) -> Result<Vec<u8>, PrivateKeyError> {
        let key = self.key.ec_key()?;
        let signature = EcdsaSig::sign(&sha256(bytes), &key)?;
        if self.algorithm.is_der() {
            return Ok(signature.to_der()?);
        }
        let mut raw = signature.r().to_vec_padded(32)?;
        raw.extend(signature.s().to_vec_padded(32)?);
        Ok(raw)
    }

    fn sign_rsa(&self, bytes: &[u8]) -> Result<Vec<u8>, PrivateKeyError> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key)?;
        rsa::set_padding(&mut signer, self.algorithm)?;
        let bare = signer.sign_oneshot_to_vec(bytes)?;
        Ok(if self.algorithm.is_der() { [&rsa::OCTET_STRING[..], &bare].concat() } else { bare })
    }
}

fn curve(key: &PKey<Private>) -> Result<Option<Nid>, ErrorStack> {
    Ok(key.ec_key()?.group().curve_name())
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}
