//! Whether anybody can have the keys that a policy wants, told from the models alone.

use std::collections::BTreeSet;

use super::matching::{Candidate, Unknown};
use super::{Policy, disallows};
use crate::aaid::Aaid;
use crate::metadata::Models;
use crate::relying_party::RelyingParty;
use crate::wire::MatchCriteria;

impl RelyingParty {
    /// Whether there may be keys that answer: what is asked of a decoy has to be asked of some user too. A user may have
    /// several keys of each model that is neither revoked nor refused for want of a statement, of any of its algorithms.
    #[must_use]
    pub fn may_be_met(&self, wanted: &Policy) -> bool {
        wanted.may_be_met(&self.models)
    }
}

impl Policy {
    /// The same, as long as there is no server yet.
    #[must_use]
    pub fn may_be_met(&self, models: &Models) -> bool {
        // What goes by an authenticator's version tells nothing of a model.
        let always: Vec<_> =
            self.0.disallowed.iter().filter(|criterion| criterion.authenticator_version.is_none()).cloned().collect();
        let candidates: Vec<_> = self.prospects(models).into_iter().flat_map(|aaid| candidates(models, aaid)).collect();
        let fits = |member: &MatchCriteria| {
            // Somebody has the keys that it names.
            let member = MatchCriteria { key_ids: Vec::new(), ..member.clone() };
            let fits = |candidate| member.matches(candidate, Unknown::Differs) && !disallows(&always, candidate);
            candidates.iter().any(fits)
        };
        self.0.accepted.iter().any(|alternative| alternative.iter().all(fits))
    }

    /// The models that there are statements of, and of the others enough to have one of each kind that the policy tells
    /// apart by name: those that it names, and of each vendor that it names, and of one more, a model that it does not.
    fn prospects(&self, models: &Models) -> BTreeSet<Aaid> {
        let named: BTreeSet<_> = self.0.criteria().flat_map(|criterion| criterion.aaid.iter().copied()).collect();
        let vendors = || self.0.criteria().flat_map(|criterion| &criterion.vendor_id);
        let is_named = |vendor: &str| vendors().any(|named| named.as_str().eq_ignore_ascii_case(vendor));
        let other = (0..=u16::MAX).map(|vendor| format!("{vendor:04X}")).find(|vendor| !is_named(vendor));
        let vendors: BTreeSet<_> = vendors().map(|vendor| vendor.as_str().to_owned()).chain(other).collect();
        let is_further = |aaid: &Aaid| !named.contains(aaid) && models.find(*aaid).is_ok() && !models.states(*aaid);
        let further = vendors.iter().filter_map(|vendor| models_of(vendor).find(is_further));
        models.stated().chain(named.iter().copied()).chain(further).collect()
    }
}

fn models_of(vendor: &str) -> impl Iterator<Item = Aaid> {
    (0..=u16::MAX).filter_map(move |model| format!("{vendor}#{model:04X}").parse().ok())
}

/// A key of the model for each of its algorithms; none if its keys are not taken.
fn candidates(models: &Models, aaid: Aaid) -> impl Iterator<Item = Candidate<'_>> {
    models.find(aaid).into_iter().flat_map(move |model| {
        let of = move |algorithm| Candidate { aaid, key_id: None, version: None, algorithm, model: Some(model) };
        model.algorithms.iter().copied().map(of)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::algorithm::Algorithm;
    use crate::metadata::{Statement, UnknownModels};

    /// Of secp256r1 alone.
    const FIRST: &str = "D0D0#0001";
    /// Of RSA alone.
    const SECOND: &str = "D0D0#0002";

    fn statement(aaid: &str, algorithm: &str, key_format: &str) -> Statement {
        let statement = json!({
            "aaid": aaid, "description": "a model", "protocolFamily": "uaf", "schema": 3,
            "authenticatorVersion": 1, "upv": [{"major": 1, "minor": 1}],
            "authenticationAlgorithms": [algorithm], "publicKeyAlgAndEncodings": [key_format],
            "attestationTypes": ["basic_surrogate"], "attestationRootCertificates": [],
            "userVerificationDetails": [[{"userVerificationMethod": "fingerprint_internal"}]],
            "keyProtection": ["software"], "matcherProtection": ["software"], "attachmentHint": ["internal"],
            "tcDisplay": ["any"], "tcDisplayContentType": "text/plain", "isKeyRestricted": true
        });
        Statement::parse(&statement.to_string()).unwrap()
    }

    fn stated() -> Models {
        Models::new(UnknownModels::Refuse)
            .with_statement(statement(FIRST, "secp256r1_ecdsa_sha256_raw", "ecc_x962_raw"))
            .with_statement(statement(SECOND, "rsassa_pss_sha256_raw", "rsa_2048_raw"))
    }

    fn surrogate() -> Models {
        Models::new(UnknownModels::Surrogate(BTreeSet::from_iter(Algorithm::ALL.iter().copied())))
    }

    fn met(models: &Models, accepted: &Value, disallowed: &Value) -> bool {
        let mut policy = json!({"accepted": accepted});
        if disallowed != &json!([]) {
            policy["disallowed"] = disallowed.clone();
        }
        Policy::parse(&policy.to_string()).unwrap().may_be_met(models)
    }

    /// A criterion of an algorithm.
    fn of(algorithm: u16, more: Value) -> Value {
        let mut criterion = json!({"authenticationAlgorithms": [algorithm], "assertionSchemes": ["UAFV1TLV"]});
        criterion.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        criterion
    }

    #[rstest]
    #[case::the_algorithm(json!([[of(3, json!({}))]]), json!([]))]
    #[case::what_the_other_is_not(json!([[of(1, json!({})), of(3, json!({}))]]), json!([]))]
    #[case::what_the_policy_leaves(
        json!([[of(1, json!({}))], [of(3, json!({}))]]), json!([{"aaid": [FIRST]}])
    )]
    #[case::the_name(json!([[{"aaid": [SECOND]}]]), json!([]))]
    fn what_only_a_revoked_model_can_meet_nobody_can(#[case] accepted: Value, #[case] disallowed: Value) {
        assert!(met(&stated(), &accepted, &disallowed));
        assert!(!met(&stated().with_revoked(SECOND.parse().unwrap()), &accepted, &disallowed));
        assert!(!met(&Models::new(UnknownModels::Refuse), &accepted, &disallowed));
    }

    #[rstest]
    #[case(of(1, json!({"userVerification": 2})), json!([]), true)]
    #[case(of(1, json!({"userVerification": 4})), json!([]), false)]
    #[case(of(1, json!({})), json!([of(1, json!({"keyProtection": 1}))]), false)]
    #[case(of(1, json!({})), json!([of(1, json!({"keyProtection": 2}))]), true)]
    #[case(of(1, json!({})), json!([{"aaid": [FIRST], "authenticatorVersion": 5}]), true)]
    #[case(json!({"aaid": [FIRST], "keyIDs": ["BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"]}), json!([]), true)]
    #[case(of(2, json!({})), json!([]), false)]
    fn a_statement_says_what_its_keys_meet(#[case] member: Value, #[case] disallowed: Value, #[case] is_met: bool) {
        assert_eq!(met(&stated(), &json!([[member, member]]), &disallowed), is_met);
    }

    #[rstest]
    #[case(of(3, json!({})), json!([]), true)]
    #[case(json!({"aaid": ["D0D0#0009"]}), json!([]), true)]
    #[case(json!({"aaid": ["D0D0#0009"]}), json!([{"aaid": ["D0D0#0009"]}]), false)]
    #[case(of(1, json!({"vendorID": ["d0d0"]})), json!([{"aaid": ["D0D0#0000"]}]), true)]
    #[case(of(1, json!({"vendorID": ["d0d0"]})), json!([of(1, json!({"vendorID": ["D0D0"]}))]), false)]
    #[case(of(1, json!({})), json!([of(1, json!({"vendorID": ["0000"]}))]), true)]
    #[case(of(1, json!({"userVerification": 2, "tcDisplay": 1})), json!([]), false)]
    #[case(of(1, json!({})), json!([of(1, json!({"userVerification": 512}))]), false)]
    fn of_a_model_without_statement_its_name_and_algorithm_are_known(
        #[case] member: Value,
        #[case] disallowed: Value,
        #[case] is_met: bool,
    ) {
        assert_eq!(met(&surrogate(), &json!([[member]]), &disallowed), is_met);
    }
}
