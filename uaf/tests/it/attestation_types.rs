//! Models that do several types of attestation, under policies that name some.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde_json::json;
use sidegate_uaf::Algorithm;
use sidegate_uaf::authenticator::Hierarchy;
use sidegate_uaf::policy::Policy;

use crate::support::{AAID, TODAY, World, any_model, phone, server, statement};

const FULL: u16 = 15879;
const SURROGATE: u16 = 15880;

fn naming(types: &[u16]) -> Policy {
    let mut criterion = json!({"authenticationAlgorithms": [1], "assertionSchemes": ["UAFV1TLV"]});
    if !types.is_empty() {
        criterion["attestationTypes"] = json!(types);
    }
    Policy::parse(&json!({"accepted": [[criterion]]}).to_string()).unwrap()
}

#[rstest]
#[case(&[])]
#[case(&[FULL])]
#[case(&[FULL, SURROGATE])]
#[case(&[SURROGATE, FULL])]
fn with_roots_a_model_attests_in_full_whatever_else_is_preferred(#[case] types: &[u16]) {
    let hierarchy = Hierarchy::of_model(AAID.parse().unwrap(), Algorithm::P256Raw).unwrap();
    let roots = json!([STANDARD.encode(&hierarchy.root)]);
    let both = statement(json!({"attestationTypes": [FULL, SURROGATE], "attestationRootCertificates": roots}));
    let server = server(any_model().with_statement(both));
    let phone = phone().with_attester(hierarchy.attester);
    let world = World { server, phone, policy: naming(types), now: TODAY, ..World::new() };
    assert!(world.register_with(|_| {}).is_ok());
}

#[rstest]
#[case(&[])]
#[case(&[SURROGATE])]
#[case(&[FULL, SURROGATE])]
#[case(&[SURROGATE, FULL])]
fn without_roots_a_model_attests_by_its_key_whatever_else_is_preferred(#[case] types: &[u16]) {
    let both = statement(json!({"attestationTypes": [FULL, SURROGATE]}));
    let world = World { server: server(any_model().with_statement(both)), policy: naming(types), ..World::new() };
    assert!(world.register_with(|_| {}).is_ok());
}
