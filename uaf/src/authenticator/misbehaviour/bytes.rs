//! Faults of signatures, and in the bytes around what is signed.

use super::Misbehaviour;
use super::signed::other_encoding;
use crate::algorithm::Algorithm;
use crate::authenticator::{AuthenticatorError, Draft, Fields};
use crate::crypto::PrivateKey;
use crate::tlv::{self, tag};

/// An element that says it has two bytes, and has one.
const HALF_AN_ELEMENT: [u8; 5] = [0x99, 0x0e, 2, 0, 1];

/// Signs the draft; wrong, if this is about the signature or the bytes around.
pub(super) fn assertion(how: Misbehaviour, draft: &Draft, key: &PrivateKey) -> Result<Vec<u8>, AuthenticatorError> {
    let signed = signed_object(how, draft)?;
    let signature = signature(how, &signed, key)?;
    let mut parts = Fields(vec![(tag::SIGNATURE, signature)]);
    parts.0.extend(draft.certificates.iter().map(|der| (tag::ATTESTATION_CERT, der.clone())));
    let mut bytes = match how {
        Misbehaviour::NoAttestation => {
            let mut alone = Vec::new();
            tlv::write(draft.outer, &signed, &mut alone)?;
            alone
        }
        _ => draft.wrap(&signed, &parts)?,
    };
    let mut claim = |length: [u8; 2]| bytes.iter_mut().skip(2).zip(length).for_each(|(old, new)| *old = new);
    match how {
        Misbehaviour::LengthZero => claim([0, 0]),
        Misbehaviour::LengthHuge => claim([0xff, 0xff]),
        Misbehaviour::EmptyAssertion => bytes.clear(),
        Misbehaviour::CutAssertion => drop(bytes.pop()),
        Misbehaviour::BytesBehind => bytes.extend([0x11, 0x3e, 0, 0]),
        _ => {}
    }
    Ok(bytes)
}

fn signed_object(how: Misbehaviour, draft: &Draft) -> Result<Vec<u8>, AuthenticatorError> {
    let right = draft.fields.inside(draft.signed)?;
    if how != Misbehaviour::BytesInside {
        return Ok(right);
    }
    let inner: Vec<u8> = right.into_iter().skip(4).chain(HALF_AN_ELEMENT).collect();
    let mut signed = Vec::new();
    tlv::write(draft.signed, &inner, &mut signed)?;
    Ok(signed)
}

fn signature(how: Misbehaviour, signed: &[u8], key: &PrivateKey) -> Result<Vec<u8>, AuthenticatorError> {
    let algorithm = key.algorithm();
    let encoded_as = |other| PrivateKey::from_pkcs8(other, &key.to_pkcs8()?)?.sign(signed);
    let mut right = match how {
        Misbehaviour::StrangersSignature => PrivateKey::generate(algorithm)?.sign(signed)?,
        Misbehaviour::OtherAlgorithm => encoded_as(other_encoding(algorithm))?,
        Misbehaviour::LooseSignature if !algorithm.is_der() => encoded_as(other_encoding(algorithm))?,
        _ => key.sign(signed)?,
    };
    match how {
        Misbehaviour::ShortSignature => drop(right.pop()),
        Misbehaviour::LongSignature => right.push(0),
        Misbehaviour::ZeroSignature => return Ok(numbers(algorithm, 0)),
        Misbehaviour::HugeSignature => return Ok(numbers(algorithm, 0xff)),
        Misbehaviour::LooseSignature if algorithm.is_der() => right = loose(algorithm, right),
        _ => {}
    }
    Ok(right)
}

/// A signature of the right form whose numbers consist of this byte.
fn numbers(algorithm: Algorithm, byte: u8) -> Vec<u8> {
    match (algorithm.is_elliptic(), algorithm.is_der()) {
        (true, false) => vec![byte; 64],
        // DER writes 0 as one byte, and a zero before what else would be below it.
        (true, true) if byte == 0 => vec![0x30, 6, 2, 1, 0, 2, 1, 0],
        (true, true) => {
            let number = [&[2, 33, 0][..], &[byte; 32]].concat();
            [&[0x30, 70][..], &number, &number].concat()
        }
        (false, false) => vec![byte; 256],
        (false, true) => [&[4, 0x82, 1, 0][..], &[byte; 256]].concat(),
    }
}

/// Its length in one byte more than it needs.
fn loose(algorithm: Algorithm, right: Vec<u8>) -> Vec<u8> {
    let head: &[u8] = if algorithm.is_elliptic() { &[0x30, 0x81] } else { &[4, 0x83, 0] };
    let kept = if algorithm.is_elliptic() { 1 } else { 2 };
    head.iter().copied().chain(right.into_iter().skip(kept)).collect()
}
