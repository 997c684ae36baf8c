//! Authentications that are well-formed, correctly signed, and wrong in one respect.

use rstest::rstest;
use serde_json::json;
use sidegate_uaf::authentication::Claimant;
use sidegate_uaf::authenticator::Draft;
use sidegate_uaf::encoding::encode;
use sidegate_uaf::metadata::{Models, UnknownModels};
use sidegate_uaf::policy::Policy;
use sidegate_uaf::tlv::tag;
use sidegate_uaf::wire::Transaction;
use sidegate_uaf::{Algorithm, Credential, Decoys, Error, PrivateKey, StatusCode};

use crate::support::{AAID, NONCE, World, any_model, of_models, phone, server, start, statement};

fn refused(change: impl FnOnce(&mut Draft)) -> Error {
    World::new().authenticate_with(change).unwrap_err()
}

fn set_mode(draft: &mut Draft, mode: u8) {
    let mut info = draft.fields.get(tag::ASSERTION_INFO).to_vec();
    info[2] = mode;
    draft.fields.set(tag::ASSERTION_INFO, info);
}

fn asking(texts: &[&str]) -> World {
    let transaction = texts.iter().map(|text| Transaction::text(text).unwrap()).collect();
    World { transaction, ..World::new() }
}

#[rstest]
fn there_are_two_modes(#[values(0, 3, 255)] mode: u8) {
    assert_eq!(refused(|draft| set_mode(draft, mode)), Error::Mode);
}

#[test]
fn the_algorithm_is_the_registered_one() {
    let world = World::new();
    let (key, mut credential) = world.registered_key();
    credential.sign_counter = 0;
    // The same key, signing rightly in the other encoding and saying so.
    let pkcs8 = key.private_key().to_pkcs8().unwrap();
    let signer = PrivateKey::from_pkcs8(Algorithm::P256Der, &pkcs8).unwrap();
    let change = |draft: &mut Draft| draft.fields.set(tag::ASSERTION_INFO, [1, 0, 1, 2, 0]);
    let refused = world.authenticate_as(&key, &signer, &[credential], change).unwrap_err();
    assert_eq!(refused, Error::AlgorithmNotRegistered);
    assert_eq!(
        World::new().authenticate_with(|draft| draft.fields.set(tag::ASSERTION_INFO, [1, 0, 1, 7, 0])).unwrap_err(),
        Error::AlgorithmUnsupported
    );
}

#[test]
fn the_version_is_not_below_the_statements() {
    let models = any_model().with_statement(statement(json!({"authenticatorVersion": 2})));
    let world = World { server: server(models), phone: phone().with_version(2), ..World::new() };
    assert!(world.authenticate_with(|_| {}).is_ok());
    let older = |draft: &mut Draft| draft.fields.set(tag::ASSERTION_INFO, [1, 0, 1, 1, 0]);
    assert_eq!(world.authenticate_with(older).unwrap_err(), Error::VersionTooLow);
}

/// Whoever is named is asked for the keys of a policy; what it says of versions counts for their answers as for those of
/// nobody in particular.
#[rstest]
#[case::downgraded(json!({"accepted": [[{"aaid": [AAID], "authenticatorVersion": 3}]]}), 3, 1, false)]
#[case::as_it_was(json!({"accepted": [[{"aaid": [AAID], "authenticatorVersion": 3}]]}), 3, 3, true)]
#[case::updated(json!({"accepted": [[{"aaid": [AAID], "authenticatorVersion": 3}]]}), 2, 3, true)]
#[case::too_new(json!({"accepted": [[{"aaid": [AAID]}]], "disallowed": [{"aaid": [AAID], "authenticatorVersion": 5}]}), 4, 5, false)]
#[case::not_too_new(json!({"accepted": [[{"aaid": [AAID]}]], "disallowed": [{"aaid": [AAID], "authenticatorVersion": 5}]}), 4, 4, true)]
#[case::no_longer_too_new(json!({"accepted": [[{"aaid": [AAID]}]], "disallowed": [{"aaid": [AAID], "authenticatorVersion": 5}]}), 5, 4, true)]
fn a_version_is_that_of_the_answer(
    #[case] wanted: serde_json::Value,
    #[case] registered: u16,
    #[case] now: u8,
    #[case] is_good: bool,
) {
    let world = World { phone: phone().with_version(registered), ..World::new() };
    let (key, mut credential) = world.registered_key();
    credential.sign_counter = 0;
    let wanted = Policy::parse(&wanted.to_string()).unwrap();
    for named in [None, Some(("jeff", vec![credential.clone()]))] {
        let world = World { policy: wanted.clone(), named, ..World::new() };
        let answer = |draft: &mut Draft| draft.fields.set(tag::ASSERTION_INFO, [now, 0, 1, 1, 0]);
        let outcome = world.authenticate_as(&key, key.private_key(), &[credential.clone()], answer);
        assert_eq!(outcome.err(), (!is_good).then_some(Error::NotInPolicy));
    }
}

#[test]
fn the_protocol_is_the_models() {
    let world = World::new();
    let (key, credential) = world.registered_key();
    let models = any_model().with_statement(statement(json!({"upv": [{"major": 1, "minor": 0}]})));
    let world = World { server: server(models), ..World::new() };
    let refused = world.authenticate_as(&key, key.private_key(), &[credential], |_| {}).unwrap_err();
    assert_eq!(refused, Error::ProtocolNotOfModel);
}

#[test]
fn a_second_factor_needs_a_first_one() {
    for (flag, refused) in [(json!(true), true), (json!("true"), true), (json!(false), false)] {
        let models = any_model().with_statement(statement(json!({"isSecondFactorOnly": flag})));
        let world = World { server: server(models), ..World::new() };
        let (key, mut credential) = world.registered_key();
        credential.sign_counter = 0;
        let finish = |world: &World| world.authenticate_as(&key, key.private_key(), &[credential.clone()], |_| {});
        assert_eq!(finish(&world).err(), refused.then_some(Error::SecondFactorOnly));
        assert!(finish(&World { named: Some(("jeff", vec![credential.clone()])), ..world }).is_ok());
    }
}

#[test]
fn who_has_no_display_of_its_own_confirms_nothing() {
    for changes in [json!({"tcDisplay": 0}), json!({"isKeyRestricted": false})] {
        let models = any_model().with_statement(statement(changes));
        let plain = World { server: server(models.clone()), ..World::new() };
        assert!(plain.authenticate_with(|_| {}).is_ok());
        let asked = World { server: server(models), ..asking(&["Pay 1.00"]) };
        assert_eq!(asked.authenticate_with(|_| {}).unwrap_err(), Error::NoTransactionDisplay);
    }
    let models = any_model().with_statement(statement(json!({})));
    assert!(World { server: server(models), ..asking(&["Pay 1.00"]) }.authenticate_with(|_| {}).is_ok());
}

#[test]
fn the_key_is_one_that_the_policy_names() {
    let mut world = World::new();
    let (key, mut credential) = world.registered_key();
    credential.sign_counter = 0;
    let (_, other) = world.registered_key();
    let mut run = |named: &Credential| {
        world.named = Some(("jeff", vec![named.clone()]));
        world.authenticate_as(&key, key.private_key(), std::slice::from_ref(&credential), |_| {})
    };
    assert!(run(&credential).is_ok());
    assert_eq!(run(&other).unwrap_err(), Error::NotInPolicy);
}

#[test]
fn the_model_is_still_welcome() {
    let world = World::new();
    let (key, mut credential) = world.registered_key();
    credential.sign_counter = 0;
    for (models, error) in [
        (Models::new(UnknownModels::Refuse), Error::UnknownModel(AAID.parse().unwrap())),
        (any_model().with_revoked(AAID.parse().unwrap()), Error::ModelRevoked),
    ] {
        let world = World { server: server(models), ..World::new() };
        let run = world.authenticate_as(&key, key.private_key(), std::slice::from_ref(&credential), |_| {});
        assert_eq!(run.unwrap_err(), error);
    }
}

/// A key is unknown when it is asked for and gone since, or a decoy's: whoever has to answer is told by what was asked.
#[rstest]
#[case::of_anyone(None, true, Error::KeyUnknown { user_is_real: false }, StatusCode::UNACCEPTABLE_CONTENT)]
#[case::who_has_it(Some(false), true, Error::KeyUnknown { user_is_real: true }, StatusCode::UNKNOWN_KEY_ID)]
#[case::who_has_it_in_hiding(Some(true), true, Error::KeyUnknown { user_is_real: true }, StatusCode::UNKNOWN_KEY_ID)]
#[case::of_a_decoy(Some(true), false, Error::KeyUnknown { user_is_real: false }, StatusCode::UNACCEPTABLE_CONTENT)]
fn an_unknown_key_is_told_to_be_deleted_for_real_users_only(
    #[case] hidden: Option<bool>,
    #[case] has_key: bool,
    #[case] error: Error,
    #[case] code: StatusCode,
) {
    let world = World::new();
    let (key, credential) = world.registered_key();
    let decoys = Decoys::new(&[8; 32], &world.server, [AAID.parse().unwrap()]).unwrap();
    let credentials = if has_key { vec![credential] } else { vec![] };
    let claimant = hidden.map_or(Claimant::Anyone, |hidden| Claimant::Named {
        user: "jeff",
        credentials: &credentials,
        decoys: hidden.then_some(decoys.of("jeff")),
    });
    let asking = world.server.asking(&world.policy, claimant, &[]).unwrap();
    let (request, state) = world.server.start_authentication(start("operation-a"), asking).unwrap();
    let decoyed = if hidden.is_none() { Some("") } else { (!has_key).then_some("jeff") };
    assert_eq!(state.decoyed(), decoyed, "of a request that names nobody every decoy may be asked for");
    let mut draft = world.phone.draft_authentication(&request, &key, &NONCE).unwrap();
    if let Some(asked) = request.policy.accepted[0][0].key_ids.first() {
        draft.fields.set(tag::KEYID, asked.as_bytes());
    }
    let response = draft.sign(key.private_key()).unwrap().to_message();
    let refused = world.finish_authentication(&state, &response, &[]).unwrap_err();
    assert_eq!((refused.status(), refused), (code, error));
}

#[test]
fn a_key_of_the_same_name_and_another_model_is_another_key() {
    let world = World::new();
    let (key, mut credential) = world.registered_key();
    credential.aaid = "D0D0#0002".parse().unwrap();
    let refused = world.authenticate_as(&key, key.private_key(), &[credential], |_| {}).unwrap_err();
    assert_eq!(refused, Error::KeyUnknown { user_is_real: false });
}

#[test]
fn the_key_is_the_named_users() {
    let (key, credential) = World::new().registered_key();
    let world = World { named: Some(("eve", vec![credential.clone()])), ..World::new() };
    let refused = world.authenticate_as(&key, key.private_key(), &[credential], |_| {}).unwrap_err();
    assert_eq!(refused, Error::KeyOfAnotherUser);
}

#[rstest]
#[case(5, 5)]
#[case(5, 4)]
#[case(5, 0)]
#[case(u32::MAX, 0)]
#[case(u32::MAX, u32::MAX)]
fn the_counter_grows(#[case] stored: u32, #[case] received: u32) {
    let world = World::new();
    let (key, mut credential) = world.registered_key();
    credential.sign_counter = stored;
    let change = |draft: &mut Draft| draft.fields.set(tag::COUNTERS, received.to_le_bytes());
    let refused = world.authenticate_as(&key, key.private_key(), &[credential], change).unwrap_err();
    assert_eq!(refused, Error::SignCounter);
}

#[test]
fn the_hash_is_that_of_the_text_received() {
    for hash in [&[][..], &[0; 20], &[0; 32]] {
        assert_eq!(refused(|draft| draft.fields.set(tag::FINAL_CHALLENGE_HASH, hash)), Error::FinalChallengeHash);
    }
}

#[test]
fn a_transaction_that_was_asked_for_is_confirmed() {
    let plain = |draft: &mut Draft| {
        set_mode(draft, 1);
        draft.fields.set(tag::TRANSACTION_CONTENT_HASH, []);
    };
    assert_eq!(asking(&["Pay 1.00"]).authenticate_with(plain).unwrap_err(), Error::TransactionNotConfirmed);
}

#[test]
fn a_hash_goes_with_a_confirmation_only() {
    let hash = openssl::sha::sha256(b"Pay 1.00");
    let unasked = |draft: &mut Draft| draft.fields.set(tag::TRANSACTION_CONTENT_HASH, hash);
    assert_eq!(refused(unasked), Error::TransactionHashUnexpected);
    let unconfirmed = |draft: &mut Draft| set_mode(draft, 1);
    assert_eq!(asking(&["Pay 1.00"]).authenticate_with(unconfirmed).unwrap_err(), Error::TransactionHashUnexpected);
}

#[test]
fn nothing_is_confirmed_that_was_not_asked() {
    for hash in [openssl::sha::sha256(b"Pay 1.00").to_vec(), Vec::new()] {
        let confirmed = |draft: &mut Draft| {
            set_mode(draft, 2);
            draft.fields.set(tag::TRANSACTION_CONTENT_HASH, hash);
        };
        assert_eq!(refused(confirmed), Error::TransactionNotAsked);
    }
}

#[test]
fn what_was_confirmed_is_what_was_asked() {
    let encoded = openssl::sha::sha256(encode(b"Pay 1.00").as_bytes());
    let other = openssl::sha::sha256(b"Pay 9.00");
    for hash in [&encoded[..], &other, &[]] {
        let change = |draft: &mut Draft| draft.fields.set(tag::TRANSACTION_CONTENT_HASH, hash);
        let refused = asking(&["Pay 1.00"]).authenticate_with(change).unwrap_err();
        assert_eq!(refused, Error::TransactionHash);
    }
}

#[test]
fn the_signature_is_the_registered_keys() {
    let world = World::new();
    let (key, mut credential) = world.registered_key();
    credential.sign_counter = 0;
    let stranger = PrivateKey::generate(Algorithm::P256Raw).unwrap();
    let refused = world.authenticate_as(&key, &stranger, &[credential], |_| {}).unwrap_err();
    assert_eq!(refused, Error::Signature);
}

#[test]
fn a_stored_key_that_was_damaged_is_refused() {
    let world = World::new();
    let (key, mut credential) = world.registered_key();
    credential.sign_counter = 0;
    credential.public_key = sidegate_uaf::encoding::Octets::new([4; 65]).unwrap();
    let refused = world.authenticate_as(&key, key.private_key(), &[credential], |_| {}).unwrap_err();
    assert_eq!(refused, Error::Key(sidegate_uaf::KeyError::Point));
}

#[test]
fn several_assertions_are_of_several_keys_of_one_user() {
    let mut world = World::new();
    let (first, first_credential) = world.registered_key();
    let (second, second_credential) = world.registered_key();
    let mut credentials = [first_credential, second_credential];
    credentials.iter_mut().for_each(|credential| credential.sign_counter = 0);
    world.policy = of_models(&[AAID]);
    let (request, state) = world.start_authentication();
    let sign = |key| {
        let draft = world.phone.draft_authentication(&request, key, &[9; 8]).unwrap();
        draft.sign(key.private_key()).unwrap()
    };
    let mut response = sign(&first);
    response.assertions.extend(sign(&second).assertions);
    assert!(world.finish_authentication(&state, &response.to_message(), &credentials).is_ok());

    let mut twice = sign(&first);
    twice.assertions.extend(sign(&first).assertions);
    let repeated = world.finish_authentication(&state, &twice.to_message(), &credentials).unwrap_err();
    assert_eq!(repeated, Error::RepeatedKey);

    credentials[1].user = "eve".into();
    let mixed = world.finish_authentication(&state, &response.to_message(), &credentials).unwrap_err();
    assert_eq!(mixed, Error::KeyOfAnotherUser);
}

#[test]
fn one_bad_assertion_refuses_all_and_all_members_are_needed() {
    let mut world = World::new();
    let (key, mut credential) = world.registered_key();
    credential.sign_counter = 0;
    let both = json!({"accepted": [[{"aaid": [AAID]}, {"aaid": ["D0D0#0002"]}]]});
    world.policy = Policy::parse(&both.to_string()).unwrap();
    let half = world.authenticate_as(&key, key.private_key(), std::slice::from_ref(&credential), |_| {}).unwrap_err();
    assert_eq!(half, Error::PolicyIncomplete);

    world.policy = of_models(&[AAID]);
    let (request, state) = world.start_authentication();
    let draft = world.phone.draft_authentication(&request, &key, &[9; 8]).unwrap();
    let mut response = draft.sign(key.private_key()).unwrap();
    let stranger = PrivateKey::generate(Algorithm::P256Raw).unwrap();
    let (other, mut other_credential) = world.registered_key();
    other_credential.sign_counter = 0;
    let draft = world.phone.draft_authentication(&request, &other, &[9; 8]).unwrap();
    response.assertions.extend(draft.sign(&stranger).unwrap().assertions);
    let refused =
        world.finish_authentication(&state, &response.to_message(), &[credential, other_credential]).unwrap_err();
    assert_eq!(refused, Error::Signature);
}
