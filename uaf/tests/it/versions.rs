//! UAF 1.0 behind its switch: one code path, another number in the header.

use rstest::rstest;
use serde_json::{Value, json};
use sidegate_uaf::authentication::AuthenticationOutcome;
use sidegate_uaf::deregistration::Deregistration;
use sidegate_uaf::encoding::{decode, encode};
use sidegate_uaf::tlv::tag;
use sidegate_uaf::wire::{
    AuthenticationRequest, DeregistrationRequest, Operation, RegistrationRequest, Version, Versions,
};
use sidegate_uaf::{Credential, Error, RelyingParty};

use crate::support::{AAID, World, any_model, edited, server, statement};

fn for_old_clients(server: RelyingParty) -> World {
    World { server: server.with_versions(Versions::From1_0), ..World::new() }
}

/// Registers as a client of this version does.
fn register(world: &World, version: Version) -> Result<Vec<Credential>, Error> {
    let (request, state) = world.sent_registration(&[]);
    let request = RegistrationRequest::from_message_of(version, &request.to_message())?;
    assert_eq!(request.header.upv, version);
    let (response, _) = world.phone.register(&request, &[]).unwrap();
    let opened = world.server.open(Operation::Reg, &response.to_message(), None)?;
    crate::support::registered(world.server.finish_registration(&state, &opened, &[], &world.arrival()))
}

#[rstest]
fn old_and_new_clients_are_served_where_it_is_said(#[values(Version::V1_0, Version::V1_1)] version: Version) {
    let world = for_old_clients(server(any_model()));
    assert_eq!(register(&world, version).unwrap().len(), 1);

    let (key, credential) = World::new().registered_key();
    let (request, state) = world.sent_authentication();
    let request = AuthenticationRequest::from_message_of(version, &request.to_message()).unwrap();
    let response = world.phone.authenticate(&request, &mut [key], &[9; 8]).unwrap();
    let opened = world.server.open(Operation::Auth, &response.to_message(), None).unwrap();
    let outcome = world.server.finish_authentication(&state, &opened, &[credential], &world.arrival());
    assert!(matches!(outcome, Ok(AuthenticationOutcome::Authenticated { .. })));
}

#[test]
fn without_the_switch_there_is_one_dictionary_and_no_old_answer() {
    let world = World::new();
    assert_eq!(register(&world, Version::V1_0).unwrap_err(), Error::UnsupportedVersion);
    let (sent, _) = world.sent_registration(&[]);
    let request = RegistrationRequest::from_message(&sent.to_message()).unwrap();
    assert_eq!(sent.to_message(), request.to_message());
    let (response, _) = world.phone.register(&request, &[]).unwrap();
    let old = edited(&response, |message| message[0]["header"]["upv"]["minor"] = json!(0));
    assert_eq!(world.server.open(Operation::Reg, &old, None).unwrap_err(), Error::UnsupportedVersion);
}

#[test]
fn the_dictionaries_of_a_request_differ_in_the_version_alone() {
    let (request, _) = for_old_clients(server(any_model())).sent_registration(&[]);
    let mut message: Value = serde_json::from_str(&request.to_message()).unwrap();
    let upv = |minor| json!({"major": 1, "minor": minor});
    assert_eq!((&message[0]["header"]["upv"], &message[1]["header"]["upv"]), (&upv(1), &upv(0)));
    message[1]["header"]["upv"] = upv(1);
    assert_eq!((message.as_array().unwrap().len(), &message[0]), (2, &message[1]));
}

#[rstest]
#[case(1, 2)]
#[case(2, 0)]
#[case(0, 0)]
fn other_versions_stay_refused(#[case] major: u16, #[case] minor: u16) {
    let world = for_old_clients(server(any_model()));
    let (request, _) = world.start_registration(&[]);
    let (response, _) = world.phone.register(&request, &[]).unwrap();
    let upv = json!({"major": major, "minor": minor});
    let other = edited(&response, |message| message[0]["header"]["upv"] = upv.clone());
    assert_eq!(world.server.open(Operation::Reg, &other, None).unwrap_err(), Error::UnsupportedVersion);
    let bare = json!([{"header": {"upv": upv}}]).to_string();
    assert_eq!(world.server.open(Operation::Reg, &bare, None).unwrap_err(), Error::UnsupportedVersion);
    let both = edited(&response, |message| {
        let mut old = message[0].clone();
        old["header"]["upv"]["minor"] = json!(0);
        message.as_array_mut().unwrap().push(old);
    });
    assert_eq!(world.server.open(Operation::Reg, &both, None).unwrap_err(), Error::SeveralMessages);
}

#[test]
fn a_model_answers_in_a_version_that_it_speaks() {
    let new = any_model().with_statement(statement(json!({})));
    let world = for_old_clients(server(new));
    assert!(register(&world, Version::V1_1).is_ok());
    assert_eq!(register(&world, Version::V1_0).unwrap_err(), Error::ProtocolNotOfModel);
}

#[test]
fn what_old_clients_cannot_be_told_is_told_to_new_ones_alone() {
    let world = for_old_clients(server(any_model()));
    let key = world.registered_key().0.key_ref();
    for (what, versions) in [
        (Deregistration::Keys(key, vec![]), 2),
        (Deregistration::Model(AAID.parse().unwrap()), 1),
        (Deregistration::Everything, 1),
    ] {
        let message = world.server.deregistration(&what).to_message();
        assert_eq!(serde_json::from_str::<Vec<Value>>(&message).unwrap().len(), versions, "{what:?}");
        assert!(DeregistrationRequest::from_message(&message).is_ok());
    }
}

#[rstest]
#[case(Versions::From1_0, 0, false)]
#[case(Versions::From1_0Incomplete, 1, false)]
#[case(Versions::From1_0Incomplete, 0, true)]
fn only_answers_of_1_0_may_be_incomplete_and_only_where_it_is_said(
    #[case] versions: Versions,
    #[case] minor: u16,
    #[case] forgiven: bool,
) {
    let world = World { server: server(any_model()).with_versions(versions), ..World::new() };
    for change in [("facetID", Some(json!(""))), ("channelBinding", None)] {
        let (name, value) = change;
        let (request, state) = world.start_registration(&[]);
        let (_, key) = world.phone.register(&request, &[]).unwrap();
        let mut draft = world.phone.draft_registration(&request, &key).unwrap();
        let mut params: Value = serde_json::from_slice(&decode(&draft.fc_params).unwrap()).unwrap();
        match value {
            Some(value) => params[name] = value,
            None => drop(params.as_object_mut().unwrap().remove(name)),
        }
        draft.fc_params = encode(params.to_string().as_bytes());
        draft.fields.set(tag::FINAL_CHALLENGE_HASH, openssl::sha::sha256(draft.fc_params.as_bytes()));
        let response = draft.sign(world.phone.attesting_key(&key)).unwrap();
        let message = edited(&response, |message| message[0]["header"]["upv"]["minor"] = json!(minor));
        let finished = world
            .server
            .open(Operation::Reg, &message, None)
            .and_then(|opened| world.server.finish_registration(&state, &opened, &[], &world.arrival()));
        assert_eq!(finished.is_ok(), forgiven, "{name}: {finished:?}");
        assert!(forgiven || matches!(finished, Err(Error::FcParams(_))));
    }
}
