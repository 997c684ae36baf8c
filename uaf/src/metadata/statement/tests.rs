use rstest::rstest;
use serde_json::{Value, json};

use super::*;

fn parse(changes: Value) -> Result<Statement, StatementError> {
    let mut statement = json!({
        "aaid": "d0d0#0001", "authenticatorVersion": 2, "assertionScheme": "UAFV1TLV", "authenticationAlgorithm": 1,
        "attestationTypes": [15880], "attestationRootCertificates": [], "keyProtection": 6, "matcherProtection": 2,
        "userVerificationDetails": [[{"userVerification": 2}], [{"userVerification": 4}, {"userVerification": 16}]],
        "attachmentHint": 1, "tcDisplay": 0, "isSecondFactorOnly": "false", "anything": {"else": []},
    });
    statement.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    Statement::parse(&statement.to_string())
}

#[test]
fn what_is_used_is_read() {
    let (aaid, model) = parse(json!({})).unwrap().into_model();
    assert_eq!(aaid.as_str(), "D0D0#0001");
    assert_eq!((model.lowest_version, model.user_verification), (2, Some(vec![2, 4 | 16])));
    assert_eq!(model.algorithms, BTreeSet::from([Algorithm::P256Raw]));
    assert_eq!(model.attestation_types, BTreeSet::from([AttestationType::BasicSurrogate]));
    assert_eq!((model.key_protection, model.tc_display), (Some(6), Some(0)));
}

#[rstest]
#[case(json!({"assertionScheme": "U2FV1BIN"}), StatementError::Scheme)]
#[case(json!({"authenticationAlgorithm": 7}), StatementError::Algorithm(7))]
#[case(json!({"attestationTypes": [15882]}), StatementError::AttestationType)]
#[case(json!({"attestationTypes": [15880], "attestationRootCertificates": ["AA=="]}), StatementError::AttestationType)]
#[case(json!({"aaid": "D0D0"}), StatementError::Json("member aaid".into()))]
#[case(json!({"keyProtection": "6"}), StatementError::Json("member keyProtection".into()))]
fn a_statement_that_cannot_be_used_is_refused(#[case] changes: Value, #[case] error: StatementError) {
    assert_eq!(parse(changes).unwrap_err(), error);
}
