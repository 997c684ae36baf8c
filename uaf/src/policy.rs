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
mod check;
mod matching;
mod prospect;
mod step_up;

use crate::aaid::{Aaid, KeyRef};
use crate::algorithm::Algorithm;
use crate::encoding;
use crate::error::Error;
use crate::metadata::{Model, Models};
use crate::wire::{self, MatchCriteria, UAFV1TLV};

use assignment::Fits;
pub use check::PolicyError;
pub(crate) use matching::Candidate;
use matching::Unknown;

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

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        Self::checked(text, encoding::parse_file(text).map_err(PolicyError::Json)?)
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

#[cfg(test)]
mod tests;
