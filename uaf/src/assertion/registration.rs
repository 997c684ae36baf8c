//! REG_ASSERTION: the key registration data (KRD) and its attestation.

use super::Common;
use super::fields::{Once, outer, signed_first, skip, sort_signed};
use crate::algorithm::{Algorithm, AttestationType};
use crate::error::Error;
use crate::tlv::{Element, Elements, TlvError, tag};

/// A new key, as its authenticator presents it.
#[derive(Debug, Clone)]
pub struct RegistrationAssertion<'a> {
    /// What every assertion has. The algorithm is that of the attestation signature.
    pub common: Common<'a>,
    /// How many registrations the authenticator has made; 0 if it does not count.
    pub registration_counter: u32,
    /// How the public key is written, registry value.
    pub key_format: u16,
    /// The public key.
    pub public_key: &'a [u8],
    /// What proves the model.
    pub attestation: Attestation<'a>,
}

/// What proves the model: the type, and the certificates where it has them, leaf first.
#[derive(Debug, Clone)]
pub struct Attestation<'a> {
    /// The type.
    pub kind: AttestationType,
    /// DER certificates.
    pub certificates: Vec<&'a [u8]>,
}

/// In a KRD only "user verified" makes sense.
const MODE_USER_VERIFIED: u8 = 1;

impl<'a> RegistrationAssertion<'a> {
    /// Parses the bytes of an assertion; nothing is verified.
    ///
    /// # Errors
    /// [`Error::Tlv`], [`Error::Mode`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let outer = outer(bytes, tag::REG_ASSERTION)?;
        let (krd, rest) = signed_first(&outer, tag::KRD)?;
        let (attestation, signature) = read_attestation(rest)?;
        Self::of_krd(&krd, attestation, signature)
    }

    fn of_krd(krd: &Element<'a>, attestation: Attestation<'a>, signature: &'a [u8]) -> Result<Self, Error> {
        let mut aaid = Once::new(tag::AAID);
        let mut info = Once::new(tag::ASSERTION_INFO);
        let mut hash = Once::new(tag::FINAL_CHALLENGE_HASH);
        let mut key_id = Once::new(tag::KEYID);
        let mut counters = Once::new(tag::COUNTERS);
        let mut public_key = Once::new(tag::PUB_KEY);
        let places = &mut [&mut aaid, &mut info, &mut hash, &mut key_id, &mut counters, &mut public_key];
        sort_signed(krd.children(), places)?;

        let [v0, v1, mode, a0, a1, f0, f1] = info.take_array()?;
        let [s0, s1, s2, s3, r0, r1, r2, r3] = counters.take_array()?;
        if mode != MODE_USER_VERIFIED {
            return Err(Error::Mode);
        }
        let algorithm = u16::from_le_bytes([a0, a1]);
        let common = Common {
            aaid: aaid.take_aaid()?,
            version: u16::from_le_bytes([v0, v1]),
            algorithm: Algorithm::try_from(algorithm).map_err(|_| algorithm),
            final_challenge_hash: hash.take()?,
            key_id: key_id.take_within(32..=2048)?,
            sign_counter: u32::from_le_bytes([s0, s1, s2, s3]),
            signed: krd.whole,
            signature,
        };
        Ok(Self {
            common,
            registration_counter: u32::from_le_bytes([r0, r1, r2, r3]),
            key_format: u16::from_le_bytes([f0, f1]),
            public_key: public_key.take()?,
            attestation,
        })
    }
}

/// Exactly one attestation object, anything else only if it may be passed over.
fn read_attestation(rest: Elements<'_>) -> Result<(Attestation<'_>, &[u8]), TlvError> {
    let mut found = None;
    for element in rest {
        let element = element?;
        let kind = match element.tag {
            tag::BASIC_FULL => AttestationType::BasicFull,
            tag::BASIC_SURROGATE => AttestationType::BasicSurrogate,
            tag::ECDAA => AttestationType::Ecdaa,
            tag::KRD => return Err(TlvError::Duplicate(tag::KRD)),
            _ => {
                skip(&element)?;
                continue;
            }
        };
        if found.replace(read_attestation_object(kind, &element)?).is_some() {
            return Err(TlvError::Duplicate(element.tag));
        }
    }
    found.ok_or(TlvError::Missing(tag::BASIC_SURROGATE))
}

fn read_attestation_object<'a>(
    kind: AttestationType,
    object: &Element<'a>,
) -> Result<(Attestation<'a>, &'a [u8]), TlvError> {
    let mut signature = None;
    let mut certificates = Vec::new();
    for element in object.children() {
        let element = element?;
        match element.tag {
            tag::SIGNATURE if signature.replace(element.value).is_some() => {
                return Err(TlvError::Duplicate(tag::SIGNATURE));
            }
            tag::SIGNATURE => {}
            tag::ATTESTATION_CERT if kind == AttestationType::BasicFull => certificates.push(element.value),
            _ => skip(&element)?,
        }
    }
    let signature = signature.ok_or(TlvError::Missing(tag::SIGNATURE))?;
    if kind == AttestationType::BasicFull && certificates.is_empty() {
        return Err(TlvError::Missing(tag::ATTESTATION_CERT));
    }
    Ok((Attestation { kind, certificates }, signature))
}
