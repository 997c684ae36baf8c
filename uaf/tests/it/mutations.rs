//! Nothing but the message itself is accepted: cut anywhere, or with any bit changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::json;
use sidegate_uaf::assertion::{AuthenticationAssertion, RegistrationAssertion};
use sidegate_uaf::authenticator::Hierarchy;
use sidegate_uaf::metadata::{Models, UnknownModels};
use sidegate_uaf::wire::{AssertionBytes, Operation, Response};
use sidegate_uaf::{Algorithm, Incoming};

use crate::support::{AAID, TODAY, World, phone, server, statement};

/// Every proper prefix, and every copy with one bit changed.
fn mutations(bytes: &[u8]) -> Vec<Vec<u8>> {
    let cut = (0..bytes.len()).map(|length| bytes[..length].to_vec());
    let flipped = (0..bytes.len() * 8).map(|bit| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    });
    cut.chain(flipped).collect()
}

/// The answers that are mutated: a message, and what the server says to another in its place.
struct Answer {
    response: Response,
    accepts: Box<dyn Fn(&str) -> bool>,
}

impl Answer {
    fn registration(world: World) -> Self {
        let (request, state) = world.start_registration(&[]);
        let (response, _) = world.phone.register(&request, &[]).unwrap();
        Self { response, accepts: Box::new(move |message| world.finish_registration(&state, message).is_ok()) }
    }

    /// By a leaf, an authority and a root, whose bytes nobody signs anew either.
    fn full_registration() -> Self {
        let hierarchy = Hierarchy::of_model(AAID.parse().unwrap(), Algorithm::P256Raw).unwrap();
        let roots = [STANDARD.encode(&hierarchy.root)];
        let statement = statement(json!({"attestationTypes": [15879], "attestationRootCertificates": roots}));
        let models = Models::new(UnknownModels::Refuse).with_statement(statement);
        let phone = phone().with_attester(hierarchy.attester);
        Self::registration(World { server: server(models), phone, now: TODAY, ..World::new() })
    }

    fn authentication() -> Self {
        let world = World::new();
        let (key, credential) = world.registered_key();
        let (request, state) = world.start_authentication();
        let response = world.phone.authenticate(&request, &mut [key], &[9; 16]).unwrap();
        let credentials = [credential];
        let accepts = move |message: &str| world.finish_authentication(&state, message, &credentials).is_ok();
        Self { response, accepts: Box::new(accepts) }
    }

    /// Mutates the assertion alone, in a message that is right.
    fn assert_only_its_assertion_is_accepted(&self) {
        assert!((self.accepts)(&self.response.to_message()));
        for bytes in mutations(self.response.assertions[0].assertion.as_bytes()) {
            let mut response = self.response.clone();
            response.assertions[0].assertion = AssertionBytes::new(bytes);
            assert!(!(self.accepts)(&response.to_message()));
        }
    }

    /// Mutates the whole text, as far as it stays a text.
    fn assert_only_its_message_is_accepted(&self) {
        let message = self.response.to_message();
        assert!((self.accepts)(&message));
        for bytes in mutations(message.as_bytes()) {
            if let Ok(text) = std::str::from_utf8(&bytes) {
                assert!(!(self.accepts)(text), "{text}");
            }
        }
    }
}

#[test]
fn no_mutation_of_a_registration_is_accepted() {
    Answer::registration(World::new()).assert_only_its_assertion_is_accepted();
}

#[test]
fn no_mutation_of_a_full_registration_is_accepted() {
    Answer::full_registration().assert_only_its_assertion_is_accepted();
}

#[test]
fn no_mutation_of_an_authentication_is_accepted() {
    Answer::authentication().assert_only_its_assertion_is_accepted();
}

#[test]
fn no_mutation_of_a_registrations_message_is_accepted() {
    Answer::registration(World::new()).assert_only_its_message_is_accepted();
}

#[test]
fn no_mutation_of_a_full_registrations_message_is_accepted() {
    Answer::full_registration().assert_only_its_message_is_accepted();
}

#[test]
fn no_mutation_of_an_authentications_message_is_accepted() {
    Answer::authentication().assert_only_its_message_is_accepted();
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
