//! Messages that others made. File 11 is in the repository; the others are read from the folder that
//! `SIDEGATE_UAF_VECTORS` names, or `../shared/uaf-vectors` beside the workspace, and skipped where nothing is set and
//! nothing there.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use base64::Engine as _;
use serde_json::Value;
use sidegate_uaf::assertion::{AuthenticationAssertion, RegistrationAssertion};
use sidegate_uaf::authentication::{AuthenticationOutcome, Claimant};
use sidegate_uaf::encoding::{Octets, Text, decode};
use sidegate_uaf::facets::TrustedFacets;
use sidegate_uaf::metadata::{Models, Statement, UnknownModels};
use sidegate_uaf::policy::Policy;
use sidegate_uaf::registration::NewRegistration;
use sidegate_uaf::server_data::ServerDataKey;
use sidegate_uaf::wire::{Challenge, Operation, Transaction, Versions};
use sidegate_uaf::{
    Algorithm, Arrival, CertificateError, Credential, Error, Incoming, KeyFormat, KeyId, RelyingParty, Start,
    VerificationKey,
};

use crate::support::registered;

/// In 2025, within the validity of the certificates that were made for the vectors; milliseconds.
const NOW: u64 = 1_750_000_000_000;

/// The folder with vectors: the one that is set, which must be there, else the usual one where it is.
fn folder(set: Option<OsString>) -> Option<PathBuf> {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = workspace.join(set.as_deref().unwrap_or("../shared/uaf-vectors".as_ref()));
    let there = folder.is_dir();
    assert!(there || set.is_none(), "SIDEGATE_UAF_VECTORS: {} is no folder", folder.display());
    there.then_some(folder)
}

fn folder_file(name: &str) -> Option<Value> {
    let Some(folder) = folder(std::env::var_os("SIDEGATE_UAF_VECTORS")) else {
        // Not by println, which is shown of tests that fail only.
        let told = writeln!(std::io::stderr(), "SKIPPED: {name} is absent (set SIDEGATE_UAF_VECTORS to its folder)");
        told.unwrap();
        return None;
    };
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
fn only_a_folder_that_nobody_named_may_be_absent() {
    assert!(folder(Some(env!("CARGO_MANIFEST_DIR").into())).is_some());
    assert!(std::panic::catch_unwind(|| folder(Some("no/such/folder".into()))).is_err());
}

/// The server that a vector was made for.
fn server_of(vector: &Value, models: Models) -> RelyingParty {
    let party = &vector["relyingParty"];
    let facets = party["trustedFacetIDs"].as_array().unwrap();
    RelyingParty::new(
        Some(Text::new(party["appID"].as_str().unwrap()).unwrap()),
        TrustedFacets::new(facets.iter().map(|id| Text::new(id.as_str().unwrap()).unwrap())),
        models,
        ServerDataKey::new(&[7; 32]).unwrap(),
    )
}

fn start(request: &Value) -> Start<'static> {
    let challenge = Challenge::from_base64url(request[0]["challenge"].as_str().unwrap()).unwrap();
    Start { operation_id: "vector", purpose: "test", challenge, expires_at: NOW }
}

fn policy(request: &Value) -> Policy {
    Policy::parse(&request[0]["policy"].to_string()).unwrap()
}

/// The response with our serverData in its (unsigned) header.
fn answered(response: &Value, header: &sidegate_uaf::wire::OperationHeader) -> String {
    let mut response = response.clone();
    response[0]["header"]["serverData"] = serde_json::to_value(&header.server_data).unwrap();
    response.to_string()
}

fn register(server: &RelyingParty, request: &Value, response: &Value) -> Result<Credential, Error> {
    register_at(NOW, server, request, response)
}

fn register_at(now: u64, server: &RelyingParty, request: &Value, response: &Value) -> Result<Credential, Error> {
    let new = NewRegistration {
        start: start(request),
        user: "alice",
        username: "alice",
        policy: policy(request),
        registered: &[],
    };
    let (sent, state) = server.start_registration(new).unwrap();
    let opened = server.open(Operation::Reg, &answered(response, &sent.header), None)?;
    let outcome = server.finish_registration(&state, &opened, &[], &Arrival { now, channels: &[] });
    registered(outcome).map(|list| list.into_iter().next().unwrap())
}

fn authenticate(server: &RelyingParty, request: &Value, response: &Value, known: &mut Credential) -> Result<(), Error> {
    let transaction = request[0]["transaction"].as_array().map_or(vec![], |list| {
        list.iter().map(|t| serde_json::from_value::<Transaction>(t.clone()).unwrap()).collect()
    });
    let asking = server.asking(&policy(request), Claimant::Anyone, &transaction).unwrap();
    let (sent, state) = server.start_authentication(start(request), asking).unwrap();
    let opened = server.open(Operation::Auth, &answered(response, &sent.header), None)?;
    let known_now = std::slice::from_ref(known);
    let outcome = server.finish_authentication(&state, &opened, known_now, &Arrival { now: NOW, channels: &[] })?;
    let AuthenticationOutcome::Authenticated { keys, .. } = outcome else { panic!("denied") };
    known.sign_counter = keys[0].counter;
    Ok(())
}

#[test]
fn every_algorithm_and_format_of_the_projects_own_vectors() {
    let file = include_str!("../vectors/11-algorithms-and-formats.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let mut accepted = 0;
    for vector in file["vectors"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let statement = Statement::parse(&vector["metadata"].to_string()).unwrap();
        let server = server_of(&file, Models::new(UnknownModels::Refuse).with_statement(statement));
        let registration = register(&server, &vector["regRequest"], &vector["regResponse"]);
        let mut credential = registration.unwrap_or_else(|error| panic!("{name}: {error}"));
        for (request, response) in [("authRequest", "authResponse"), ("txRequest", "txResponse")] {
            if !vector[request].is_null() {
                authenticate(&server, &vector[request], &vector[response], &mut credential)
                    .unwrap_or_else(|error| panic!("{name} {response}: {error}"));
                accepted += 1;
            }
        }
    }
    assert_eq!(accepted, 16 * 2 + 3);
}

#[test]
fn surrogate_of_a_java_library_in_order() {
    let Some(file) = folder_file("03-surrogate-p256-der.json") else { return };
    let server = server_of(&file, crate::support::any_model());
    let of = |part: &str| (file[part]["request"].clone(), file[part]["response"].clone());
    let (request, response) = of("registration");
    let mut credential = register(&server, &request, &response).unwrap();
    for part in ["authentication", "transaction"] {
        let (request, response) = of(part);
        authenticate(&server, &request, &response, &mut credential).unwrap();
    }
    assert_eq!(credential.sign_counter, 7);
    let (request, response) = of("authentication");
    let replayed = authenticate(&server, &request, &response, &mut credential).unwrap_err();
    assert_eq!(replayed, Error::SignCounter);
}

fn bytes_of(response: &Value) -> Vec<u8> {
    let text = response[0]["assertions"][0]["assertion"].as_str().unwrap();
    decode(text.trim_end_matches('=')).unwrap()
}

fn fc_hash(response: &Value) -> [u8; 32] {
    openssl::sha::sha256(response[0]["fcParams"].as_str().unwrap().as_bytes())
}

/// The public key of a certificate, found by the fixed beginnings of SubjectPublicKeyInfo.
fn key_of_certificate(algorithm: Algorithm, der: &[u8]) -> VerificationKey {
    let (format, beginning, length): (_, &[u8], _) = match algorithm {
        Algorithm::P256Raw | Algorithm::P256Der => {
            (KeyFormat::EcDer, b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a", 91)
        }
        Algorithm::K256Raw | Algorithm::K256Der => {
            (KeyFormat::EcDer, b"\x30\x56\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b", 88)
        }
        _ => (KeyFormat::RsaDer, b"\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 294),
    };
    let at = der.windows(beginning.len()).position(|window| window == beginning).unwrap();
    VerificationKey::parse(algorithm, format, &der[at..at + length]).unwrap()
}

fn check_attestation(assertion: &RegistrationAssertion<'_>) {
    let algorithm = assertion.common.algorithm.unwrap();
    let leaf = key_of_certificate(algorithm, assertion.attestation.certificates[0]);
    assert!(leaf.verifies(assertion.common.signed, assertion.common.signature));
}

fn registered_key(assertion: &RegistrationAssertion<'_>) -> VerificationKey {
    let format = KeyFormat::try_from(assertion.key_format).unwrap();
    VerificationKey::parse(assertion.common.algorithm.unwrap(), format, assertion.public_key).unwrap()
}

#[test]
fn the_sample_of_the_protocol_text() {
    let Some(file) = folder_file("01-fido-spec-sample.json") else { return };
    let [registration, authentication] = ["registration", "authentication"].map(|part| &file[part]["response"]);
    let (reg_bytes, auth_bytes) = (bytes_of(registration), bytes_of(authentication));
    let reg = RegistrationAssertion::parse(&reg_bytes).unwrap();
    assert_eq!((reg.common.aaid.as_str(), reg.common.sign_counter, reg.registration_counter), ("ABCD#ABCD", 1, 1));
    assert_eq!(reg.common.final_challenge_hash, fc_hash(registration));
    check_attestation(&reg);
    let auth = AuthenticationAssertion::parse(&auth_bytes).unwrap();
    assert_eq!((auth.common.key_id, auth.common.sign_counter), (reg.common.key_id, 2));
    assert_eq!(auth.common.final_challenge_hash, fc_hash(authentication));
    assert!(registered_key(&reg).verifies(auth.common.signed, auth.common.signature));
    assert!(!registered_key(&reg).verifies(reg.common.signed, auth.common.signature));
}

/// The request that was answered: its challenge is in the answer, the rest did not survive.
fn asked(response: &Value, aaid: &str) -> Value {
    let params = response[0]["fcParams"].as_str().unwrap().trim_end_matches('=');
    let params: Value = serde_json::from_slice(&decode(params).unwrap()).unwrap();
    serde_json::json!([{"challenge": params["challenge"], "policy": {"accepted": [[{"aaid": [aaid]}]]}}])
}

#[test]
fn the_protocols_sample_is_good_where_its_leaf_is_pinned_and_in_its_time() {
    let Some(file) = folder_file("01-fido-spec-sample.json") else { return };
    let [registration, authentication] = ["registration", "authentication"].map(|part| &file[part]["response"]);
    let request = asked(registration, "ABCD#ABCD");
    let bytes = bytes_of(registration);
    let leaf = RegistrationAssertion::parse(&bytes).unwrap().attestation.certificates[0];
    let pinned = crate::support::statement(serde_json::json!({
        "aaid": "ABCD#ABCD", "attestationTypes": [15879],
        "attestationRootCertificates": [base64::engine::general_purpose::STANDARD.encode(leaf)],
    }));
    let at = |now, models| register_at(now, &server_of(&file, models), &request, registration);
    let models = || Models::new(UnknownModels::Refuse).with_statement(pinned.clone());
    let in_2015 = 1_430_000_000_000;
    let mut credential = at(in_2015, models()).unwrap();
    assert_eq!(at(NOW, models()).unwrap_err(), Error::Certificate(CertificateError::Validity));
    assert!(at(NOW, models().with_outdated_attestation("ABCD#ABCD".parse().unwrap())).is_ok());

    let (server, request) = (server_of(&file, models()), asked(authentication, "ABCD#ABCD"));
    assert_eq!((credential.sign_counter, credential.registration_counter), (1, 1));
    authenticate(&server, &request, authentication, &mut credential).unwrap();
    assert_eq!(credential.sign_counter, 2);
    let replayed = authenticate(&server, &request, authentication, &mut credential).unwrap_err();
    assert_eq!(replayed, Error::SignCounter);
}

#[test]
fn an_android_client_of_version_1_0_is_refused_though_its_signatures_are_good() {
    let Some(file) = folder_file("02-ebay-android-client.json") else { return };
    let [registration, authentication] = ["registration", "authentication"].map(|part| &file[part]["response"]);
    let (reg_bytes, auth_bytes) = (bytes_of(registration), bytes_of(authentication));
    let reg = RegistrationAssertion::parse(&reg_bytes).unwrap();
    check_attestation(&reg);
    let auth = AuthenticationAssertion::parse(&auth_bytes).unwrap();
    assert!(registered_key(&reg).verifies(auth.common.signed, auth.common.signature));
    assert_eq!(auth.common.final_challenge_hash, fc_hash(authentication));
    let refused = Incoming::parse(Operation::Reg, &registration.to_string(), None).unwrap_err();
    assert_eq!(refused, Error::UnsupportedVersion);
}

#[test]
fn what_the_same_client_leaves_out_is_forgiven_where_it_is_said_and_its_counter_is_not() {
    let Some(file) = folder_file("02-ebay-android-client.json") else { return };
    let registration = &file["registration"];
    let bytes = bytes_of(&registration["response"]);
    let leaf = RegistrationAssertion::parse(&bytes).unwrap().attestation.certificates[0];
    let pinned = crate::support::statement(serde_json::json!({
        "aaid": "EBA0#0001", "authenticatorVersion": 0, "upv": [{"major": 1, "minor": 0}], "attestationTypes": [15879],
        "attestationRootCertificates": [base64::engine::general_purpose::STANDARD.encode(leaf)],
    }));
    let server = |versions| {
        let mut party = file.clone();
        party["relyingParty"]["trustedFacetIDs"] = serde_json::json!(["https://uaf.example.test"]);
        server_of(&party, Models::new(UnknownModels::Refuse).with_statement(pinned.clone())).with_versions(versions)
    };
    let in_its_time = 1_429_500_000_000;
    let register =
        |versions| register_at(in_its_time, &server(versions), &registration["request"], &registration["response"]);
    assert!(matches!(register(Versions::From1_0), Err(Error::FcParams(_))), "strict in what it says");
    // It writes counters as two words of 16 bits, so that its first registration reads as the 65,536th.
    assert!(matches!(register(Versions::From1_0Incomplete), Err(Error::RegistrationCounter)));
}

#[test]
fn assertions_of_five_vendors() {
    let Some(file) = folder_file("07-vendor-assertions.json") else { return };
    let vectors = file["vectors"].as_array().unwrap();
    let bytes = |vector: &Value| decode(vector["assertion"].as_str().unwrap().trim_end_matches('=')).unwrap();
    let of_kind = |kind: &'static str| vectors.iter().filter(move |vector| vector["kind"] == kind);
    let mut keys = Vec::new();
    for vector in of_kind("registration") {
        let bytes = bytes(vector);
        let assertion = RegistrationAssertion::parse(&bytes).unwrap();
        assert_eq!(assertion.common.aaid.as_str(), vector["facts"]["aaid"].as_str().unwrap());
        check_attestation(&assertion);
        keys.push((assertion.common.key_id.to_vec(), registered_key(&assertion)));
    }
    let mut verified = 0;
    for vector in of_kind("authentication") {
        let bytes = bytes(vector);
        let assertion = AuthenticationAssertion::parse(&bytes).unwrap();
        let published = vector["publicKeyB64Url"].as_str().map(|key| {
            let key = decode(key).unwrap();
            let format = if key.len() == 65 { KeyFormat::EcRaw } else { KeyFormat::EcDer };
            VerificationKey::parse(assertion.common.algorithm.unwrap(), format, &key).unwrap()
        });
        let known = keys.iter().find(|(id, _)| id == assertion.common.key_id).map(|(_, key)| key.clone());
        if let Some(key) = known.or(published) {
            assert!(key.verifies(assertion.common.signed, assertion.common.signature), "{}", vector["vendor"]);
            verified += 1;
        }
    }
    assert_eq!(verified, 3);
}

#[test]
fn a_shipped_authenticator_whose_fc_params_have_blanks() {
    let Some(file) = folder_file("08-dds-authentication.json") else { return };
    let bytes = bytes_of(&file["response"]);
    let assertion = AuthenticationAssertion::parse(&bytes).unwrap();
    let key = decode(file["registeredPublicKeyB64Url"].as_str().unwrap()).unwrap();
    let key = VerificationKey::parse(assertion.common.algorithm.unwrap(), KeyFormat::EcDer, &key).unwrap();
    assert!(key.verifies(assertion.common.signed, assertion.common.signature));
    assert_eq!(assertion.common.final_challenge_hash, fc_hash(&file["response"]));
}

#[test]
fn the_same_authenticator_logs_in_where_its_padding_is_forgiven_and_its_counter_was_never_more_than_zero() {
    let Some(mut file) = folder_file("08-dds-authentication.json") else { return };
    let (aaid, app) = ("DAB8#8011", file["response"][0]["header"]["appID"].clone());
    file["relyingParty"] = serde_json::json!({"appID": app, "trustedFacetIDs": [app]});
    let bytes = bytes_of(&file["response"]);
    let assertion = AuthenticationAssertion::parse(&bytes).unwrap();
    let registered = |sign_counter| Credential {
        user: "alice".into(),
        aaid: aaid.parse().unwrap(),
        key_id: KeyId::new(assertion.common.key_id).unwrap(),
        authenticator_version: 1,
        algorithm: Algorithm::P256Der,
        key_format: KeyFormat::EcDer,
        public_key: Octets::from_base64url(file["registeredPublicKeyB64Url"].as_str().unwrap()).unwrap(),
        sign_counter,
        registration_counter: 0,
        png_characteristics: Vec::new(),
    };
    let (request, response) = (asked(&file["response"], aaid), &file["response"]);
    let answer = |versions, sign_counter| {
        let server = server_of(&file, crate::support::any_model()).with_versions(versions);
        authenticate(&server, &request, response, &mut registered(sign_counter))
    };
    assert_eq!(answer(Versions::From1_0Incomplete, 0), Ok(()));
    assert_eq!(answer(Versions::From1_0Incomplete, 1), Err(Error::SignCounter));
    assert_eq!(answer(Versions::From1_0, 0), Err(Error::FcParamsEncoding));
    assert_eq!(answer(Versions::Only1_1, 0), Err(Error::UnsupportedVersion));
}

#[test]
fn the_sample_of_the_conformance_description() {
    let Some(file) = folder_file("09-conformance-doc-authentication.json") else { return };
    let bytes = bytes_of(&file["response"]);
    let assertion = AuthenticationAssertion::parse(&bytes).unwrap();
    assert_eq!(assertion.common.final_challenge_hash, fc_hash(&file["response"]));
    let read = Incoming::parse(Operation::Auth, &file["response"].to_string(), None).unwrap();
    assert_eq!(read.keys()[0].key_id.as_bytes(), assertion.common.key_id);
    assert_eq!(read.final_challenge().unwrap().facet_id.as_str(), "https://uaf.example.com/index.html");
}
