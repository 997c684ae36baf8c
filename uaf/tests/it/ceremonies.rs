//! What is right is accepted.

use rstest::rstest;
use sidegate_uaf::authentication::{AuthenticationOutcome, AuthenticationState, Claimant};
use sidegate_uaf::authenticator::{ASM_USER_CANCELLED, Authenticator, AuthenticatorError, DeviceKey};
use sidegate_uaf::deregistration::Deregistration;
use sidegate_uaf::registration::{RegistrationOutcome, RegistrationState};
use sidegate_uaf::tlv::{Tag, tag};
use sidegate_uaf::transaction::TransactionError;
use sidegate_uaf::wire::{Operation, Reply, SendUafResponse, Transaction};
use sidegate_uaf::{Algorithm, Denial, KeyFormat, StartError};

use crate::support::{AAID, World, of_models, registered, start};

#[rstest]
fn every_algorithm_in_every_format_that_fits(
    #[values(1, 2, 3, 4, 5, 6, 8, 9)] algorithm: u16,
    #[values(0x100, 0x101, 0x102, 0x103)] format: u16,
) {
    let (algorithm, format) = (Algorithm::try_from(algorithm).unwrap(), KeyFormat::try_from(format).unwrap());
    if !format.fits(algorithm) {
        return;
    }
    let mut world = World::new();
    world.phone = world.phone.with_algorithm(algorithm, format);
    let (key, credential) = world.registered_key();
    assert_eq!((credential.algorithm, credential.key_format, credential.sign_counter), (algorithm, format, 1));
    assert_eq!(credential.user, "jeff");
    let (request, state) = world.start_authentication();
    let mut keys = [key];
    let response = world.phone.authenticate(&request, &mut keys, &[9; 8]).unwrap();
    let outcome = world.finish_authentication(&state, &response.to_message(), &[credential]).unwrap();
    let AuthenticationOutcome::Authenticated { user, keys: verified } = outcome else { panic!("denied") };
    assert_eq!((user.as_str(), verified.len()), ("jeff", 1));
    assert_eq!((&verified[0].key, verified[0].counter, verified[0].confirmed), (&keys[0].key_ref(), 2, None));
}

#[test]
fn states_and_device_keys_survive_being_written_down() {
    let world = World::new();
    let (request, state) = world.start_registration(&[]);
    let state: RegistrationState = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
    let (response, key) = world.phone.register(&request, &[]).unwrap();
    let credentials = registered(world.finish_registration(&state, &response.to_message())).unwrap();
    let key: DeviceKey = serde_json::from_str(&serde_json::to_string(&key).unwrap()).unwrap();
    assert_eq!(key.username(), "jeff@example");

    let (request, state) = world.start_authentication();
    let state: AuthenticationState = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
    let response = world.phone.authenticate(&request, &mut [key], &[9; 16]).unwrap();
    let credentials = serde_json::from_str::<Vec<_>>(&serde_json::to_string(&credentials).unwrap()).unwrap();
    assert!(world.finish_authentication(&state, &response.to_message(), &credentials).is_ok());
}

#[test]
fn without_a_name_the_user_is_the_owner_of_the_key() {
    let world = World::new();
    let (key, mut credential) = world.registered_key();
    credential.user = "whoever".into();
    credential.sign_counter = 0;
    let outcome = world.authenticate_as(&key, key.private_key(), &[credential], |_| {}).unwrap();
    assert!(matches!(outcome, AuthenticationOutcome::Authenticated { user, .. } if user == "whoever"));
}

#[test]
fn two_texts_are_not_one_transaction() {
    let world = World::new();
    let transaction = ["Pay 1.00", "Pay 1000.00"].map(|text| Transaction::text(text).unwrap());
    let asking = world.server.asking(&world.policy, Claimant::Anyone, &transaction).unwrap();
    let started = world.server.start_authentication(start("operation-a"), asking);
    assert_eq!(started.unwrap_err(), StartError::Transaction(TransactionError::Repeated));
}

#[test]
fn order_extensions_and_unknown_tags_that_are_not_critical_do_not_matter() {
    let extension = [0x13, 0x2e, 1, 0, b'x', 0x14, 0x2e, 0, 0];
    let world = World::new();
    world
        .register_with(|draft| {
            draft.fields.0.reverse();
            draft.fields.push(tag::EXTENSION, extension);
            draft.fields.push(tag::EXTENSION, extension);
            draft.fields.push(Tag(0x0e99), *b"anything");
            draft.unsigned.push(tag::EXTENSION, extension);
        })
        .unwrap();
    let outcome = world.authenticate_with(|draft| {
        draft.fields.0.reverse();
        draft.fields.push(tag::EXTENSION, extension);
        draft.fields.push(Tag(0x1e99), [0xff; 3]);
        draft.unsigned.push(tag::EXTENSION, extension);
    });
    assert!(outcome.is_ok());
}

#[test]
fn the_case_of_an_aaid_and_what_lies_deep_in_an_unknown_element_do_not_matter() {
    let nested = (0..1000).fold(Vec::new(), |inner: Vec<u8>, _| {
        let mut outer = Vec::new();
        sidegate_uaf::tlv::write(Tag(0x1e99), &inner, &mut outer).map(|()| outer).unwrap()
    });
    let credentials = World::new().register_with(|draft| {
        draft.fields.set(tag::AAID, *b"d0D0#0001");
        draft.fields.push(Tag(0x1e99), &nested[..2000]);
        draft.unsigned.push(Tag(0x1e99), &nested[..1000]);
    });
    assert_eq!(credentials.unwrap()[0].aaid, AAID.parse().unwrap());
}

#[test]
fn a_phone_counts_its_signatures_and_its_keys_or_neither() {
    let world = World::new();
    let (request, state) = world.start_registration(&[]);
    let (_, first) = world.phone.register(&request, &[]).unwrap();
    let (response, second) = world.phone.register(&request, std::slice::from_ref(&first)).unwrap();
    let credentials = registered(world.finish_registration(&state, &response.to_message())).unwrap();
    assert_eq!((credentials[0].sign_counter, credentials[0].registration_counter), (1, 2));
    assert_ne!(first.key_ref(), second.key_ref());

    let silent = World { phone: crate::support::phone().without_counters(), ..World::new() };
    let (key, credential) = silent.registered_key();
    assert_eq!((credential.sign_counter, credential.registration_counter), (0, 0));
    let mut keys = [key];
    for _ in 0..2 {
        let (request, state) = silent.start_authentication();
        let response = silent.phone.authenticate(&request, &mut keys, &[9; 8]).unwrap();
        let credentials = std::slice::from_ref(&credential);
        assert!(silent.finish_authentication(&state, &response.to_message(), credentials).is_ok());
    }
    assert_eq!(keys[0].sign_counter(), 0);
}

#[test]
fn counters_that_are_not_supported_stay_zero() {
    let world = World::new();
    let credentials = world.register_with(|draft| draft.fields.set(tag::COUNTERS, [0; 8])).unwrap();
    assert_eq!(credentials[0].sign_counter, 0);
    assert!(world.authenticate_with(|draft| draft.fields.set(tag::COUNTERS, [0; 4])).is_ok());
    assert!(world.authenticate_with(|draft| draft.fields.set(tag::COUNTERS, [0xff; 4])).is_ok());
}

#[test]
fn a_denial_is_told_with_its_codes() {
    let world = World::new();
    let (request, state) = world.start_authentication();
    let response = world.phone.deny(&request).unwrap();
    let reply = Reply { asm_status_code: Some(ASM_USER_CANCELLED), device_name: Some("P".into()), ..Reply::default() };
    let sent = SendUafResponse::new(&response, &reply);
    let opened = world.server.open(Operation::Auth, &sent.uaf_response, sent.context.as_deref()).unwrap();
    assert_eq!(opened.reply(), &reply);
    assert_eq!(opened.keys(), []);
    let outcome = world.server.finish_authentication(&state, &opened, &[], &world.arrival()).unwrap();
    let denial = Denial { asm_status_code: Some(ASM_USER_CANCELLED), client_error_code: None };
    assert_eq!(outcome, AuthenticationOutcome::Denied(denial));
}

#[test]
fn a_registration_can_be_denied_by_leaving_assertions_out() {
    let world = World::new();
    let (request, state) = world.start_registration(&[]);
    let (response, _) = world.phone.register(&request, &[]).unwrap();
    let message = crate::support::edited(&response, |message| {
        message[0].as_object_mut().unwrap().remove("assertions");
    });
    let context = Some(r#"{"clientErrorCode":3}"#);
    let opened = world.server.open(Operation::Reg, &message, context).unwrap();
    let outcome = world.server.finish_registration(&state, &opened, &[], &world.arrival()).unwrap();
    let denial = Denial { asm_status_code: None, client_error_code: Some(3) };
    assert_eq!(outcome, RegistrationOutcome::Denied(denial));
}

#[test]
fn the_phone_minds_the_policy() {
    let mut world = World::new();
    let (key, _) = world.registered_key();
    let (request, _) = world.start_registration(&[key.key_ref()]);
    assert_eq!(
        world.phone.register(&request, std::slice::from_ref(&key)).unwrap_err(),
        AuthenticatorError::AlreadyRegistered
    );
    assert!(world.phone.register(&request, &[]).is_ok(), "another phone of the model may register");
    world.policy = of_models(&["D0D0#0002"]);
    let unfit = AuthenticatorError::NoSuitableAuthenticator;
    assert_eq!(world.phone.register(&world.start_registration(&[]).0, &[]).unwrap_err(), unfit);
    world.policy = of_models(&[AAID]);
    world.named = Some(("jeff", vec![world.registered_key().1]));
    let (request, _) = world.start_authentication();
    assert_eq!(world.phone.authenticate(&request, &mut [key], &[9; 8]).unwrap_err(), unfit);
}

#[test]
fn the_phone_deletes_what_it_is_told_to() {
    let world = World::new();
    let other = Authenticator::new("D0D0#0002".parse().unwrap());
    let open = World { policy: of_models(&[AAID, "D0D0#0002"]), ..World::new() };
    let (request, _) = open.start_registration(&[]);
    let make = |phone: &Authenticator| phone.register(&request, &[]).unwrap().1;
    let keys = vec![make(&world.phone), make(&world.phone), make(&other)];
    for (what, left) in [
        (Deregistration::Keys(keys[0].key_ref(), vec![]), 2),
        (Deregistration::Keys(keys[0].key_ref(), vec![keys[2].key_ref()]), 1),
        (Deregistration::Model(AAID.parse().unwrap()), 1),
        (Deregistration::Everything, 0),
    ] {
        let mut kept = keys.clone();
        world.phone.deregister(&world.server.deregistration(&what), &mut kept);
        assert_eq!(kept.len(), left, "{what:?}");
    }
}

#[test]
fn without_an_app_id_the_facet_stands_for_it() {
    use sidegate_uaf::encoding::Text;
    use sidegate_uaf::facets::{SOFTWARE_FACET, TrustedFacets};
    let mut world = World::new();
    let facets = TrustedFacets::new([Text::new(SOFTWARE_FACET).unwrap()]);
    let key = sidegate_uaf::server_data::ServerDataKey::new(&[7; 32]).unwrap();
    world.server = sidegate_uaf::RelyingParty::new(None, facets, crate::support::any_model(), key);
    assert!(world.authenticate_with(|_| {}).is_ok());
}
