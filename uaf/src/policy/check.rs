//! What a policy must not say: what would weaken it unseen, or be met by nobody.

use serde_json::Value;

use super::Policy;
use crate::registry::{self, NotRegistered, VERIFY_ALL};
use crate::wire::{self, MatchCriteria, UAFV1TLV};

/// The schemes of UAF 1.1 and 1.2. A model of another than [`UAFV1TLV`] is nobody's here, but may be a client's.
const SCHEMES: [&str; 3] = [UAFV1TLV, "WAV1CBOR", "APCV1CBOR"];

/// A policy that no server may send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not the JSON of a policy; says where.
    #[error("policy: {0}")]
    Json(String),
    /// A member that is none of a policy: a typing error would otherwise weaken it unseen.
    #[error(
        "policy: unknown member {0}; a policy has accepted and disallowed, a criterion aaid, vendorID, keyIDs, \
         userVerification, keyProtection, matcherProtection, attachmentHint, tcDisplay, authenticationAlgorithms, \
         assertionSchemes, attestationTypes, authenticatorVersion and exts"
    )]
    UnknownMember(String),
    /// An alternative without any criterion would accept everything.
    #[error("policy: an alternative of accepted is empty and would take everything; write what its keys have to have")]
    EmptyAlternative,
    /// Beside aaid only keyIDs, attachmentHint, authenticatorVersion and exts may stand.
    #[error(
        "policy: a criterion combines aaid with other properties; beside aaid stand keyIDs, attachmentHint, \
         authenticatorVersion and exts alone"
    )]
    AaidCombined,
    /// Without aaid both authenticationAlgorithms and assertionSchemes must be there.
    #[error(
        "policy: a criterion has neither aaid nor both authenticationAlgorithms and assertionSchemes; write one of these"
    )]
    Unspecific,
    /// A vendor that no AAID has would never be met, and never be refused.
    #[error("policy: a vendorID is not four hexadecimal digits")]
    Vendor,
    /// The same of a property without any bit, or with a bit or value that the registry does not have.
    #[error("policy: {0}")]
    Registry(#[from] NotRegistered),
    /// The same of a scheme that no assertion has, be it for its case.
    #[error("policy: assertionSchemes: {0:?} is none of UAFV1TLV, WAV1CBOR, APCV1CBOR")]
    Scheme(String),
    /// The same of "all" (1024) of fewer than two methods: that is no combination, and no model has it.
    #[error("policy: userVerification: {0} says that all are needed together, but not which two or more methods")]
    Combination(u32),
}

impl Policy {
    /// What was read of this text, if a server may send it.
    pub(super) fn checked(text: &str, policy: wire::Policy) -> Result<Self, PolicyError> {
        // Before what is missing, which a typing error may be the reason of.
        match unknown_member(&as_json(serde_json::from_str(text))?, &as_json(serde_json::to_value(&policy))?) {
            None => {}
            Some(name) => return Err(PolicyError::UnknownMember(name)),
        }
        if policy.accepted.iter().any(Vec::is_empty) {
            return Err(PolicyError::EmptyAlternative);
        }
        policy.criteria().try_for_each(MatchCriteria::check)?;
        Ok(Self(policy))
    }
}

fn as_json(value: serde_json::Result<Value>) -> Result<Value, PolicyError> {
    value.map_err(|_| PolicyError::Json("not JSON".to_owned()))
}

/// The first member of `given` that was not understood, as it is not in `read`.
fn unknown_member(given: &Value, read: &Value) -> Option<String> {
    match (given, read) {
        (Value::Object(given), Value::Object(read)) => given.iter().find_map(|(name, value)| match read.get(name) {
            Some(read) => unknown_member(value, read),
            None => Some(name.clone()),
        }),
        (Value::Array(given), Value::Array(read)) => {
            given.iter().zip(read).find_map(|(given, read)| unknown_member(given, read))
        }
        _ => None,
    }
}

impl MatchCriteria {
    fn check(&self) -> Result<(), PolicyError> {
        if self.vendor_id.iter().any(|id| !id.as_str().bytes().all(|byte| byte.is_ascii_hexdigit())) {
            return Err(PolicyError::Vendor);
        }
        for (bits, registry) in [
            (self.user_verification, registry::USER_VERIFICATION),
            (self.key_protection.map(u32::from), registry::KEY_PROTECTION),
            (self.matcher_protection.map(u32::from), registry::MATCHER_PROTECTION),
            (self.attachment_hint, registry::ATTACHMENT_HINT),
            (self.tc_display.map(u32::from), registry::TC_DISPLAY),
        ] {
            bits.map_or(Ok(()), |bits| registry.check_bits(bits))?;
        }
        for (values, registry) in [
            (&self.authentication_algorithms, registry::ALGORITHMS),
            (&self.attestation_types, registry::ATTESTATION_TYPES),
        ] {
            values.iter().try_for_each(|value| registry.check(u32::from(*value)))?;
        }
        if let Some(unknown) = self.assertion_schemes.iter().find(|scheme| !SCHEMES.contains(&scheme.as_str())) {
            return Err(PolicyError::Scheme(unknown.clone()));
        }
        self.user_verification.map_or(Ok(()), check_methods)?;
        self.check_combination()
    }

    /// What may stand together.
    fn check_combination(&self) -> Result<(), PolicyError> {
        if self.aaid.is_empty() {
            let specific = !self.authentication_algorithms.is_empty() && !self.assertion_schemes.is_empty();
            return if specific { Ok(()) } else { Err(PolicyError::Unspecific) };
        }
        let alone = Self {
            aaid: self.aaid.clone(),
            key_ids: self.key_ids.clone(),
            attachment_hint: self.attachment_hint,
            authenticator_version: self.authenticator_version,
            exts: self.exts.clone(),
            ..Self::default()
        };
        if *self == alone { Ok(()) } else { Err(PolicyError::AaidCombined) }
    }
}

/// Which methods are needed together.
fn check_methods(bits: u32) -> Result<(), PolicyError> {
    let methods = (bits & !VERIFY_ALL).count_ones();
    if bits & VERIFY_ALL != 0 && methods < 2 { Err(PolicyError::Combination(bits)) } else { Ok(()) }
}
