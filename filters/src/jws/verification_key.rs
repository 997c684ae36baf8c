//! A public key that signatures are verified with, imported once.

use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Public};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Verifier};

use super::Algorithm;
use super::jwk::{EcCurve, JwkDocument, JwkError, KeyKind, Purpose, Thumbprint};

/// Why a signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The algorithm is not one of this key's, or not the one its JWK names.
    #[error("alg of the JWS does not fit the key")]
    Algorithm,
    /// The key did not sign these bytes.
    #[error("the signature of the JWS is wrong")]
    Bad,
}

/// A checked signature key. Parsing it costs more than a verification: make one and keep it.
#[derive(Clone)]
pub struct VerificationKey {
    key: PKey<Public>,
    kind: KeyKind,
    algorithm: Option<Algorithm>,
    kid: Option<String>,
    thumbprint: Thumbprint,
}

impl TryFrom<JwkDocument> for VerificationKey {
    type Error = JwkError;

    /// Imports a JWK as a signature key: kind, `use`, `key_ops`, `alg`, size and point are checked.
    fn try_from(document: JwkDocument) -> Result<Self, JwkError> {
        document.require(Purpose::Signature)?;
        let algorithm = match document.alg() {
            None => None,
            Some(name) => Some(
                Algorithm::from_name(name)
                    .filter(|algorithm| algorithm.fits(document.kind()))
                    .ok_or(JwkError::Algorithm)?,
            ),
        };
        Ok(Self {
            key: document.public_key()?,
            kind: document.kind(),
            algorithm,
            kid: document.kid().map(str::to_owned),
            thumbprint: document.thumbprint(),
        })
    }
}

impl VerificationKey {
    /// The RFC 7638 thumbprint: what names this key, however it was written.
    #[must_use]
    pub fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    /// The JWK's `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether it verifies signatures of this algorithm: its kind fits, and its JWK names no other one.
    #[must_use]
    pub fn takes(&self, algorithm: Algorithm) -> bool {
        algorithm.fits(self.kind) && self.algorithm.is_none_or(|named| named == algorithm)
    }

    /// Verifies `signature` over `signing_input`, in the form JWS gives it (RFC 7518, section 3; RFC 8037).
    ///
    /// # Errors
    /// When the algorithm does not fit the key or its JWK's `alg`, or the signature is wrong.
    pub fn verify(&self, algorithm: Algorithm, signing_input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        if !self.takes(algorithm) {
            return Err(SignatureError::Algorithm);
        }
        let good = match self.kind {
            KeyKind::Ec(curve) => self.ecdsa(curve, algorithm, signing_input, signature),
            KeyKind::Rsa => self.rsa(algorithm, signing_input, signature),
            KeyKind::Ed25519 => Verifier::new_without_digest(&self.key)
                .and_then(|mut verifier| verifier.verify_oneshot(signature, signing_input)),
            KeyKind::X25519 => Ok(false),
        };
        // OpenSSL reports some malformed signatures as errors of its own: they are bad signatures all the same.
        if good.unwrap_or(false) { Ok(()) } else { Err(SignatureError::Bad) }
    }

    fn ecdsa(
        &self,
        curve: EcCurve,
        algorithm: Algorithm,
        signing_input: &[u8],
        signature: &[u8],
    ) -> Result<bool, ErrorStack> {
        let size = curve.coordinate_len();
        let (Some((r, s)), Some(digest)) = (signature.split_at_checked(size), algorithm.digest()) else {
            return Ok(false);
        };
        if s.len() != size {
            return Ok(false);
        }
        // OpenSSL refuses numbers outside 1 to n - 1 itself.
        let der = EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?.to_der()?;
        Verifier::new(digest, &self.key)?.verify_oneshot(&der, signing_input)
    }

    fn rsa(&self, algorithm: Algorithm, signing_input: &[u8], signature: &[u8]) -> Result<bool, ErrorStack> {
        let Some(digest) = algorithm.digest() else { return Ok(false) };
        let mut verifier = Verifier::new(digest, &self.key)?;
        if algorithm.is_pss() {
            verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
            verifier.set_rsa_mgf1_md(digest)?;
            verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
        } else {
            verifier.set_rsa_padding(Padding::PKCS1)?;
        }
        verifier.verify_oneshot(signature, signing_input)
    }
}

impl std::fmt::Debug for VerificationKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "VerificationKey({:?}, {})", self.kind, self.thumbprint)
    }
}
