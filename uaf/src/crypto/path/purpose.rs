//! What the keys of a path are for (RFC 5280, sections 4.2.1.3, 4.2.1.9 and 4.2.1.12).

use super::CertificateError;
use crate::crypto::der;

/// basicConstraints, 2.5.29.19.
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
/// keyUsage, 2.5.29.15.
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
/// extKeyUsage, 2.5.29.37.
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
/// anyExtendedKeyUsage, 2.5.29.37.0.
const ANY_EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25, 0];
/// `digitalSignature (0)` of a keyUsage, the first bit.
const DIGITAL_SIGNATURE: u8 = 0x80;

/// Checks a certificate, in DER, at its place in a path that ends with an anchor: the leaf stands at 0.
pub(super) fn check(certificate: &[u8], at: usize, anchor: usize) -> Result<(), CertificateError> {
    let authority = authority(certificate);
    // OpenSSL also takes for an authority what only has the right key usage, or a Netscape type.
    if (1..anchor).contains(&at) && authority != Some(true) {
        return Err(CertificateError::NotAuthority);
    }
    // One that is listed is what its vendor means, whatever else it may do.
    if at == 0 && anchor != 0 && authority != Some(false) {
        return Err(CertificateError::LeafIsAuthority);
    }
    match () {
        () if at == 0 && !signs(certificate) => Err(CertificateError::KeyUsage),
        () if at == 0 && !attests(certificate) => Err(CertificateError::ExtendedKeyUsage),
        () => Ok(()),
    }
}

/// `BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, … }`; `None` where it can be read in two ways.
fn authority(certificate: &[u8]) -> Option<bool> {
    let Some(value) = der::extension(certificate, BASIC_CONSTRAINTS).ok()? else { return Some(false) };
    match der::only(value, 0x30).ok()? {
        [0x01, 0x01, 0xff, ..] => Some(true),
        // Some write the default.
        [0x01, 0x01, 0x00, ..] => Some(false),
        [0x01, ..] => None,
        _ => Some(false),
    }
}

/// `KeyUsage ::= BIT STRING`: the number of unused bits comes first. Where it is absent, a key is for everything.
fn signs(certificate: &[u8]) -> bool {
    let Ok(usage) = der::extension(certificate, KEY_USAGE) else { return false };
    let bits = |value| der::only(value, 0x03).ok().and_then(|bits| bits.get(1).copied());
    usage.is_none_or(|value| bits(value).is_some_and(|bits| bits & DIGITAL_SIGNATURE != 0))
}

/// `ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF KeyPurposeId`. There is no purpose of attestation, so a leaf that is for the
/// purposes listed and nothing else is not for this. Vendors list some without meaning so: then it is not critical.
fn attests(certificate: &[u8]) -> bool {
    let Ok(usage) = der::critical_extension(certificate, EXTENDED_KEY_USAGE) else { return false };
    usage.is_none_or(|value| der::only(value, 0x30).is_ok_and(includes_any))
}

fn includes_any(mut purposes: &[u8]) -> bool {
    while let Ok((purpose, rest)) = der::expect(purposes, 0x06) {
        if purpose == ANY_EXTENDED_KEY_USAGE {
            return true;
        }
        purposes = rest;
    }
    false
}
