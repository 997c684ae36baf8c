//! The values that FIDO's registries have for the properties of authenticators, with the words that statements of version
//! 3 write for them (registry of predefined values, UAF registry). Policies and statements are checked
//! against the same tables: what one of them could not say, the other could never meet.

use std::fmt;

/// Set where all methods of a combination are needed together.
pub(crate) const VERIFY_ALL: u32 = 0x400;

/// A value that the registry does not have. What cannot be read could be what a policy refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {value} is not of the FIDO registry, which has {known}")]
pub struct NotRegistered {
    /// The member that says it.
    pub member: &'static str,
    /// What it says.
    pub value: String,
    /// What it could say: numbers with their words.
    pub known: String,
}

/// One property: numbers and their words, each number a bit of its own where several can be said at once.
#[derive(Clone, Copy)]
pub(crate) struct Registry {
    member: &'static str,
    values: &'static [(&'static str, u32)],
}

impl Registry {
    /// The same under the name of another member.
    pub(crate) const fn written(self, member: &'static str) -> Self {
        Self { member, ..self }
    }

    /// Checks that a value is one of the registry's.
    pub(crate) fn check(self, value: u32) -> Result<(), NotRegistered> {
        if self.values.iter().any(|(_, known)| *known == value) { Ok(()) } else { Err(self.refuse(value)) }
    }

    /// Checks that bits are the registry's, and that there is one: a property without any is neither met nor refused.
    pub(crate) fn check_bits(self, bits: u32) -> Result<(), NotRegistered> {
        let known = self.values.iter().fold(0, |all, (_, bit)| all | bit);
        if bits != 0 && bits & !known == 0 { Ok(()) } else { Err(self.refuse(bits)) }
    }

    /// The value of a word.
    pub(crate) fn value(self, word: &str) -> Result<u32, NotRegistered> {
        let found = self.values.iter().find(|(known, _)| *known == word);
        found.map(|(_, value)| *value).ok_or_else(|| self.refuse(format_args!("{word:?}")))
    }

    /// One bit for each word.
    pub(crate) fn bits(self, words: &[String]) -> Result<u32, NotRegistered> {
        words.iter().try_fold(0, |bits, word| Ok(bits | self.value(word)?))
    }

    fn refuse(self, value: impl fmt::Display) -> NotRegistered {
        let known: Vec<_> = self.values.iter().map(|(word, value)| format!("{value} {word}")).collect();
        NotRegistered { member: self.member, value: value.to_string(), known: known.join(", ") }
    }
}

pub(crate) const USER_VERIFICATION: Registry = Registry {
    member: "userVerification",
    values: &[
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
        ("passcode_external", 0x800),
        ("pattern_external", 0x1000),
        ("all", VERIFY_ALL),
    ],
};

/// The same without `all`, the last: a statement says by its lists what is needed together.
pub(crate) const METHOD: Registry = Registry {
    member: "userVerificationDetails",
    values: match USER_VERIFICATION.values.split_last() {
        Some((_, methods)) => methods,
        None => &[],
    },
};

pub(crate) const KEY_PROTECTION: Registry = Registry {
    member: "keyProtection",
    values: &[("software", 1), ("hardware", 2), ("tee", 4), ("secure_element", 8), ("remote_handle", 0x10)],
};

pub(crate) const MATCHER_PROTECTION: Registry =
    Registry { member: "matcherProtection", values: &[("software", 1), ("tee", 2), ("on_chip", 4)] };

pub(crate) const ATTACHMENT_HINT: Registry = Registry {
    member: "attachmentHint",
    values: &[
        ("internal", 1),
        ("external", 2),
        ("wired", 4),
        ("wireless", 8),
        ("nfc", 0x10),
        ("bluetooth", 0x20),
        ("network", 0x40),
        ("ready", 0x80),
        ("wifi_direct", 0x100),
    ],
};

pub(crate) const TC_DISPLAY: Registry = Registry {
    member: "tcDisplay",
    values: &[("any", 1), ("privileged_software", 2), ("tee", 4), ("hardware", 8), ("remote", 0x10)],
};

/// Those that are not served are here as well: a model may do more than this server.
pub(crate) const ALGORITHMS: Registry = Registry {
    member: "authenticationAlgorithms",
    values: &[
        ("secp256r1_ecdsa_sha256_raw", 0x01),
        ("secp256r1_ecdsa_sha256_der", 0x02),
        ("rsassa_pss_sha256_raw", 0x03),
        ("rsassa_pss_sha256_der", 0x04),
        ("secp256k1_ecdsa_sha256_raw", 0x05),
        ("secp256k1_ecdsa_sha256_der", 0x06),
        ("sm2_sm3_raw", 0x07),
        ("rsa_emsa_pkcs1_sha256_raw", 0x08),
        ("rsa_emsa_pkcs1_sha256_der", 0x09),
        ("rsassa_pss_sha384_raw", 0x0a),
        ("rsassa_pss_sha512_raw", 0x0b),
        ("rsassa_pkcsv15_sha256_raw", 0x0c),
        ("rsassa_pkcsv15_sha384_raw", 0x0d),
        ("rsassa_pkcsv15_sha512_raw", 0x0e),
        ("rsassa_pkcsv15_sha1_raw", 0x0f),
        ("secp384r1_ecdsa_sha384_raw", 0x10),
        ("secp521r1_ecdsa_sha512_raw", 0x11),
        // As an earlier registry misspelt it.
        ("secp512r1_ecdsa_sha256_raw", 0x11),
        ("ed25519_eddsa_sha512_raw", 0x12),
        ("ed448_eddsa_sha512_raw", 0x13),
    ],
};

pub(crate) const KEY_FORMATS: Registry = Registry {
    member: "publicKeyAlgAndEncodings",
    values: &[
        ("ecc_x962_raw", 0x100),
        ("ecc_x962_der", 0x101),
        ("rsa_2048_raw", 0x102),
        ("rsa_2048_der", 0x103),
        ("cose", 0x104),
    ],
};

pub(crate) const ATTESTATION_TYPES: Registry = Registry {
    member: "attestationTypes",
    values: &[
        ("basic_full", 0x3e07),
        ("basic_surrogate", 0x3e08),
        ("ecdaa", 0x3e09),
        ("attca", 0x3e0a),
        ("none", 0x3e0b),
        ("anonca", 0x3e0c),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::{Algorithm, AttestationType, KeyFormat};

    #[test]
    fn what_is_served_is_of_the_registry() {
        assert!(Algorithm::ALL.iter().all(|value| ALGORITHMS.check(u16::from(*value).into()).is_ok()));
        assert!(KeyFormat::ALL.iter().all(|value| KEY_FORMATS.check(u16::from(*value).into()).is_ok()));
        assert!(AttestationType::ALL.iter().all(|value| ATTESTATION_TYPES.check(u16::from(*value).into()).is_ok()));
    }

    #[test]
    fn a_method_is_never_all_of_them() {
        assert!(USER_VERIFICATION.check_bits(VERIFY_ALL | 2).is_ok());
        assert!(METHOD.check(VERIFY_ALL).is_err());
        assert!(METHOD.check(2 | 4).is_err());
        assert_eq!(METHOD.values.len() + 1, USER_VERIFICATION.values.len());
    }

    #[test]
    fn the_message_names_member_value_and_what_could_be_said() {
        let error = MATCHER_PROTECTION.check_bits(9).unwrap_err().to_string();
        let of_the_registry = "is not of the FIDO registry, which has 1 software, 2 tee, 4 on_chip";
        assert_eq!(error, format!("matcherProtection: 9 {of_the_registry}"));
        let error = MATCHER_PROTECTION.value("chip").unwrap_err().to_string();
        assert_eq!(error, format!("matcherProtection: \"chip\" {of_the_registry}"));
    }
}
