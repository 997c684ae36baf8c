//! Reading and applying policies (UAF protocol 1.1, sections 3.1.12 and 3.1.13).
//!
//! ```
//! use sidegate_uaf::policy::{Policy, PolicyError};
//!
//! # fn main() -> Result<(), PolicyError> {
//! // One model, or any that signs with ECDSA on P-256 and keeps its keys in hardware; none that is software.
//! Policy::parse(
//!     r#"{
//!         "accepted": [
//!             [{"aaid": ["D0D0#0001"]}],
//!             [{"authenticationAlgorithms": [1, 2], "assertionSchemes": ["UAFV1TLV"], "keyProtection": 2}]
//!         ],
//!         "disallowed": [
//!             {"authenticationAlgorithms": [1, 2], "assertionSchemes": ["UAFV1TLV"], "keyProtection": 1}
//!         ]
//!     }"#,
//! )?;
//! // What would weaken a policy unseen is an error that names it.
//! let misspelt = Policy::parse(r#"{"accepted": [[{"aaid": ["D0D0#0001"]}]], "dissallowed": []}"#);
//! assert_eq!(misspelt, Err(PolicyError::UnknownMember("dissallowed".into())));
//! # Ok(())
//! # }
//! ```

mod assignment;
mod matching;
mod prospect;
mod step_up;

use serde_json::Value;

use crate::aaid::{Aaid, KeyRef};
use crate::algorithm::Algorithm;
use crate::encoding;
use crate::error::Error;
use crate::metadata::{Model, Models};
use crate::registry::{self, NotRegistered, VERIFY_ALL};
use crate::wire::{self, MatchCriteria, UAFV1TLV};

use assignment::Fits;
pub(crate) use matching::Candidate;
use matching::Unknown;

/// The schemes of UAF 1.1 and 1.2. A model of another than [`UAFV1TLV`] is nobody's here, but may be a client's.
const SCHEMES: [&str; 3] = [UAFV1TLV, "WAV1CBOR", "APCV1CBOR"];

/// Which authenticators may answer, checked: what a server may send. What somebody else sent is a [`wire::Policy`], and that
/// is none.
///
/// ```
/// use sidegate_uaf::wire::Policy;
/// let unchecked: Policy = serde_json::from_str(r#"{"accepted": [[]]}"#).unwrap();
/// ```
/// ```compile_fail,E0277
/// use sidegate_uaf::policy::Policy;
/// let unchecked: Policy = serde_json::from_str(r#"{"accepted": [[]]}"#).unwrap();
/// ```
/// ```compile_fail,E0423
/// use sidegate_uaf::{policy::Policy, wire};
/// let unchecked = wire::Policy { accepted: Vec::new(), disallowed: Vec::new() };
/// let policy = Policy(unchecked);
/// ```
/// ```compile_fail,E0616
/// let mut policy = sidegate_uaf::policy::Policy::any();
/// policy.0.accepted.clear();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy(wire::Policy);

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
    /// Reads a policy file.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let policy: wire::Policy = encoding::parse_file(text).map_err(PolicyError::Json)?;
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

    /// Accepts every authenticator that signs with an algorithm of ours.
    #[must_use]
    pub fn any() -> Self {
        let criterion = MatchCriteria {
            authentication_algorithms: Algorithm::ALL.iter().copied().map(u16::from).collect(),
            assertion_schemes: vec![UAFV1TLV.to_owned()],
            ..MatchCriteria::default()
        };
        Self(wire::Policy { accepted: vec![vec![criterion]], disallowed: Vec::new() })
    }

    /// As requests hold it.
    #[must_use]
    pub const fn as_wire(&self) -> &wire::Policy {
        &self.0
    }

    /// The same, given away.
    pub(crate) fn into_wire(self) -> wire::Policy {
        self.0
    }

    /// The models that it accepts by name.
    pub fn models(&self) -> impl Iterator<Item = Aaid> + '_ {
        self.0.accepted.iter().flatten().flat_map(|criterion| criterion.aaid.iter().copied())
    }

    /// With its first alternative alone.
    pub(crate) fn preferred(mut self) -> Self {
        self.0.accepted.truncate(1);
        self
    }

    /// Refuses these keys besides: what a user has cannot be registered again.
    pub(crate) fn disallow_keys(&mut self, keys: &[KeyRef]) {
        self.0.disallowed.extend(by_model(keys));
    }

    /// Refuses these models besides.
    pub(crate) fn disallow_models(&mut self, models: Vec<Aaid>) {
        if !models.is_empty() {
            self.0.disallowed.push(MatchCriteria { aaid: models, ..MatchCriteria::default() });
        }
    }
}

impl wire::Policy {
    /// Whether an alternative names this key.
    pub(crate) fn names(&self, key: &KeyRef) -> bool {
        let named =
            |criterion: &MatchCriteria| criterion.aaid.contains(&key.aaid) && criterion.key_ids.contains(&key.key_id);
        self.accepted.iter().flatten().any(named)
    }

    fn criteria(&self) -> impl Iterator<Item = &MatchCriteria> {
        self.accepted.iter().flatten().chain(&self.disallowed)
    }

    /// Whether the candidate may take part in an answer.
    pub(crate) fn admits(&self, candidate: &Candidate<'_>) -> bool {
        self.accepted.iter().flatten().any(|criterion| criterion.matches(candidate, Unknown::Differs))
            && !self.disallows(candidate)
    }

    /// Whether the candidate is refused whatever else is said.
    pub(crate) fn disallows(&self, candidate: &Candidate<'_>) -> bool {
        disallows(&self.disallowed, candidate)
    }

    /// The model of a candidate that may take part in an answer to this policy, which was sent.
    ///
    /// # Errors
    /// [`Error::ModelRevoked`] whatever the policy says, [`Error::NotInPolicy`], [`Error::UnknownModel`].
    pub(crate) fn admit<'m>(&self, candidate: &Candidate<'_>, models: &'m Models) -> Result<&'m Model, Error> {
        match models.find(candidate.aaid) {
            Err(Error::ModelRevoked) => Err(Error::ModelRevoked),
            found if self.admits(candidate) => found,
            _ => Err(Error::NotInPolicy),
        }
    }

    /// Whether some alternative has a candidate of its own for each member, and all candidates among its members.
    pub(crate) fn is_met_by(&self, candidates: &[Candidate<'_>]) -> bool {
        self.accepted.iter().any(|alternative| {
            let fits = Fits::of(alternative, candidates);
            fits.fill_all_members() && fits.use_all_candidates()
        })
    }
}

/// Whether one of the criteria may be the candidate's.
fn disallows(disallowed: &[MatchCriteria], candidate: &Candidate<'_>) -> bool {
    disallowed.iter().any(|criterion| criterion.matches(candidate, Unknown::Matches))
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

/// One criterion for each model, in the order of first mention.
fn by_model<'k>(keys: impl IntoIterator<Item = &'k KeyRef>) -> Vec<MatchCriteria> {
    let mut criteria: Vec<MatchCriteria> = Vec::new();
    for KeyRef { aaid, key_id } in keys {
        match criteria.iter_mut().find(|criterion| criterion.aaid.contains(aaid)) {
            Some(criterion) => criterion.key_ids.push(key_id.clone()),
            None => criteria.push(MatchCriteria {
                aaid: vec![*aaid],
                key_ids: vec![key_id.clone()],
                ..MatchCriteria::default()
            }),
        }
    }
    criteria
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

#[cfg(test)]
mod tests;
