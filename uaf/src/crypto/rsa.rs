//! RSA signatures with keys of 2048 bits.

use openssl::bn::{BigNum, BigNumRef};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Public};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer, Verifier};

use super::verify::KeyError;
use crate::algorithm::Algorithm;

/// Bytes of a modulus and of a signature.
pub(super) const SIZE: usize = 256;
/// An OCTET STRING of [`SIZE`] bytes, up to its content.
pub(super) const OCTET_STRING: [u8; 4] = [0x04, 0x82, 0x01, 0x00];

/// From modulus and exponent, one behind the other.
pub(super) fn from_raw(bytes: &[u8]) -> Result<PKey<Public>, KeyError> {
    let (modulus, exponent) = bytes.split_at_checked(SIZE).ok_or(KeyError::Encoding)?;
    let key = || Rsa::from_public_components(BigNum::from_slice(modulus)?, BigNum::from_slice(exponent)?);
    checked(key().map_err(|_| KeyError::Encoding)?)
}

/// From PKCS#1, or from a SubjectPublicKeyInfo as one vendor sends it; each in its one right form.
pub(super) fn from_der(bytes: &[u8]) -> Result<PKey<Public>, KeyError> {
    let pkcs1 = || -> Result<_, ErrorStack> {
        let key = Rsa::public_key_from_der_pkcs1(bytes)?;
        Ok((key.public_key_to_der_pkcs1()? == bytes).then_some(key))
    };
    let info = || -> Result<_, ErrorStack> {
        let key = Rsa::public_key_from_der(bytes)?;
        Ok((key.public_key_to_der()? == bytes).then_some(key))
    };
    let key = pkcs1().ok().flatten().or_else(|| info().ok().flatten());
    checked(key.ok_or(KeyError::Encoding)?)
}

fn checked(key: Rsa<Public>) -> Result<PKey<Public>, KeyError> {
    if key.n().num_bits() != 2048 || !is_odd(key.n()) {
        return Err(KeyError::Modulus);
    }
    if !(2..=64).contains(&key.e().num_bits()) || !is_odd(key.e()) {
        return Err(KeyError::Exponent);
    }
    PKey::from_rsa(key).map_err(|_| KeyError::Encoding)
}

fn is_odd(number: &BigNumRef) -> bool {
    number.is_bit_set(0)
}

pub(super) fn verifies(key: &PKey<Public>, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
    let bare = if algorithm.is_der() { signature.strip_prefix(&OCTET_STRING) } else { Some(signature) };
    let Some(bare) = bare.filter(|bare| bare.len() == SIZE) else {
        return false;
    };
    let verify = || -> Result<bool, ErrorStack> {
        let mut verifier = Verifier::new(MessageDigest::sha256(), key)?;
        if is_pss(algorithm) {
            verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
            verifier.set_rsa_mgf1_md(MessageDigest::sha256())?;
            verifier.set_rsa_pss_saltlen(RsaPssSaltlen::custom(32))?;
        }
        verifier.verify_oneshot(bare, signed)
    };
    verify().unwrap_or(false)
}

pub(super) fn set_padding(signer: &mut Signer<'_>, algorithm: Algorithm) -> Result<(), ErrorStack> {
    if is_pss(algorithm) {
        signer.set_rsa_padding(Padding::PKCS1_PSS)?;
        signer.set_rsa_mgf1_md(MessageDigest::sha256())?;
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::custom(32))?;
    }
    Ok(())
}

const fn is_pss(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::PssRaw | Algorithm::PssDer)
}
