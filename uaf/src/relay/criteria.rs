//! What a criterion of another server's policy says of a key, as far as its assertion tells.

use crate::aaid::KeyRef;
use crate::incoming::Asserted;
use crate::wire::{MatchCriteria, UAFV1TLV};

pub(super) fn names_key(criterion: &MatchCriteria) -> bool {
    !criterion.aaid.is_empty() && !criterion.key_ids.is_empty()
}

/// Whether everything that a criterion says is so of this key. What it says of a model is for the server to judge, which
/// knows the models.
pub(super) fn refuses(criterion: &MatchCriteria, asserted: &Asserted) -> bool {
    let MatchCriteria { authentication_algorithms: algorithms, assertion_schemes: schemes, .. } = criterion;
    let told_by_assertions = MatchCriteria {
        aaid: criterion.aaid.clone(),
        vendor_id: criterion.vendor_id.clone(),
        key_ids: criterion.key_ids.clone(),
        authentication_algorithms: algorithms.clone(),
        assertion_schemes: schemes.clone(),
        authenticator_version: criterion.authenticator_version,
        ..MatchCriteria::default()
    };
    *criterion == told_by_assertions
        && covers(criterion, &asserted.key)
        && (algorithms.is_empty() || algorithms.contains(&asserted.algorithm))
        && (schemes.is_empty() || schemes.iter().any(|scheme| scheme == UAFV1TLV))
        && criterion.authenticator_version.is_none_or(|lowest| lowest <= asserted.version)
}

/// Whether nothing that a criterion says of vendor, model and key id speaks against this key.
pub(super) fn covers(criterion: &MatchCriteria, key: &KeyRef) -> bool {
    let vendor = key.aaid.vendor();
    let of_vendor = criterion.vendor_id.iter().any(|id| id.as_str().eq_ignore_ascii_case(vendor));
    (criterion.aaid.is_empty() || criterion.aaid.contains(&key.aaid))
        && (criterion.vendor_id.is_empty() || of_vendor)
        && (criterion.key_ids.is_empty() || criterion.key_ids.contains(&key.key_id))
}
