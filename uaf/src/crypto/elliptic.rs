//! ECDSA on P-256 and secp256k1. Keys are taken apart by hand: the forms are fixed to the byte, and OpenSSL's decoder
//! would accept compressed points and explicit curves besides costing more than the signature check.

use std::sync::OnceLock;

use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::Public;

use super::Leftovers;
use super::verify::KeyError;
use crate::algorithm::Algorithm;

/// SubjectPublicKeyInfo of P-256 with the named curve, up to the point.
const P256_INFO: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The same of secp256k1.
const K256_INFO: [u8; 23] = [
    0x30, 0x56, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00,
    0x0a, 0x03, 0x42, 0x00,
];

pub(super) const fn nid(algorithm: Algorithm) -> Nid {
    match algorithm {
        Algorithm::K256Raw | Algorithm::K256Der => Nid::SECP256K1,
        _ => Nid::X9_62_PRIME256V1,
    }
}

/// Curves are made once: building one costs about a third of a signature check.
fn group(algorithm: Algorithm) -> Result<&'static EcGroup, ErrorStack> {
    static P256: OnceLock<EcGroup> = OnceLock::new();
    static K256: OnceLock<EcGroup> = OnceLock::new();
    let nid = nid(algorithm);
    let cell = if nid == Nid::SECP256K1 { &K256 } else { &P256 };
    match cell.get() {
        Some(group) => Ok(group),
        None => {
            let group = EcGroup::from_curve_name(nid)?;
            Ok(cell.get_or_init(|| group))
        }
    }
}

/// From 0x04, X, Y.
pub(super) fn from_point(algorithm: Algorithm, bytes: &[u8]) -> Result<EcKey<Public>, KeyError> {
    if bytes.len() != 65 || bytes.first() != Some(&4) {
        return Err(KeyError::Encoding);
    }
    let key = || {
        let group = group(algorithm)?;
        let mut context = BigNumContext::new()?;
        let point = EcPoint::from_bytes(group, bytes, &mut context)?;
        EcKey::from_public_key(group, &point)
    };
    key().map_err(|_| KeyError::Point)
}

/// From a SubjectPublicKeyInfo.
pub(super) fn from_der(algorithm: Algorithm, bytes: &[u8]) -> Result<EcKey<Public>, KeyError> {
    let (own, other): (&[u8], &[u8]) = match nid(algorithm) {
        Nid::SECP256K1 => (&K256_INFO, &P256_INFO),
        _ => (&P256_INFO, &K256_INFO),
    };
    match bytes.strip_prefix(own) {
        Some(point) => from_point(algorithm, point),
        None if bytes.starts_with(other) => Err(KeyError::Curve),
        None => Err(KeyError::Encoding),
    }
}

pub(super) fn verifies(key: &EcKey<Public>, algorithm: Algorithm, digest: &[u8; 32], signature: &[u8]) -> bool {
    let _leftovers = Leftovers;
    let read = if algorithm.is_der() { read_der(signature) } else { read_raw(signature) };
    read.is_some_and(|signature| signature.verify(digest, key).unwrap_or(false))
}

/// R and S, 32 bytes each.
fn read_raw(signature: &[u8]) -> Option<EcdsaSig> {
    if signature.len() != 64 {
        return None;
    }
    let (r, s) = signature.split_at_checked(32)?;
    EcdsaSig::from_private_components(BigNum::from_slice(r).ok()?, BigNum::from_slice(s).ok()?).ok()
}

/// A DER sequence in its one right form: what OpenSSL would write is what was received.
fn read_der(signature: &[u8]) -> Option<EcdsaSig> {
    let read = EcdsaSig::from_der(signature).ok()?;
    (read.to_der().ok()? == signature).then_some(read)
}
