//! Faults of signatures, and in the bytes around what is signed.

use super::Misbehaviour;
use super::signed::other_encoding;
use crate::algorithm::Algorithm;
use crate::authenticator::{AuthenticatorError, Draft, Fields};
use crate::crypto::PrivateKey;
use crate::tlv::{self, Tag, tag};

/// An element that says it has two bytes, and has one.
const HALF_AN_ELEMENT: [u8; 5] = [0x99, 0x0e, 2, 0, 1];

/// Signs the draft; wrong, if this is about the signature or the bytes around.
pub(super) fn assertion(how: Misbehaviour, draft: &Draft, key: &PrivateKey) -> Result<Vec<u8>, AuthenticatorError> {
    let signed = signed_object(how, draft)?;
    let parts = parts(how, draft, signature(how, &signed, key)?);
    let mut bytes = match how {
        Misbehaviour::NoAttestation => within(draft.outer, &signed)?,
        Misbehaviour::SecondAttestation => {
            let mut twice = draft.clone();
            let attestation = draft.attestation.unwrap_or(tag::BASIC_SURROGATE);
            twice.unsigned.push(attestation, parts.inside(attestation)?.into_iter().skip(4).collect::<Vec<_>>());
            twice.wrap(&signed, &parts)?
        }
        _ => draft.wrap(&signed, &parts)?,
    };
    let mut claim = |length: [u8; 2]| bytes.iter_mut().skip(2).zip(length).for_each(|(old, new)| *old = new);
    match how {
        Misbehaviour::BytesAround => {
            let inner: Vec<u8> = bytes.into_iter().skip(4).chain(HALF_AN_ELEMENT).collect();
            bytes = within(draft.outer, &inner)?;
        }
        Misbehaviour::SignedObjectLast => {
            bytes.get_mut(4..).into_iter().for_each(|inner| inner.rotate_left(signed.len()));
        }
        Misbehaviour::LengthZero => claim([0, 0]),
        Misbehaviour::LengthHuge => claim([0xff, 0xff]),
        Misbehaviour::EmptyAssertion => bytes.clear(),
        Misbehaviour::CutAssertion => drop(bytes.pop()),
        Misbehaviour::BytesBehind => bytes.extend([0x11, 0x3e, 0, 0]),
        _ => {}
    }
    Ok(bytes)
}

/// The signature and the certificates.
fn parts(how: Misbehaviour, draft: &Draft, signature: Vec<u8>) -> Fields {
    let signatures = match how {
        Misbehaviour::NoSignature => vec![],
        Misbehaviour::SecondSignature => vec![(tag::SIGNATURE, signature.clone()), (tag::SIGNATURE, signature)],
        _ => vec![(tag::SIGNATURE, signature)],
    };
    let certificates = draft.certificates.iter().map(|der| (tag::ATTESTATION_CERT, der.clone()));
    Fields(signatures.into_iter().chain(certificates).collect())
}

fn within(outer: Tag, inner: &[u8]) -> Result<Vec<u8>, AuthenticatorError> {
    let mut bytes = Vec::with_capacity(inner.len() + 4);
    tlv::write(outer, inner, &mut bytes)?;
    Ok(bytes)
}

fn signed_object(how: Misbehaviour, draft: &Draft) -> Result<Vec<u8>, AuthenticatorError> {
    let right = draft.fields.inside(draft.signed)?;
    if how != Misbehaviour::BytesInside {
        return Ok(right);
    }
    let inner: Vec<u8> = right.into_iter().skip(4).chain(HALF_AN_ELEMENT).collect();
    within(draft.signed, &inner)
}

fn signature(how: Misbehaviour, signed: &[u8], key: &PrivateKey) -> Result<Vec<u8>, AuthenticatorError> {
    let algorithm = key.algorithm();
    let encoded_as = |other| PrivateKey::from_pkcs8(other, &key.to_pkcs8()?)?.sign(signed);
    let mut right = match how {
        Misbehaviour::StrangersSignature => PrivateKey::generate(algorithm)?.sign(signed)?,
        Misbehaviour::OtherAlgorithm | Misbehaviour::UnstatedAlgorithm => encoded_as(other_encoding(algorithm))?,
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
