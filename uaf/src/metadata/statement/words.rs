//! Statements of version 3: registry values as words, bit fields as lists of words.

use serde::Deserialize;

use super::{Said, StatementError};
use crate::aaid::Aaid;
use crate::algorithm::{Algorithm, AttestationType, KeyFormat};
use crate::encoding::{self, read_as_dictionary};
use crate::wire::Version;

read_as_dictionary!(Raw, Method);

#[derive(Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
struct Raw {
    aaid: Aaid,
    protocol_family: String,
    authenticator_version: u16,
    upv: Vec<Version>,
    authentication_algorithms: Vec<String>,
    public_key_alg_and_encodings: Vec<String>,
    attestation_types: Vec<String>,
    user_verification_details: Vec<Vec<Method>>,
    key_protection: Vec<String>,
    matcher_protection: Vec<String>,
    attachment_hint: Option<Vec<String>>,
    tc_display: Vec<String>,
    tc_display_content_type: Option<String>,
    attestation_root_certificates: Vec<String>,
    #[serde(default = "yes")]
    is_key_restricted: bool,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
struct Method {
    user_verification_method: String,
}

const fn yes() -> bool {
    true
}

const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("secp256r1_ecdsa_sha256_raw", Algorithm::P256Raw),
    ("secp256r1_ecdsa_sha256_der", Algorithm::P256Der),
    ("rsassa_pss_sha256_raw", Algorithm::PssRaw),
    ("rsassa_pss_sha256_der", Algorithm::PssDer),
    ("secp256k1_ecdsa_sha256_raw", Algorithm::K256Raw),
    ("secp256k1_ecdsa_sha256_der", Algorithm::K256Der),
    ("rsa_emsa_pkcs1_sha256_raw", Algorithm::Pkcs1Raw),
    ("rsa_emsa_pkcs1_sha256_der", Algorithm::Pkcs1Der),
];
const KEY_FORMATS: &[(&str, KeyFormat)] = &[
    ("ecc_x962_raw", KeyFormat::EcRaw),
    ("ecc_x962_der", KeyFormat::EcDer),
    ("rsa_2048_raw", KeyFormat::RsaRaw),
    ("rsa_2048_der", KeyFormat::RsaDer),
];
const ATTESTATION_TYPES: &[(&str, AttestationType)] = &[
    ("basic_full", AttestationType::BasicFull),
    ("basic_surrogate", AttestationType::BasicSurrogate),
    ("ecdaa", AttestationType::Ecdaa),
];
const METHODS: &[(&str, u32)] = &[
    ("presence_internal", 1),
    ("fingerprint_internal", 2),
    ("passcode_internal", 4),
    ("voiceprint_internal", 8),
    ("faceprint_internal", 0x10),
    ("location_internal", 0x20),
    ("eyeprint_internal", 0x40),
    ("pattern_internal", 0x80),
    ("handprint_internal", 0x100),
    ("none", 0x200),
    ("all", 0x400),
    ("passcode_external", 0x800),
    ("pattern_external", 0x1000),
];
const KEY_PROTECTION: &[(&str, u16)] =
    &[("software", 1), ("hardware", 2), ("tee", 4), ("secure_element", 8), ("remote_handle", 0x10)];
const MATCHER_PROTECTION: &[(&str, u16)] = &[("software", 1), ("tee", 2), ("on_chip", 4)];
const ATTACHMENT_HINT: &[(&str, u32)] = &[
    ("internal", 1),
    ("external", 2),
    ("wired", 4),
    ("wireless", 8),
    ("nfc", 0x10),
    ("bluetooth", 0x20),
    ("network", 0x40),
    ("ready", 0x80),
    ("wifi_direct", 0x100),
];
const TC_DISPLAY: &[(&str, u16)] =
    &[("any", 1), ("privileged_software", 2), ("tee", 4), ("hardware", 8), ("remote", 0x10)];

pub(super) fn read(text: &str) -> Result<Said, StatementError> {
    let raw: Raw = encoding::parse(text)?;
    if raw.protocol_family != "uaf" {
        return Err(StatementError::NotUaf("protocolFamily"));
    }
    let hints = raw.attachment_hint.map(|words| bits("attachmentHint", &words, ATTACHMENT_HINT)).transpose()?;
    Ok(Said {
        aaid: raw.aaid,
        authenticator_version: raw.authenticator_version,
        upv: raw.upv,
        algorithms: served(&raw.authentication_algorithms, ALGORITHMS),
        key_formats: served(&raw.public_key_alg_and_encodings, KEY_FORMATS),
        attestation_types: served(&raw.attestation_types, ATTESTATION_TYPES),
        user_verification: methods(&raw.user_verification_details)?,
        key_protection: bits("keyProtection", &raw.key_protection, KEY_PROTECTION)?,
        matcher_protection: bits("matcherProtection", &raw.matcher_protection, MATCHER_PROTECTION)?,
        attachment_hint: hints,
        tc_display: bits("tcDisplay", &raw.tc_display, TC_DISPLAY)?,
        tc_display_content_type: raw.tc_display_content_type,
        roots: raw.attestation_root_certificates,
        // Version 3 does not say it any more.
        second_factor_only: false,
        key_restricted: raw.is_key_restricted,
    })
}

/// The words that this server does; of a model that can do more it takes these.
fn served<T: Copy, C: FromIterator<T>>(said: &[String], known: &[(&str, T)]) -> C {
    said.iter().filter_map(|word| known.iter().find(|(name, _)| name == word)).map(|(_, value)| *value).collect()
}

/// One bit for each word. What cannot be read could be what a policy refuses.
fn bits<T>(member: &'static str, said: &[String], known: &[(&str, T)]) -> Result<T, StatementError>
where
    T: Copy + Default + std::ops::BitOr<Output = T>,
{
    said.iter().try_fold(T::default(), |bits, word| Ok(bits | bit(member, word, known)?))
}

fn bit<T: Copy>(member: &'static str, word: &str, known: &[(&str, T)]) -> Result<T, StatementError> {
    let found = known.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
    found.ok_or_else(|| StatementError::Word { member, word: word.to_owned() })
}

fn methods(combinations: &[Vec<Method>]) -> Result<Vec<Vec<u32>>, StatementError> {
    let of = |method: &Method| bit("userVerificationDetails", &method.user_verification_method, METHODS);
    combinations.iter().map(|combination| combination.iter().map(of).collect()).collect()
}
