//! `jsonwebtoken`'s cryptography, done by OpenSSL with keys that are parsed once (platform.md 7).
//!
//! The crate calls a plain function for every token and hands it the key as bytes; parsing a private key there would
//! cost twenty times the signature. So the bytes are a handle: the number of a parsed key in a table of this file.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, PoisonError, RwLock};

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use openssl::bn::BigNumRef;
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use signature::Signer;

use super::CryptoError;

static PROVIDER: CryptoProvider =
    CryptoProvider { signer_factory: signer, verifier_factory: verifier, key_utils: KeyUtils::new_unimplemented() };

/// Whether the process uses our provider: only the first one installed counts.
static INSTALLED: LazyLock<bool> = LazyLock::new(|| PROVIDER.install_default().is_ok());

static KEYS: LazyLock<RwLock<HashMap<[u8; 8], PKey<Private>>>> = LazyLock::new(RwLock::default);
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A parsed key's place in the table, for as long as it lives.
pub(super) struct Handle([u8; 8]);

impl Handle {
    /// Of a P-256 key.
    pub(super) fn of(key: PKey<Private>) -> Result<Self, CryptoError> {
        if !*INSTALLED {
            return Err(CryptoError("another provider for jsonwebtoken was installed before ours".into()));
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        KEYS.write().unwrap_or_else(PoisonError::into_inner).insert(number, key);
        Ok(Self(number))
    }

    /// What `jsonwebtoken` takes for an ES256 key.
    pub(super) fn encoding_key(&self) -> EncodingKey {
        EncodingKey::from_ec_der(&self.0)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        KEYS.write().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

fn key(handle: &[u8]) -> Result<PKey<Private>, Error> {
    let keys = KEYS.read().unwrap_or_else(PoisonError::into_inner);
    let found = <[u8; 8]>::try_from(handle).ok().and_then(|number| keys.get(&number).cloned());
    found.ok_or_else(|| ErrorKind::InvalidKeyFormat.into())
}

fn signer(algorithm: &Algorithm, handle: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    match (algorithm, key(handle.as_bytes())?) {
        (Algorithm::ES256, key) => Ok(Box::new(Es256(key))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

/// Signatures are verified by [`sidegate_filters::jws`] alone: this crate ignores `crit` and takes duplicate members.
fn verifier(_: &Algorithm, _: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    Err(ErrorKind::InvalidAlgorithm.into())
}

struct Es256(PKey<Private>);

impl Es256 {
    /// The two numbers, 32 bytes each (RFC 7518, section 3.4).
    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let der = openssl::sign::Signer::new(MessageDigest::sha256(), &self.0)?.sign_oneshot_to_vec(message)?;
        let signature = EcdsaSig::from_der(&der)?;
        let padded = |number: &BigNumRef| number.to_vec_padded(32);
        Ok([padded(signature.r())?, padded(signature.s())?].concat())
    }
}

impl Signer<Vec<u8>> for Es256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        self.signature(message).map_err(signature::Error::from_source)
    }
}

impl JwtSigner for Es256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_handle_names_no_key() {
        let key = super::super::SigningKey::generate().unwrap();
        let encoding = key.handle().encoding_key();
        assert!(signer(&Algorithm::ES256, &encoding).is_ok());
        drop(key);
        assert!(signer(&Algorithm::ES256, &encoding).is_err());
    }

    #[test]
    fn a_key_signs_with_its_own_algorithm_alone() {
        let key = super::super::SigningKey::generate().unwrap();
        for algorithm in [Algorithm::HS256, Algorithm::ES384, Algorithm::RS256, Algorithm::EdDSA] {
            assert!(signer(&algorithm, &key.handle().encoding_key()).is_err(), "{algorithm:?}");
        }
    }

    #[test]
    fn a_made_up_handle_names_no_key() {
        for bytes in [&b""[..], &[0xff; 8], &[0; 32]] {
            assert!(signer(&Algorithm::ES256, &EncodingKey::from_ec_der(bytes)).is_err());
        }
    }
}
