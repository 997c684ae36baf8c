//! Whether an authenticator has the properties that a criterion names (UAF protocol 1.1, section 3.1.12).

use crate::aaid::{Aaid, KeyId};
use crate::algorithm::Algorithm;
use crate::metadata::Model;
use crate::registry::VERIFY_ALL;
use crate::wire::{MatchCriteria, UAFV1TLV};

/// What an assertion says of its authenticator, with what is known of the model.
#[derive(Debug, Clone)]
pub(crate) struct Candidate<'a> {
    pub(crate) aaid: Aaid,
    pub(crate) key_id: Option<&'a [u8]>,
    /// `None` of a registered key: only its next answer tells what its authenticator has become.
    pub(crate) version: Option<u16>,
    pub(crate) algorithm: Algorithm,
    pub(crate) model: Option<&'a Model>,
}

/// How a property that is not known of a model compares: always so that the candidate is refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    Differs,
    Matches,
}

impl MatchCriteria {
    pub(super) fn matches(&self, candidate: &Candidate<'_>, unknown: Unknown) -> bool {
        let model = candidate.model;
        let bits = |wanted: Option<u32>, has: Option<u32>| match (wanted, has) {
            (None, _) => true,
            (Some(_), None) => unknown == Unknown::Matches,
            (Some(wanted), Some(has)) => wanted & has != 0,
        };
        let understood = !self.exts.iter().any(|extension| extension.fail_if_unknown);
        self.names(candidate)
            && (understood || unknown == Unknown::Matches)
            && bits(self.key_protection.map(u32::from), model.and_then(|m| m.key_protection))
            && bits(self.matcher_protection.map(u32::from), model.and_then(|m| m.matcher_protection))
            && bits(self.tc_display.map(u32::from), model.and_then(|m| m.tc_display))
            && bits(self.attachment_hint, model.and_then(|m| m.attachment_hint))
            && self.verifies_user(model.and_then(|m| m.user_verification.as_deref()), unknown)
            && self.attests(model, unknown)
    }

    /// The properties that the assertion itself shows.
    fn names(&self, candidate: &Candidate<'_>) -> bool {
        let vendor = candidate.aaid.vendor();
        let algorithm = u16::from(candidate.algorithm);
        let has_key = |key: &KeyId| candidate.key_id == Some(key.as_bytes());
        in_list(&self.aaid, |aaid| *aaid == candidate.aaid)
            && in_list(&self.vendor_id, |id| id.as_str().eq_ignore_ascii_case(vendor))
            && in_list(&self.key_ids, has_key)
            && in_list(&self.authentication_algorithms, |value| *value == algorithm)
            && in_list(&self.assertion_schemes, |scheme| scheme == UAFV1TLV)
            && self.takes_version(candidate.version)
    }

    fn takes_version(&self, version: Option<u16>) -> bool {
        let (Some(lowest), Some(version)) = (self.authenticator_version, version) else { return true };
        lowest <= version
    }

    fn verifies_user(&self, methods: Option<&[u32]>, unknown: Unknown) -> bool {
        let Some(wanted) = self.user_verification else {
            return true;
        };
        let Some(methods) = methods else {
            return unknown == Unknown::Matches;
        };
        methods.iter().any(|has| *has == wanted || (wanted | has) & VERIFY_ALL == 0 && wanted & has != 0)
    }

    fn attests(&self, model: Option<&Model>, unknown: Unknown) -> bool {
        match model {
            _ if self.attestation_types.is_empty() => true,
            None => unknown == Unknown::Matches,
            Some(model) => self.attestation_types.contains(&model.attestation.into()),
        }
    }
}

/// Whether an absent list leaves it open, or one of its entries is it.
fn in_list<T>(list: &[T], is_it: impl Fn(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(is_it)
}
