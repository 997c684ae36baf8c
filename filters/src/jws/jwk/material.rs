//! The numbers of a public key and what they must fulfil.

use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::rsa::Rsa;
use serde_json::{Map, Value};

use super::members::{number, octets, text};
use super::{JwkError, KeyKind};
use crate::jws::base64url;

mod curve25519;

/// Below is weak, above is a way to keep us busy.
const RSA_BITS: std::ops::RangeInclusive<i32> = 2048..=8192;

/// OpenSSL's own bound for large moduli; longer exponents make verification slow and serve nothing.
const RSA_EXPONENT_BITS: i32 = 64;

/// A NIST curve (RFC 7518, 6.2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EcCurve {
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
}

impl EcCurve {
    /// `crv`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// Octets of a coordinate, and of each half of a signature.
    #[must_use]
    pub fn coordinate_len(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    fn group(self) -> Result<EcGroup, ErrorStack> {
        EcGroup::from_curve_name(match self {
            Self::P256 => Nid::X9_62_PRIME256V1,
            Self::P384 => Nid::SECP384R1,
            Self::P521 => Nid::SECP521R1,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Ec { curve: EcCurve, x: Vec<u8>, y: Vec<u8> },
    Ed25519(Vec<u8>),
    X25519(Vec<u8>),
}

impl Material {
    pub(super) fn from_members(members: &Map<String, Value>) -> Result<Self, JwkError> {
        match text(members, "kty")? {
            "RSA" => Ok(Self::Rsa { n: number(members, "n")?, e: number(members, "e")? }),
            "EC" => {
                let named = text(members, "crv")?;
                let curve = [EcCurve::P256, EcCurve::P384, EcCurve::P521].into_iter().find(|c| c.name() == named);
                let curve = curve.ok_or(JwkError::Curve)?;
                let len = curve.coordinate_len();
                Ok(Self::Ec { curve, x: octets(members, "x", len)?, y: octets(members, "y", len)? })
            }
            "OKP" => match text(members, "crv")? {
                "Ed25519" => Ok(Self::Ed25519(octets(members, "x", 32)?)),
                "X25519" => Ok(Self::X25519(octets(members, "x", 32)?)),
                _ => Err(JwkError::Curve),
            },
            _ => Err(JwkError::KeyType),
        }
    }

    pub(super) fn kind(&self) -> KeyKind {
        match self {
            Self::Rsa { .. } => KeyKind::Rsa,
            Self::Ec { curve, .. } => KeyKind::Ec(*curve),
            Self::Ed25519(_) => KeyKind::Ed25519,
            Self::X25519(_) => KeyKind::X25519,
        }
    }

    /// The members that make the key, in the order of RFC 7638.
    pub(super) fn required(&self) -> Vec<(&'static str, String)> {
        let point = |curve: &str, x: &[u8]| {
            vec![("crv", curve.to_owned()), ("kty", "OKP".to_owned()), ("x", base64url::encode(x))]
        };
        match self {
            Self::Rsa { n, e } => {
                vec![("e", base64url::encode(e)), ("kty", "RSA".to_owned()), ("n", base64url::encode(n))]
            }
            Self::Ec { curve, x, y } => vec![
                ("crv", curve.name().to_owned()),
                ("kty", "EC".to_owned()),
                ("x", base64url::encode(x)),
                ("y", base64url::encode(y)),
            ],
            Self::Ed25519(x) => point("Ed25519", x),
            Self::X25519(x) => point("X25519", x),
        }
    }

    pub(super) fn import(&self) -> Result<PKey<Public>, JwkError> {
        match self {
            Self::Rsa { n, e } => rsa(n, e),
            Self::Ec { curve, x, y } => ec(*curve, x, y),
            Self::Ed25519(x) => {
                curve25519::check_edwards(x)?;
                Ok(PKey::public_key_from_raw_bytes(x, Id::ED25519)?)
            }
            Self::X25519(x) => {
                let key = PKey::public_key_from_raw_bytes(x, Id::X25519)?;
                curve25519::check_montgomery(&key)?;
                Ok(key)
            }
        }
    }
}

fn rsa(n: &[u8], e: &[u8]) -> Result<PKey<Public>, JwkError> {
    let (n, e) = (BigNum::from_slice(n)?, BigNum::from_slice(e)?);
    if !RSA_BITS.contains(&n.num_bits()) {
        return Err(JwkError::RsaSize);
    }
    if n.is_even() {
        return Err(JwkError::RsaModulus);
    }
    if e.is_even() || e.num_bits() < 2 || e.num_bits() > RSA_EXPONENT_BITS {
        return Err(JwkError::RsaExponent);
    }
    Ok(PKey::from_rsa(Rsa::from_public_components(n, e)?)?)
}

fn ec(curve: EcCurve, x: &[u8], y: &[u8]) -> Result<PKey<Public>, JwkError> {
    let (group, x, y) = (curve.group()?, BigNum::from_slice(x)?, BigNum::from_slice(y)?);
    // OpenSSL refuses coordinates beyond the field and points off the curve here.
    let key = EcKey::from_public_key_affine_coordinates(&group, &x, &y).map_err(|_| JwkError::Point)?;
    Ok(PKey::from_ec_key(key)?)
}
