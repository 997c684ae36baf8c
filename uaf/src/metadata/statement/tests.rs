use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::authenticator::Hierarchy;

/// A statement with some members changed; `null` takes one away.
fn changed(mut statement: Value, changes: Value) -> Result<Statement, StatementError> {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(statement.as_object_mut().unwrap().remove(name)),
            value => statement[name] = value.clone(),
        }
    }
    Statement::parse(&statement.to_string())
}

fn version_2(changes: Value) -> Result<Statement, StatementError> {
    let statement = json!({
        "aaid": "d0d0#0001", "authenticatorVersion": 2, "upv": [{"major": 1, "minor": 1}],
        "assertionScheme": "UAFV1TLV", "authenticationAlgorithm": 1, "publicKeyAlgAndEncoding": 256,
        "attestationTypes": [15880], "attestationRootCertificates": [], "keyProtection": 6, "matcherProtection": 2,
        "userVerificationDetails": [[{"userVerification": 2}], [{"userVerification": 4}, {"userVerification": 16}]],
        "attachmentHint": 1, "tcDisplay": 0, "isSecondFactorOnly": "false", "anything": {"else": []},
    });
    changed(statement, changes)
}

fn version_3(changes: Value) -> Result<Statement, StatementError> {
    let statement = json!({
        "schema": 3, "protocolFamily": "uaf", "aaid": "D0D0#0001", "authenticatorVersion": 2,
        "upv": [{"major": 1, "minor": 0}, {"major": 1, "minor": 1}],
        "authenticationAlgorithms": ["secp256r1_ecdsa_sha256_raw", "ed25519_eddsa_sha512_raw"],
        "publicKeyAlgAndEncodings": ["ecc_x962_raw", "cose"], "attestationTypes": ["basic_surrogate"],
        "userVerificationDetails": [
            [{"userVerificationMethod": "fingerprint_internal", "baDesc": {"selfAttestedFAR": 0.001}}],
            [{"userVerificationMethod": "passcode_internal"}, {"userVerificationMethod": "faceprint_internal"}],
        ],
        "keyProtection": ["hardware", "tee"], "matcherProtection": ["tee"], "attachmentHint": ["internal"],
        "tcDisplay": [], "attestationRootCertificates": [],
    });
    changed(statement, changes)
}

fn root() -> String {
    STANDARD.encode(Hierarchy::of_model("D0D0#0001".parse().unwrap(), Algorithm::P256Raw).unwrap().root)
}

#[test]
fn what_is_used_is_read_in_both_versions() {
    let both = json!([{"major": 1, "minor": 0}, {"major": 1, "minor": 1}]);
    let old = version_2(json!({"upv": both, "keyProtection": 6, "matcherProtection": 2})).unwrap();
    assert_eq!(old, version_3(json!({})).unwrap());
    let (aaid, model) = old.into_model();
    assert_eq!(aaid.as_str(), "D0D0#0001");
    assert_eq!((model.lowest_version, model.user_verification), (2, Some(vec![2, 0x400 | 4 | 16])));
    assert_eq!(model.algorithms, BTreeSet::from([Algorithm::P256Raw]));
    assert_eq!(model.attestation, AttestationType::BasicSurrogate);
    assert_eq!((model.key_protection, model.matcher_protection), (Some(6), Some(2)));
    assert_eq!((model.attachment_hint, model.tc_display), (Some(1), Some(0)));
    assert!(!model.second_factor_only && model.key_restricted);
}

#[test]
fn flags_and_lists_are_read() {
    let model = |statement: Result<Statement, _>| statement.unwrap().into_model().1;
    let old = json!({
        "isSecondFactorOnly": true, "isKeyRestricted": false, "tcDisplay": 3, "tcDisplayContentType": "text/plain",
        "authenticationAlgorithms": [1, 2, 12], "attestationTypes": [15879, 15880, 15882],
        "attestationRootCertificates": [root()],
    });
    let model_2 = model(version_2(old));
    assert!(model_2.second_factor_only && !model_2.key_restricted);
    assert_eq!(model_2.algorithms, BTreeSet::from([Algorithm::P256Raw, Algorithm::P256Der]));
    let new = json!({
        "isKeyRestricted": false, "tcDisplay": ["any", "tee"], "tcDisplayContentType": "text/plain",
        "attachmentHint": null, "attestationTypes": ["basic_full"], "attestationRootCertificates": [root()],
    });
    let model_3 = model(version_3(new));
    assert_eq!((model_3.tc_display, model_3.attachment_hint, model_3.key_restricted), (Some(5), None, false));
}

#[test]
fn of_several_attestations_it_is_the_one_that_can_be_proven() {
    for (roots, provable) in
        [(json!([root()]), AttestationType::BasicFull), (json!([]), AttestationType::BasicSurrogate)]
    {
        let both = json!({"attestationTypes": [15880, 15879], "attestationRootCertificates": roots});
        assert_eq!(version_2(both).unwrap().into_model().1.attestation, provable);
        let both = json!({
            "attestationTypes": ["basic_surrogate", "basic_full"], "attestationRootCertificates": roots,
        });
        assert_eq!(version_3(both).unwrap().into_model().1.attestation, provable);
    }
}

/// What the JSON library says besides, its words and the column, does not matter.
#[track_caller]
fn assert_refused(read: Result<Statement, StatementError>, expected: &StatementError) {
    match (read.unwrap_err(), expected) {
        (StatementError::Json(told), StatementError::Json(expected)) => assert!(told.starts_with(expected), "{told}"),
        (told, expected) => assert_eq!(told, *expected),
    }
}

#[rstest]
#[case(json!({"schema": 4}), StatementError::Schema(4))]
#[case(json!({"assertionScheme": null}), StatementError::Unversioned)]
#[case(json!({"assertionScheme": "U2FV1BIN"}), StatementError::NotUaf { member: "assertionScheme", right: "UAFV1TLV" })]
#[case(json!({"upv": [{"major": 1, "minor": 2}]}), StatementError::Version)]
#[case(json!({"authenticationAlgorithm": 7}), StatementError::Algorithm)]
#[case(json!({"publicKeyAlgAndEncoding": 258}), StatementError::KeyFormat)]
#[case(json!({"publicKeyAlgAndEncoding": 260}), StatementError::KeyFormat)]
#[case(json!({"attestationTypes": [15882]}), StatementError::AttestationType)]
#[case(json!({"attestationTypes": [15879]}), StatementError::AttestationType)]
#[case(json!({"attestationTypes": [15881]}), StatementError::AttestationType)]
#[case(json!({"attestationRootCertificates": [root()]}), StatementError::AttestationType)]
#[case(json!({"tcDisplay": 1}), StatementError::DisplayContentType)]
#[case(json!({"tcDisplay": 1, "tcDisplayContentType": "image/pgn"}), StatementError::DisplayContentType)]
#[case(json!({"tcDisplay": 1, "tcDisplayContentType": "image/png"}), StatementError::DisplayPictures)]
#[case(pictures(json!({"tcDisplayPNGCharacteristics": []})), StatementError::Json("member tcDisplayPNGCharacteristics: an empty list".into()))]
#[case(pictures(json!({"bitDepth": 4})), StatementError::Json("member tcDisplayPNGCharacteristics".into()))]
#[case(json!({"aaid": "D0D0"}), StatementError::Json("member aaid".into()))]
#[case(json!({"aaid": null}), StatementError::Json("member aaid missing".into()))]
#[case(json!({"upv": null}), StatementError::Json("member upv missing".into()))]
#[case(json!({"keyProtection": "6"}), StatementError::Json("member keyProtection".into()))]
#[case(json!({"authenticatorVersion": 65_536}), StatementError::Json("member authenticatorVersion".into()))]
#[case(json!({"isSecondFactorOnly": "no"}), StatementError::Json("member isSecondFactorOnly".into()))]
#[case(json!({"isSecondFactorOnly": null}), StatementError::Json("member isSecondFactorOnly missing".into()))]
fn an_old_statement_that_cannot_be_used_is_refused(#[case] changes: Value, #[case] error: StatementError) {
    assert_refused(version_2(changes), &error);
}

#[rstest]
#[case(json!({"protocolFamily": "fido2"}), StatementError::NotUaf { member: "protocolFamily", right: "uaf" })]
#[case(json!({"upv": [{"major": 2, "minor": 1}]}), StatementError::Version)]
#[case(json!({"authenticationAlgorithms": ["sm2_sm3_raw"]}), StatementError::Algorithm)]
#[case(json!({"authenticationAlgorithms": []}), StatementError::Algorithm)]
#[case(json!({"publicKeyAlgAndEncodings": ["rsa_2048_raw"]}), StatementError::KeyFormat)]
#[case(json!({"attestationTypes": ["attca"]}), StatementError::AttestationType)]
#[case(json!({"attestationTypes": ["basic_full"]}), StatementError::AttestationType)]
#[case(json!({"tcDisplay": ["any"]}), StatementError::DisplayContentType)]
#[case(json!({"tcDisplay": ["any"], "tcDisplayContentType": "image/png"}), StatementError::DisplayPictures)]
#[case(json!({"schema": null}), StatementError::Unversioned)]
#[case(json!({"keyProtection": 6}), StatementError::Json("member keyProtection: invalid type: integer `6`, expected a sequence at line 1".into()))]
#[case(json!({"aaid": null, "aaguid": "x"}), StatementError::Json("member aaid missing".into()))]
fn a_new_statement_that_cannot_be_used_is_refused(#[case] changes: Value, #[case] error: StatementError) {
    assert_refused(version_3(changes), &error);
}

/// A display for pictures of 320 by 480 pixels in 16-bit colours, with something changed.
fn pictures(changes: Value) -> Value {
    let mut kind = json!({"width": 320, "height": 480, "bitDepth": 16, "colorType": 2, "compression": 0, "filter": 0,
        "interlace": 0});
    kind.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let kinds = kind.as_object_mut().unwrap().remove("tcDisplayPNGCharacteristics").unwrap_or_else(|| json!([kind]));
    json!({"tcDisplay": 5, "tcDisplayContentType": "image/png", "tcDisplayPNGCharacteristics": kinds})
}

#[test]
fn a_display_says_what_it_takes() {
    let takes = |changes: Value| version_2(changes).unwrap().into_model().1.takes;
    assert_eq!(takes(json!({"tcDisplay": 1, "tcDisplayContentType": "text/plain"})), Some(Takes::Text));
    assert_eq!(takes(json!({"tcDisplay": 0, "tcDisplayContentType": "text/html"})), None);
    let Some(Takes::Pictures(kinds)) = takes(pictures(json!({}))) else { panic!("pictures") };
    assert_eq!((kinds.len(), kinds[0].width, kinds[0].height, kinds[0].bit_depth), (1, 320, 480, 16));
    let mut newer = pictures(json!({}));
    newer["tcDisplay"] = json!(["any", "tee"]);
    assert_eq!(version_3(newer).unwrap().into_model().1.takes, Some(Takes::Pictures(kinds)));
}

/// The message of what is not of the registry, up to what would be.
fn unregistered(error: &StatementError) -> String {
    let StatementError::Registry(error) = error else { panic!("{error}") };
    format!("{}: {}", error.member, error.value)
}

#[rstest]
fn a_word_that_is_none_is_refused(
    #[values(
        "authenticationAlgorithms",
        "publicKeyAlgAndEncodings",
        "attestationTypes",
        "keyProtection",
        "matcherProtection",
        "attachmentHint",
        "tcDisplay"
    )]
    member: &'static str,
) {
    let error = version_3(json!({member: ["hardwear"]})).unwrap_err();
    assert_eq!(unregistered(&error), format!("{member}: \"hardwear\""));
}

#[rstest]
#[case("authenticationAlgorithm", json!(0x14), 0x14)]
#[case("authenticationAlgorithms", json!([1, 0x14]), 0x14)]
#[case("publicKeyAlgAndEncoding", json!(0x105), 0x105)]
#[case("publicKeyAlgAndEncodings", json!([0x100, 1]), 1)]
#[case("attestationTypes", json!([15880, 15878]), 15878)]
#[case("userVerificationDetails", json!([[{"userVerification": 6}]]), 6)]
#[case("userVerificationDetails", json!([[{"userVerification": 0}]]), 0)]
#[case("userVerificationDetails", json!([[{"userVerification": 2}], [{"userVerification": 0x400}]]), 0x400)]
#[case("userVerificationDetails", json!([[{"userVerification": 0x2000}]]), 0x2000)]
#[case("keyProtection", json!(0), 0)]
#[case("keyProtection", json!(0x21), 0x21)]
#[case("matcherProtection", json!(0), 0)]
#[case("matcherProtection", json!(9), 9)]
#[case("attachmentHint", json!(0), 0)]
#[case("attachmentHint", json!(0x201), 0x201)]
#[case("tcDisplay", json!(0x20), 0x20)]
#[case("tcDisplay", json!(0x1_0001), 0x1_0001)]
fn a_number_that_is_none_is_refused(#[case] member: &'static str, #[case] says: Value, #[case] value: u32) {
    let error = version_2(json!({member: says, "tcDisplayContentType": "text/plain"})).unwrap_err();
    assert_eq!(unregistered(&error), format!("{member}: {value}"));
}

#[rstest]
#[case(json!({"keyProtection": []}), "keyProtection: 0")]
#[case(json!({"attachmentHint": []}), "attachmentHint: 0")]
#[case(json!({"userVerificationDetails": [[{"userVerificationMethod": "all"}]]}), "userVerificationDetails: \"all\"")]
#[case(
    json!({"userVerificationDetails": [[{"userVerificationMethod": "fingerprint"}]]}),
    "userVerificationDetails: \"fingerprint\""
)]
fn words_have_to_say_something_that_is_known(#[case] changes: Value, #[case] message: &str) {
    assert_eq!(unregistered(&version_3(changes).unwrap_err()), message);
}

#[rstest]
#[case(json!([]))]
#[case(json!([[{"userVerification": 2}], []]))]
fn a_model_says_how_it_verifies_its_user(#[case] details: Value) {
    let error = version_2(json!({"userVerificationDetails": details})).unwrap_err();
    assert_eq!(error, StatementError::UserVerification);
}

#[test]
fn what_the_registry_has_and_this_server_does_not_is_passed_over() {
    let algorithms: Vec<u32> = (1..=0x13).collect();
    let model = version_2(json!({"authenticationAlgorithms": algorithms, "publicKeyAlgAndEncodings": [0x104]}));
    let model = model.unwrap().into_model().1;
    assert_eq!(model.algorithms, BTreeSet::from_iter(Algorithm::ALL.iter().copied()));
}

#[test]
fn a_null_is_refused_by_its_name_in_members_that_are_not_used_too() {
    let error = version_2(json!({"icon": {"deep": [1, null]}})).unwrap_err();
    assert_eq!(error.to_string(), "statement: icon.deep[1] is null; leave the member out");
}

#[test]
fn a_root_that_cannot_be_read_is_named() {
    let full = |roots: Value| json!({"attestationTypes": [15879], "attestationRootCertificates": roots});
    assert!(version_2(full(json!([root()]))).is_ok());
    let unpadded = root().trim_end_matches('=').to_owned() + "A";
    for bad in ["", "AAAA", "-----BEGIN CERTIFICATE-----", &unpadded] {
        let error = version_2(full(json!([root(), bad]))).unwrap_err();
        assert_eq!(error, StatementError::Root { at: 1, cause: CertificateError::Malformed }, "{bad}");
    }
}
