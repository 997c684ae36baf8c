//! Nothing but the message itself is accepted: cut anywhere, or with any bit changed.

use proptest::prelude::*;
use sidegate_uaf::assertion::{AuthenticationAssertion, RegistrationAssertion};
use sidegate_uaf::wire::{AssertionBytes, Operation, Response};
use sidegate_uaf::{Credential, Incoming};

use crate::support::{World, registered};

/// Every proper prefix, and every copy with one bit changed.
fn mutations(bytes: &[u8]) -> Vec<Vec<u8>> {
    let cut = (1..bytes.len()).map(|length| bytes[..length].to_vec());
    let flipped = (0..bytes.len() * 8).map(|bit| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    });
    cut.chain(flipped).collect()
}

fn with_assertion(response: &Response, bytes: Vec<u8>) -> String {
    let mut response = response.clone();
    response.assertions[0].assertion = AssertionBytes::new(bytes);
    response.to_message()
}

#[test]
fn no_mutation_of_a_registration_is_accepted() {
    let world = World::new();
    let (request, state) = world.start_registration(&[]);
    let (response, _) = world.phone.register(&request, &[]).unwrap();
    assert!(registered(world.finish_registration(&state, &response.to_message())).is_ok());
    for bytes in mutations(response.assertions[0].assertion.as_bytes()) {
        assert!(world.finish_registration(&state, &with_assertion(&response, bytes)).is_err());
    }
}

fn authentication() -> (World, sidegate_uaf::authentication::AuthenticationState, Response, Vec<Credential>) {
    let world = World::new();
    let (key, credential) = world.registered_key();
    let (request, state) = world.start_authentication();
    let response = world.phone.authenticate(&request, &mut [key], &[9; 16]).unwrap();
    (world, state, response, vec![credential])
}

#[test]
fn no_mutation_of_an_authentication_is_accepted() {
    let (world, state, response, credentials) = authentication();
    assert!(world.finish_authentication(&state, &response.to_message(), &credentials).is_ok());
    for bytes in mutations(response.assertions[0].assertion.as_bytes()) {
        let message = with_assertion(&response, bytes);
        assert!(world.finish_authentication(&state, &message, &credentials).is_err());
    }
}

#[test]
fn no_cut_of_the_message_is_accepted() {
    let (world, state, response, credentials) = authentication();
    let message = response.to_message();
    for length in 0..message.len() {
        assert!(world.finish_authentication(&state, &message[..length], &credentials).is_err());
    }
}

proptest! {
    #[test]
    fn no_bytes_and_no_text_make_it_panic(bytes: Vec<u8>, text in "[\\[\\]{}\",:a-z0-9 ]{0,64}", any: String) {
        let _ = RegistrationAssertion::parse(&bytes);
        let _ = AuthenticationAssertion::parse(&bytes);
        for text in [&text, &any] {
            prop_assert!(Incoming::parse(Operation::Auth, text, Some(text)).is_err());
        }
    }

    #[test]
    fn elements_in_disorder_do_not_make_it_panic(
        outer in 0x3e01u16..0x3e05,
        inner in prop::collection::vec((0x2e05u16..0x2e15, prop::collection::vec(any::<u8>(), 0..40)), 0..9),
    ) {
        let mut body = Vec::new();
        for (tag, value) in &inner {
            sidegate_uaf::tlv::write(sidegate_uaf::tlv::Tag(*tag), value, &mut body).unwrap();
        }
        for signed in [0x3e03, 0x3e04] {
            let mut middle = Vec::new();
            sidegate_uaf::tlv::write(sidegate_uaf::tlv::Tag(signed), &body, &mut middle).unwrap();
            let mut whole = Vec::new();
            sidegate_uaf::tlv::write(sidegate_uaf::tlv::Tag(outer), &middle, &mut whole).unwrap();
            prop_assert!(RegistrationAssertion::parse(&whole).is_err());
            prop_assert!(AuthenticationAssertion::parse(&whole).is_err());
        }
    }
}
