//! Registrations that are well-formed, correctly signed, and wrong in one respect.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::json;
use sidegate_uaf::authenticator::Draft;
use sidegate_uaf::encoding::{Text, decode};
use sidegate_uaf::metadata::{Models, UnknownModels};
use sidegate_uaf::policy::Policy;
use sidegate_uaf::registration::RegistrationOutcome;
use sidegate_uaf::tlv::{Tag, tag};
use sidegate_uaf::wire::{AssertionBytes, Extension, Operation};
use sidegate_uaf::{Algorithm, Error, KeyError, KeyFormat, PrivateKey};

use crate::support::{AAID, World, any_model, of_models, server, statement};

fn refused(change: impl FnOnce(&mut Draft)) -> Error {
    World::new().register_with(change).unwrap_err()
}

/// Sets a byte of ASSERTION_INFO: 0 and 1 version, 2 mode, 3 and 4 algorithm, 5 and 6 key format.
fn info(at: usize, byte: u8) -> impl Fn(&mut Draft) {
    move |draft| {
        let mut info = draft.fields.get(tag::ASSERTION_INFO).to_vec();
        info[at] = byte;
        draft.fields.set(tag::ASSERTION_INFO, info);
    }
}

#[rstest]
fn a_key_is_registered_in_mode_one(#[values(0, 2, 3, 255)] mode: u8) {
    assert_eq!(refused(info(2, mode)), Error::Mode);
}

#[rstest]
fn an_algorithm_that_is_not_served_is_refused(#[values(0, 7, 10, 18)] algorithm: u8) {
    assert_eq!(refused(info(3, algorithm)), Error::AlgorithmUnsupported);
}

#[test]
fn the_algorithm_is_one_of_the_model() {
    let allowed = Models::new(UnknownModels::Surrogate(BTreeSet::from([Algorithm::P256Raw])));
    let stated = Models::new(UnknownModels::Refuse).with_statement(statement(json!({})));
    for models in [allowed, stated] {
        let mut world = World { server: server(models), ..World::new() };
        assert!(world.register_with(|_| {}).is_ok());
        world.phone = world.phone.with_algorithm(Algorithm::P256Der, KeyFormat::EcRaw);
        assert_eq!(world.register_with(|_| {}).unwrap_err(), Error::AlgorithmNotOfModel);
    }
}

#[rstest]
#[case(4, KeyError::UnsupportedFormat)]
#[case(2, KeyError::FormatForAlgorithm)]
#[case(3, KeyError::FormatForAlgorithm)]
#[case(1, KeyError::Encoding)]
fn the_key_format_is_served_and_fits(#[case] format: u8, #[case] error: KeyError) {
    assert_eq!(refused(info(5, format)), Error::Key(error));
}

#[test]
fn the_hash_is_that_of_the_text_received() {
    assert_eq!(refused(|draft| draft.fields.set(tag::FINAL_CHALLENGE_HASH, [])), Error::FinalChallengeHash);
    let sha1 = |draft: &mut Draft| {
        let hash = openssl::sha::sha1(draft.fc_params.as_bytes());
        draft.fields.set(tag::FINAL_CHALLENGE_HASH, hash);
    };
    assert_eq!(refused(sha1), Error::FinalChallengeHash);
    let over_json = |draft: &mut Draft| {
        let hash = openssl::sha::sha256(&decode(&draft.fc_params).unwrap());
        draft.fields.set(tag::FINAL_CHALLENGE_HASH, hash);
    };
    assert_eq!(refused(over_json), Error::FinalChallengeHash);
}

#[test]
fn fc_params_written_in_another_way_are_another_text() {
    let spaced = |draft: &Draft| {
        let text = String::from_utf8(decode(&draft.fc_params).unwrap()).unwrap();
        sidegate_uaf::encoding::encode(text.replace("\":", "\": ").as_bytes())
    };
    assert_eq!(refused(|draft| draft.fc_params = spaced(draft)), Error::FinalChallengeHash);
}

#[test]
fn the_version_is_not_below_the_statements() {
    let models = |version| any_model().with_statement(statement(json!({"authenticatorVersion": version})));
    let register = |world: &World| world.register_with(|_| {});
    let world = World { server: server(models(2)), ..World::new() };
    assert_eq!(register(&world).unwrap_err(), Error::VersionTooLow);
    assert!(register(&World { phone: crate::support::phone().with_version(2), ..world }).is_ok());
}

#[test]
fn the_registration_counter_is_plausible() {
    let counters = |registrations: u32| {
        move |draft: &mut Draft| {
            draft.fields.set(tag::COUNTERS, [1u32.to_le_bytes(), registrations.to_le_bytes()].concat());
        }
    };
    assert!(World::new().register_with(counters(10_000)).is_ok());
    assert_eq!(refused(counters(10_001)), Error::RegistrationCounter);
}

#[rstest]
#[case(tag::BASIC_FULL, Error::AttestationWithoutRoots)]
#[case(tag::ECDAA, Error::AttestationType)]
fn what_a_model_does_not_attest_with_is_refused(#[case] attestation: Tag, #[case] error: Error) {
    let unexpected = |draft: &mut Draft| {
        draft.attestation = Some(attestation);
        if attestation == tag::BASIC_FULL {
            draft.certificates = vec![vec![0]];
        }
    };
    assert_eq!(refused(unexpected), error);
}

#[test]
fn the_protocol_is_the_models_and_the_key_is_written_as_it_likes() {
    let of = |changes| World { server: server(any_model().with_statement(statement(changes))), ..World::new() };
    let register = |world: World| world.register_with(|_| {});
    assert!(register(of(json!({"publicKeyAlgAndEncoding": 257, "publicKeyAlgAndEncodings": [256]}))).is_ok());
    // No policy announces a format, so a server takes every one that fits.
    assert!(register(of(json!({"publicKeyAlgAndEncoding": 257}))).is_ok());
    let older = of(json!({"upv": [{"major": 1, "minor": 0}]}));
    assert_eq!(register(older).unwrap_err(), Error::ProtocolNotOfModel);
}

#[test]
fn the_attestation_signature_is_the_new_keys() {
    let world = World::new();
    let (request, state) = world.start_registration(&[]);
    let (_, key) = world.phone.register(&request, &[]).unwrap();
    let draft = world.phone.draft_registration(&request, &key).unwrap();
    let stranger = PrivateKey::generate(Algorithm::P256Raw).unwrap();
    let response = draft.sign(&stranger).unwrap();
    let refused = world.finish_registration(&state, &response.to_message()).unwrap_err();
    assert_eq!(refused, Error::AttestationSignature);
}

#[test]
fn the_model_is_in_the_policy_that_was_sent() {
    let refused = refused(|draft| draft.fields.set(tag::AAID, *b"D0D0#0002"));
    assert_eq!(refused, Error::NotInPolicy);
}

#[test]
fn a_key_that_the_user_has_is_disallowed_and_anybody_elses_too() {
    let world = World::new();
    let (request, state) = world.start_registration(&[]);
    let (response, key) = world.phone.register(&request, &[]).unwrap();

    let (again, state_again) = world.start_registration(&[key.key_ref()]);
    let draft = world.phone.draft_registration(&again, &key).unwrap();
    let message = draft.sign(key.private_key()).unwrap().to_message();
    assert_eq!(world.finish_registration(&state_again, &message).unwrap_err(), Error::NotInPolicy);

    let opened = world.server.open(Operation::Reg, &response.to_message(), None).unwrap();
    let finish = |taken: &[_]| world.server.finish_registration(&state, &opened, taken, &world.arrival());
    assert_eq!(finish(opened.keys()).unwrap_err(), Error::AlreadyRegistered);
    assert!(finish(&[]).is_ok());
}

#[test]
fn an_unknown_model_is_refused_where_the_rule_says_so() {
    let models = Models::new(UnknownModels::Refuse);
    let world = World { server: server(models), ..World::new() };
    let refused = world.register_with(|_| {}).unwrap_err();
    assert_eq!(refused, Error::UnknownModel(AAID.parse().unwrap()));
    assert_eq!(refused.to_string(), "unknown model D0D0#0001", "a log shows whose statement is missing");
}

#[test]
fn a_revoked_model_is_refused_and_named_in_the_request() {
    let world = World::new();
    let (request, state) = world.start_registration(&[]);
    let (response, _) = world.phone.register(&request, &[]).unwrap();
    let strict = World { server: server(any_model().with_revoked(AAID.parse().unwrap())), ..World::new() };
    let refused = strict.finish_registration(&state, &response.to_message()).unwrap_err();
    assert_eq!(refused, Error::ModelRevoked);
    assert_eq!(strict.start_registration(&[]).0.policy.disallowed[0].aaid, [AAID.parse().unwrap()]);
}

#[test]
fn the_envelope_of_the_assertion_is_checked() {
    let scheme = World::new()
        .register_then(|_| {}, |response| response.assertions[0].assertion_scheme = Text::new("WAV1CBOR").unwrap());
    assert_eq!(scheme.unwrap_err(), Error::Scheme);
    let extended = |fail_if_unknown| {
        let extension = Extension { id: Text::new("x").unwrap(), data: String::new(), fail_if_unknown };
        World::new().register_then(|_| {}, |response| response.assertions[0].exts.push(extension))
    };
    assert!(extended(false).is_ok());
    assert_eq!(extended(true).unwrap_err(), Error::UnknownExtension);
}

#[test]
fn all_members_of_an_alternative_are_needed() {
    let both = json!({"accepted": [[{"aaid": [AAID]}, {"aaid": ["D0D0#0002"]}]]});
    let both = Policy::parse(&both.to_string()).unwrap();
    let world = World { policy: both, ..World::new() };
    let (request, state) = world.start_registration(&[]);
    let responses = [AAID, "D0D0#0002"].map(|aaid| {
        let phone = sidegate_uaf::authenticator::Authenticator::new(aaid.parse().unwrap());
        let key = phone.make_key(&request, PrivateKey::generate(Algorithm::P256Raw).unwrap()).unwrap();
        phone.draft_registration(&request, &key).unwrap().sign(key.private_key()).unwrap()
    });
    let [mut whole, second] = responses;
    let refused = world.finish_registration(&state, &whole.to_message()).unwrap_err();
    assert_eq!(refused, Error::PolicyIncomplete);
    let mut forged = whole.clone();
    forged.assertions.extend(second.assertions.clone());
    let last = forged.assertions[1].assertion.as_bytes().len() - 1;
    let mut bytes = forged.assertions[1].assertion.as_bytes().to_vec();
    bytes[last] ^= 1;
    forged.assertions[1].assertion = AssertionBytes::new(bytes);
    let refused = world.finish_registration(&state, &forged.to_message()).unwrap_err();
    assert_eq!(refused, Error::AttestationSignature, "why one is missing");
    whole.assertions.extend(second.assertions);
    let credentials = crate::support::registered(world.finish_registration(&state, &whole.to_message())).unwrap();
    assert_eq!(credentials.len(), 2);
}

#[test]
fn a_bad_assertion_is_passed_over_where_another_is_good() {
    let world = World { policy: of_models(&[AAID]), ..World::new() };
    let (request, state) = world.start_registration(&[]);
    let (mut response, _) = world.phone.register(&request, &[]).unwrap();
    let mut bad = response.assertions[0].clone();
    bad.assertion = AssertionBytes::new(vec![1, 0x3e]);
    response.assertions.push(response.assertions[0].clone());
    response.assertions.insert(0, bad);
    let outcome = world.finish_registration(&state, &response.to_message()).unwrap();
    let RegistrationOutcome::Registered { credentials, skipped } = outcome else { panic!("denied") };
    assert_eq!(credentials.len(), 1);
    assert_eq!(skipped, [Error::Tlv(sidegate_uaf::tlv::TlvError::Truncated), Error::RepeatedKey]);
}
