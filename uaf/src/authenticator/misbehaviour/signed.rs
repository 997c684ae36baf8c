//! Faults in what is signed.

use super::{Misbehaviour, params};
use crate::algorithm::{Algorithm, KeyFormat};
use crate::authenticator::{AuthenticatorError, DeviceKey, Draft, Fields};
use crate::crypto::{PrivateKey, sha1, sha256};
use crate::encoding::{decode, encode};
use crate::tlv::{self, Tag, tag};

/// Where ASSERTION_INFO has the version, the mode, the algorithm and the key format, each little-endian.
pub(super) const VERSION: usize = 0;
const MODE: usize = 2;
pub(super) const ALGORITHM: usize = 3;
pub(super) const KEY_FORMAT: usize = 5;
/// `UAF_ALG_SIGN_SM2_SM3_RAW`.
const SM2: u16 = 7;
/// One more than the last of the registry.
const NO_KEY_FORMAT: u16 = 0x0104;
/// More keys than the server's bound, which is generous.
const MANY_REGISTRATIONS: u32 = 1_000_000;

/// Makes the draft wrong, if this is about what is signed.
pub(super) fn spoil(how: Misbehaviour, draft: &mut Draft, key: &DeviceKey) -> Result<(), AuthenticatorError> {
    if let Some(text) = params::spoiled(how, &draft.fc_params) {
        draft.set_fc_params(text);
    }
    spoil_info(how, draft);
    spoil_key(how, draft)?;
    spoil_hashes(how, draft);
    spoil_counters(how, draft, key.accepted_counter());
    spoil_elements(how, draft)
}

fn spoil_info(how: Misbehaviour, draft: &mut Draft) {
    let mode = |draft: &mut Draft, mode: u8| patch(draft, MODE, &[mode]);
    let word = |draft: &mut Draft, at: usize, value: u16| patch(draft, at, &value.to_le_bytes());
    match how {
        Misbehaviour::ModeZero => mode(draft, 0),
        Misbehaviour::Unconfirmed | Misbehaviour::HashUnconfirmed => mode(draft, 1),
        Misbehaviour::ModeTwo | Misbehaviour::UnaskedConfirmation => mode(draft, 2),
        Misbehaviour::ModeThree => mode(draft, 3),
        Misbehaviour::UnknownAlgorithm => word(draft, ALGORITHM, SM2),
        Misbehaviour::OtherAlgorithm | Misbehaviour::UnstatedAlgorithm => {
            if let Some(other) = algorithm(draft).map(other_encoding) {
                word(draft, ALGORITHM, other.into());
            }
        }
        Misbehaviour::UnknownKeyFormat => word(draft, KEY_FORMAT, NO_KEY_FORMAT),
        Misbehaviour::OtherKeyFormat => {
            let elliptic = algorithm(draft).is_some_and(Algorithm::is_elliptic);
            word(draft, KEY_FORMAT, if elliptic { KeyFormat::RsaRaw } else { KeyFormat::EcRaw }.into());
        }
        _ => {}
    }
}

/// A key that is none: what signs is another one.
fn spoil_key(how: Misbehaviour, draft: &mut Draft) -> Result<(), AuthenticatorError> {
    let point = || PrivateKey::generate(Algorithm::P256Raw)?.public_key(KeyFormat::EcRaw);
    let modulus = || PrivateKey::generate(Algorithm::PssRaw)?.public_key(KeyFormat::RsaRaw);
    let (algorithm, format, key) = match how {
        Misbehaviour::PointOffCurve => {
            let mut key = point()?;
            key.last_mut().into_iter().for_each(|byte| *byte ^= 1);
            (Algorithm::P256Raw, KeyFormat::EcRaw, key)
        }
        Misbehaviour::PointOfOtherCurve => {
            let key = PrivateKey::generate(Algorithm::K256Raw)?.public_key(KeyFormat::EcRaw)?;
            (Algorithm::P256Raw, KeyFormat::EcRaw, key)
        }
        Misbehaviour::PointAtInfinity => (Algorithm::P256Raw, KeyFormat::EcRaw, vec![0]),
        Misbehaviour::CompressedPoint => {
            let key = point()?;
            let sign = key.last().map_or(2, |byte| 2 + (byte & 1));
            let compressed = std::iter::once(sign).chain(key.into_iter().skip(1).take(32)).collect();
            (Algorithm::P256Raw, KeyFormat::EcRaw, compressed)
        }
        // The place of a modulus has one length, so a shorter one has zeros before it.
        Misbehaviour::ShortModulus => {
            let mut key = modulus()?;
            key.iter_mut().take(128).for_each(|byte| *byte = 0);
            (Algorithm::PssRaw, KeyFormat::RsaRaw, key)
        }
        Misbehaviour::EvenExponent | Misbehaviour::ExponentOne => {
            let exponent = if how == Misbehaviour::EvenExponent { 2 } else { 1 };
            let key = modulus()?.into_iter().take(256).chain([exponent]).collect();
            (Algorithm::PssRaw, KeyFormat::RsaRaw, key)
        }
        _ => return Ok(()),
    };
    patch(draft, ALGORITHM, &u16::from(algorithm).to_le_bytes());
    patch(draft, KEY_FORMAT, &u16::from(format).to_le_bytes());
    draft.fields.set(tag::PUB_KEY, key);
    Ok(())
}

fn spoil_hashes(how: Misbehaviour, draft: &mut Draft) {
    let final_challenge = |draft: &mut Draft, hash: Vec<u8>| draft.fields.set(tag::FINAL_CHALLENGE_HASH, hash);
    let transaction = |draft: &mut Draft, hash: Vec<u8>| draft.fields.set(tag::TRANSACTION_CONTENT_HASH, hash);
    match how {
        Misbehaviour::Sha1Hash => final_challenge(draft, sha1(draft.fc_params.as_bytes()).into()),
        Misbehaviour::HashOfJson => {
            final_challenge(draft, sha256(&decode(&draft.fc_params).unwrap_or_default()).into());
        }
        Misbehaviour::EmptyHash => final_challenge(draft, Vec::new()),
        Misbehaviour::Unconfirmed => transaction(draft, Vec::new()),
        Misbehaviour::OtherContent | Misbehaviour::UnaskedConfirmation | Misbehaviour::HashUnconfirmed => {
            transaction(draft, sha256(b"Pay 9.00 to somebody else").into());
        }
        Misbehaviour::UnshownRendering => {
            let unseen = draft.unshown.clone().unwrap_or_default();
            transaction(draft, sha256(&unseen).into());
        }
        Misbehaviour::HashOfEncoded => {
            let encoded = encode(draft.content.as_deref().unwrap_or_default());
            transaction(draft, sha256(encoded.as_bytes()).into());
        }
        _ => {}
    }
}

fn spoil_counters(how: Misbehaviour, draft: &mut Draft, accepted: u32) {
    let counter = match how {
        Misbehaviour::HugeRegistrationCounter => return draft.set_registration_counter(MANY_REGISTRATIONS),
        Misbehaviour::SameCounter => accepted,
        Misbehaviour::LowerCounter => accepted.saturating_sub(1),
        Misbehaviour::ZeroCounter => 0,
        _ => return,
    };
    draft.fields.set(tag::COUNTERS, counter.to_le_bytes());
}

fn spoil_elements(how: Misbehaviour, draft: &mut Draft) -> Result<(), AuthenticatorError> {
    let is_registration = draft.outer == tag::REG_ASSERTION;
    match how {
        Misbehaviour::Without(tag) => draft.fields.remove(tag),
        Misbehaviour::Twice(tag) => draft.fields.push(tag, draft.fields.get(tag).to_vec()),
        Misbehaviour::Longer(tag) => draft.fields.set(tag, [draft.fields.get(tag), &[0]].concat()),
        Misbehaviour::Shorter(tag) => draft.fields.set(tag, shorter(tag, draft.fields.get(tag))),
        Misbehaviour::MalformedAaid => draft.fields.set(tag::AAID, *b"D0D0-0001"),
        Misbehaviour::OtherModel => draft.fields.set(tag::AAID, *b"FFFF#FFFF"),
        Misbehaviour::MisplacedElement => draft.fields.push(tag::SIGNATURE, [0; 64]),
        Misbehaviour::UnknownKey => draft.fields.set(tag::KEYID, sha256(draft.fields.get(tag::KEYID))),
        Misbehaviour::CriticalExtension => {
            let parts = Fields(vec![(tag::EXTENSION_ID, b"x".to_vec()), (tag::EXTENSION_DATA, Vec::new())]);
            let extension = parts.inside(tag::EXTENSION_CRITICAL)?;
            draft.fields.push(tag::EXTENSION_CRITICAL, extension.into_iter().skip(4).collect::<Vec<_>>());
        }
        Misbehaviour::UnknownElementBehind => draft.unsigned.push(Tag(0x2e99), [1]),
        Misbehaviour::SecondSignedObject => {
            let signed = draft.fields.inside(draft.signed)?;
            draft.unsigned.push(draft.signed, signed.into_iter().skip(4).collect::<Vec<_>>());
        }
        Misbehaviour::UnknownElement => draft.fields.push(Tag(0x2e99), [1]),
        Misbehaviour::DeepElements => draft.fields.push(tag::EXTENSION, nested()?),
        Misbehaviour::OtherOuterTag => {
            draft.outer = if is_registration { tag::AUTH_ASSERTION } else { tag::REG_ASSERTION };
        }
        Misbehaviour::OtherSignedTag => draft.signed = if is_registration { tag::SIGNED_DATA } else { tag::KRD },
        _ => {}
    }
    Ok(())
}

/// As short as is too short: a nonce may have any length from 8 bytes, a key id from 32.
fn shorter(tag: Tag, value: &[u8]) -> Vec<u8> {
    let length = if tag == tag::AUTHENTICATOR_NONCE { 7 } else { value.len().saturating_sub(1) };
    value.iter().copied().take(length).collect()
}

fn nested() -> Result<Vec<u8>, AuthenticatorError> {
    let mut inner = Vec::new();
    for _ in 0..50 {
        let mut outer = Vec::new();
        tlv::write(tag::EXTENSION, &inner, &mut outer)?;
        inner = outer;
    }
    Ok(inner)
}

/// Replaces bytes of ASSERTION_INFO.
pub(super) fn patch(draft: &mut Draft, at: usize, with: &[u8]) {
    let mut info = draft.fields.get(tag::ASSERTION_INFO).to_vec();
    info.iter_mut().skip(at).zip(with).for_each(|(old, new)| *old = *new);
    draft.fields.set(tag::ASSERTION_INFO, info);
}

fn algorithm(draft: &Draft) -> Option<Algorithm> {
    let bytes = draft.fields.get(tag::ASSERTION_INFO).get(ALGORITHM..ALGORITHM + 2)?;
    Algorithm::try_from(u16::from_le_bytes(bytes.try_into().ok()?)).ok()
}

/// The same signature, raw where it is DER and DER where it is raw.
pub(super) const fn other_encoding(algorithm: Algorithm) -> Algorithm {
    match algorithm {
        Algorithm::P256Raw => Algorithm::P256Der,
        Algorithm::P256Der => Algorithm::P256Raw,
        Algorithm::PssRaw => Algorithm::PssDer,
        Algorithm::PssDer => Algorithm::PssRaw,
        Algorithm::K256Raw => Algorithm::K256Der,
        Algorithm::K256Der => Algorithm::K256Raw,
        Algorithm::Pkcs1Raw => Algorithm::Pkcs1Der,
        Algorithm::Pkcs1Der => Algorithm::Pkcs1Raw,
    }
}
