use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::algorithm::AttestationType;
use crate::metadata::{Model, Models, UnknownModels};
use crate::testing::key_ref;

fn policy(accepted: Value, disallowed: Value) -> Result<Policy, PolicyError> {
    let mut policy = json!({"accepted": accepted});
    if disallowed != json!([]) {
        policy["disallowed"] = disallowed;
    }
    Policy::parse(&policy.to_string())
}

impl Policy {
    /// Accepts exactly these keys, any one of them.
    pub(crate) fn of_keys(keys: &[KeyRef]) -> Self {
        let accepted = by_model(keys).into_iter().map(|criterion| vec![criterion]).collect();
        Self(wire::Policy { accepted, disallowed: Vec::new() })
    }
}

fn model() -> Model {
    Model {
        algorithms: BTreeSet::from([Algorithm::P256Raw]),
        attestation: AttestationType::BasicSurrogate,
        roots: crate::crypto::TrustAnchors::default(),
        lowest_version: 1,
        upv: None,
        user_verification: Some(vec![2, 0x402 | 4]),
        key_protection: Some(6),
        matcher_protection: Some(2),
        attachment_hint: Some(1),
        tc_display: Some(3),
        takes: None,
        second_factor_only: false,
        key_restricted: true,
    }
}

fn candidate<'a>(model: Option<&'a Model>, key: &'a KeyRef) -> Candidate<'a> {
    let key_id = Some(key.key_id.as_bytes());
    Candidate { aaid: key.aaid, key_id, version: Some(3), algorithm: Algorithm::P256Raw, model }
}

/// A criterion with what must be there without aaid.
fn general(more: Value) -> Value {
    let mut criterion = json!({"authenticationAlgorithms": [1], "assertionSchemes": ["UAFV1TLV"]});
    criterion.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    criterion
}

#[rstest]
#[case(json!({"aaid": ["d0d0#0001"]}), true)]
#[case(json!({"aaid": ["D0D0#0002", "D0D0#0001"]}), true)]
#[case(json!({"aaid": ["D0D0#0002"]}), false)]
#[case(json!({"aaid": ["D0D0#0001"], "keyIDs": ["BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"]}), true)]
#[case(json!({"aaid": ["D0D0#0001"], "keyIDs": ["CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg"]}), false)]
#[case(json!({"aaid": ["D0D0#0001"], "authenticatorVersion": 3}), true)]
#[case(json!({"aaid": ["D0D0#0001"], "authenticatorVersion": 4}), false)]
#[case(json!({"aaid": ["D0D0#0001"], "attachmentHint": 3}), true)]
#[case(json!({"aaid": ["D0D0#0001"], "attachmentHint": 2}), false)]
#[case(general(json!({})), true)]
#[case(general(json!({"authenticationAlgorithms": [2, 3]})), false)]
#[case(general(json!({"assertionSchemes": ["WAV1CBOR"]})), false)]
#[case(general(json!({"vendorID": ["d0d0"]})), true)]
#[case(general(json!({"vendorID": ["D1D0"]})), false)]
#[case(general(json!({"keyProtection": 2})), true)]
#[case(general(json!({"keyProtection": 9})), false)]
#[case(general(json!({"matcherProtection": 3})), true)]
#[case(general(json!({"matcherProtection": 4})), false)]
#[case(general(json!({"tcDisplay": 2})), true)]
#[case(general(json!({"tcDisplay": 4})), false)]
#[case(general(json!({"attestationTypes": [15879, 15880]})), true)]
#[case(general(json!({"attestationTypes": [15879]})), false)]
#[case(general(json!({"userVerification": 3})), true)]
#[case(general(json!({"userVerification": 8})), false)]
#[case(general(json!({"userVerification": 0x406})), true)]
#[case(general(json!({"userVerification": 0x403})), false)]
#[case(general(json!({"userVerification": 4})), false)]
#[case(general(json!({"exts": [{"id": "x", "data": "", "fail_if_unknown": false}]})), true)]
#[case(general(json!({"exts": [{"id": "x", "data": "", "fail_if_unknown": true}]})), false)]
fn a_criterion_compares_every_property(#[case] criterion: Value, #[case] fits: bool) {
    let (model, key) = (model(), key_ref("D0D0#0001", 7));
    let candidate = candidate(Some(&model), &key);
    let policy = policy(json!([[criterion]]), json!([])).unwrap();
    assert_eq!((policy.0.admits(&candidate), policy.0.is_met_by(std::slice::from_ref(&candidate))), (fits, fits));
}

#[rstest]
fn what_is_not_known_of_a_model_never_speaks_for_it(
    #[values(
        json!({"userVerification": 2}),
        json!({"keyProtection": 2}),
        json!({"matcherProtection": 2}),
        json!({"attachmentHint": 1}),
        json!({"tcDisplay": 1}),
        json!({"attestationTypes": [15880]})
    )]
    property: Value,
) {
    let key = key_ref("D0D0#0001", 7);
    let unknown = candidate(None, &key);
    let wanted = policy(json!([[general(property.clone())]]), json!([])).unwrap();
    assert!(!wanted.0.admits(&unknown));
    let unwanted = policy(json!([[general(json!({}))]]), json!([general(property)])).unwrap();
    assert!(!unwanted.0.admits(&unknown));
}

#[test]
fn disallowed_wins() {
    let (model, key) = (model(), key_ref("D0D0#0001", 7));
    let candidate = candidate(Some(&model), &key);
    let accepted = json!([[{"aaid": ["D0D0#0001"]}]]);
    assert!(policy(accepted.clone(), json!([{"aaid": ["D0D0#0002"]}])).unwrap().0.admits(&candidate));
    assert!(!policy(accepted, json!([{"aaid": ["D0D0#0001"]}])).unwrap().0.admits(&candidate));
}

#[test]
fn an_alternative_is_met_by_all_its_members_and_nothing_else() {
    let model = model();
    let keys = ["D0D0#0001", "D0D0#0002", "D0D0#0003"].map(|aaid| key_ref(aaid, 7));
    let [first, second, third] = keys.each_ref().map(|key| candidate(Some(&model), key));
    let alternatives = json!([[{"aaid": ["D0D0#0001"]}, {"aaid": ["D0D0#0002"]}], [{"aaid": ["D0D0#0003"]}]]);
    let policy = policy(alternatives, json!([])).unwrap();
    let met = |candidates: &[&Candidate<'_>]| {
        policy.0.is_met_by(&candidates.iter().map(|&candidate| candidate.clone()).collect::<Vec<_>>())
    };
    assert!(met(&[&first, &second]) && met(&[&second, &first]) && met(&[&third]));
    assert!(!met(&[&first]) && !met(&[&first, &second, &third]) && !met(&[&first, &third]) && !met(&[]));
}

#[test]
fn each_member_has_an_authenticator_of_its_own() {
    let model = model();
    let keys = ["D0D0#0001", "D0D0#0002", "D0D0#0003"].map(|aaid| key_ref(aaid, 7));
    let [first, second, third] = keys.each_ref().map(|key| candidate(Some(&model), key));
    let met = |members: Value, candidates: &[&Candidate<'_>]| {
        let candidates: Vec<_> = candidates.iter().map(|&candidate| candidate.clone()).collect();
        policy(json!([members]), json!([])).unwrap().0.is_met_by(&candidates)
    };
    let (any, one) = (general(json!({})), json!({"aaid": ["D0D0#0001"]}));
    for members in [json!([any, one]), json!([one, any]), json!([any, any])] {
        assert!(!met(members.clone(), &[&first]), "{members}");
        assert!(met(members.clone(), &[&first, &second]) && met(members, &[&second, &first]));
    }
    assert!(!met(json!([one, one]), &[&first, &first][..1]) && !met(json!([one, one]), &[&first, &second]));
    // The first two members have to make room, whatever they took at first.
    let two = json!({"aaid": ["D0D0#0001", "D0D0#0002"]});
    assert!(met(json!([any, two, one]), &[&first, &second, &third]));
    assert!(met(json!([any, two, one]), &[&second, &first, &third]));
    assert!(!met(json!([any, two, one]), &[&second, &third]));
    assert!(!met(json!([two, two, two]), &[&first, &second, &third]));
}

#[test]
fn a_revoked_model_is_told_whatever_the_policy_says() {
    let key = key_ref("D0D0#0001", 7);
    let candidate = candidate(None, &key);
    let unknown = Models::new(UnknownModels::Refuse);
    let revoked = unknown.clone().with_revoked(key.aaid);
    for (aaid, error) in [("D0D0#0001", Error::UnknownModel(key.aaid)), ("D0D0#0002", Error::NotInPolicy)] {
        let policy = policy(json!([[{"aaid": [aaid]}]]), json!([])).unwrap();
        assert_eq!(policy.0.admit(&candidate, &unknown).unwrap_err(), error);
        assert_eq!(policy.0.admit(&candidate, &revoked).unwrap_err(), Error::ModelRevoked);
    }
}

#[rstest]
#[case(json!([]), "policy: member accepted: an empty list")]
#[case(json!([[]]), "policy: an alternative of accepted is empty")]
#[case(json!([[{}]]), "policy: a criterion has neither aaid nor both authenticationAlgorithms and assertionSchemes")]
#[case(json!([[{"authenticationAlgorithms": [1]}]]), "policy: a criterion has neither aaid nor both authenticationAlgorithms and assertionSchemes")]
#[case(json!([[{"assertionSchemes": ["UAFV1TLV"]}]]), "policy: a criterion has neither aaid nor both authenticationAlgorithms and assertionSchemes")]
#[case(json!([[{"aaid": ["D0D0#0001"], "keyProtection": 2}]]), "policy: a criterion combines aaid with other properties")]
#[case(json!([[{"aaid": ["D0D0#0001"], "vendorID": ["D0D0"]}]]), "policy: a criterion combines aaid with other properties")]
#[case(json!([[{"aaid": []}]]), "policy: member accepted[0][0].aaid: an empty list")]
#[case(json!([[{"aaid": ["D0D0"]}]]), "policy: member accepted[0][0].aaid[0]")]
#[case(json!([[["D0D0#0001"]]]), "policy: member accepted[0][0]")]
fn a_policy_that_makes_no_sense_is_refused(#[case] accepted: Value, #[case] message: &str) {
    // What would be right comes behind it.
    let told = policy(accepted, json!([])).unwrap_err().to_string();
    assert!(told.starts_with(message), "{told}");
}

#[rstest]
#[case("userVerification", 0x2000)]
#[case("keyProtection", 0x20)]
#[case("matcherProtection", 8)]
#[case("attachmentHint", 0x200)]
#[case("tcDisplay", 0x20)]
fn bits_are_those_of_the_registry(#[case] name: &'static str, #[case] beyond: u32) {
    let disallowing = |bits: u32| policy(json!([[general(json!({}))]]), json!([general(json!({name: bits}))]));
    assert!(disallowing(beyond / 2).is_ok());
    for bits in [0, beyond, beyond | 1] {
        let error = disallowing(bits).unwrap_err().to_string();
        assert!(error.starts_with(&format!("policy: {name}: {bits} is not of the FIDO registry")), "{error}");
    }
}

#[rstest]
#[case("authenticationAlgorithms", 0x13, 0x14)]
#[case("attestationTypes", 15879, 15878)]
fn values_are_those_of_the_registry(#[case] name: &'static str, #[case] known: u32, #[case] unknown: u32) {
    let disallowing = |value: u32| policy(json!([[general(json!({}))]]), json!([general(json!({name: [value]}))]));
    assert!(disallowing(known).is_ok());
    let error = disallowing(unknown).unwrap_err().to_string();
    assert!(error.starts_with(&format!("policy: {name}: {unknown} is not of the FIDO registry")), "{error}");
}

#[test]
fn a_vendor_is_one_that_an_aaid_can_have() {
    let disallowing =
        |vendor: &str| policy(json!([[general(json!({}))]]), json!([general(json!({"vendorID": [vendor]}))]));
    assert!(disallowing("d0D0").is_ok());
    assert_eq!(disallowing("D0DG").unwrap_err(), PolicyError::Vendor);
}

#[test]
fn a_scheme_is_one_that_assertions_have() {
    let disallowing = |scheme: &str| {
        let criterion =
            json!({"authenticationAlgorithms": [1], "assertionSchemes": [scheme, "UAFV1TLV"], "keyProtection": 2});
        policy(json!([[general(json!({}))]]), json!([criterion]))
    };
    for known in ["UAFV1TLV", "WAV1CBOR", "APCV1CBOR"] {
        assert!(disallowing(known).is_ok(), "{known}");
    }
    for unknown in ["uafv1tlv", "UAFV1TLV ", "U2FV1BIN", ""] {
        assert_eq!(disallowing(unknown).unwrap_err(), PolicyError::Scheme(unknown.into()));
    }
}

/// What a policy may say of methods that are needed together is what a statement can come to.
#[test]
fn all_methods_of_one_are_no_combination() {
    let disallowing =
        |bits: u32| policy(json!([[general(json!({}))]]), json!([general(json!({"userVerification": bits}))]));
    assert!(disallowing(0x406).is_ok());
    for bits in [0x400, 0x402, 0x600] {
        assert_eq!(disallowing(bits).unwrap_err(), PolicyError::Combination(bits));
    }
}

#[test]
fn a_disallowed_criterion_is_checked_as_well() {
    assert_eq!(policy(json!([[general(json!({}))]]), json!([{}])).unwrap_err(), PolicyError::Unspecific);
}

#[test]
fn a_typing_error_does_not_weaken_a_policy() {
    let unknown = |name: &str| PolicyError::UnknownMember(name.into());
    let typo = general(json!({"keyProtections": 2}));
    assert_eq!(policy(json!([[typo]]), json!([])).unwrap_err(), unknown("keyProtections"));
    let text = r#"{"accepted":[[{"aaid":["d0d0#0001"]}]],"dissallowed":[{"aaid":["D0D0#0001"]}]}"#;
    assert_eq!(Policy::parse(text).unwrap_err(), unknown("dissallowed"));
}

#[test]
fn the_keys_of_a_user_are_alternatives_or_refused() {
    let keys = [key_ref("D0D0#0001", 7), key_ref("D0D0#0002", 8), key_ref("D0D0#0001", 9)];
    let model = model();
    let step_up = Policy::of_keys(&keys);
    let mut new_key = Policy::any();
    new_key.disallow_keys(&keys);
    for key in &keys {
        assert!(step_up.0.is_met_by(&[candidate(Some(&model), key)]));
        assert!(!new_key.0.admits(&candidate(Some(&model), key)));
    }
    let other = key_ref("D0D0#0001", 8);
    assert!(!step_up.0.admits(&candidate(Some(&model), &other)));
    assert!(new_key.0.admits(&candidate(Some(&model), &other)));
    assert_eq!(step_up.0.accepted.len(), 2);
}

#[test]
fn a_fault_names_what_mends_it() {
    let told = |text: &str| Policy::parse(text).unwrap_err().to_string();
    let misspelt = told(r#"{"accepted":[[{"aaids":["D0D0#0001"]}]]}"#);
    assert!(misspelt.starts_with("policy: unknown member aaids; "), "{misspelt}");
    assert_eq!(told("{\n,"), "policy: not JSON: key must be a string at line 2 column 1");
    let typed = told("{\"accepted\":\n[[{\"aaid\":\"D0D0#0001\"}]]}");
    assert!(typed.starts_with("policy: member accepted[0][0].aaid: invalid type: string"), "{typed}");
    assert!(typed.ends_with(" expected a sequence at line 2 column 21"), "{typed}");
    let empty = r#"{"accepted":[[{"aaid":["D0D0#0001"]}]],"disallowed":[]}"#;
    assert_eq!(told(empty), "policy: member disallowed: an empty list");
    assert_eq!(told("{}"), "policy: member accepted missing");
}

/// What is made of a checked policy need not be checked again.
#[test]
fn what_comes_of_a_checked_policy_is_one() {
    let keys = [key_ref("D0D0#0001", 7), key_ref("D0D0#0002", 8)];
    let version = json!({"aaid": ["D0D0#0003"], "authenticatorVersion": 5});
    let mut refusing = policy(json!([[general(json!({}))], [version]]), json!([version])).unwrap();
    refusing.disallow_keys(&keys);
    refusing.disallow_models(vec!["D0D0#0004".parse().unwrap()]);
    for made in [
        refusing.clone(),
        refusing.preferred(),
        Policy::any(),
        Policy::of_keys(&keys),
        Policy::any().among(&[(keys[0].clone(), candidate(None, &keys[0]))]).unwrap(),
    ] {
        assert_eq!(Policy::parse(&serde_json::to_string(made.as_wire()).unwrap()), Ok(made));
    }
}
