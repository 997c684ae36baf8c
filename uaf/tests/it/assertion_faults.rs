//! Faults in the TLV of assertions, inside what is signed and around it. Each message is signed over its fault.

use rstest::rstest;
use sidegate_uaf::Error;
use sidegate_uaf::assertion::{AuthenticationAssertion, RegistrationAssertion};
use sidegate_uaf::authenticator::{Draft, Fields};
use sidegate_uaf::tlv::{self, Tag, TlvError, tag};
use sidegate_uaf::wire::AssertionBytes;

use crate::support::World;

/// Both ceremonies must refuse the fault for the reason given.
fn both_refuse(change: impl Fn(&mut Draft), error: TlvError) {
    assert_eq!(World::new().register_with(&change).unwrap_err(), Error::Tlv(error), "registration");
    assert_eq!(World::new().authenticate_with(&change).unwrap_err(), Error::Tlv(error), "authentication");
}

const REGISTRATION: [Tag; 6] =
    [tag::AAID, tag::ASSERTION_INFO, tag::FINAL_CHALLENGE_HASH, tag::KEYID, tag::COUNTERS, tag::PUB_KEY];
const AUTHENTICATION: [Tag; 7] = [
    tag::AAID,
    tag::ASSERTION_INFO,
    tag::AUTHENTICATOR_NONCE,
    tag::FINAL_CHALLENGE_HASH,
    tag::TRANSACTION_CONTENT_HASH,
    tag::KEYID,
    tag::COUNTERS,
];

#[test]
fn no_mandatory_element_may_be_missing() {
    for tag in REGISTRATION {
        let refused = World::new().register_with(|draft| draft.fields.remove(tag)).unwrap_err();
        assert_eq!(refused, Error::Tlv(TlvError::Missing(tag)));
    }
    for tag in AUTHENTICATION {
        let refused = World::new().authenticate_with(|draft| draft.fields.remove(tag)).unwrap_err();
        assert_eq!(refused, Error::Tlv(TlvError::Missing(tag)));
    }
}

#[test]
fn no_element_may_occur_twice() {
    let twice = |tag| move |draft: &mut Draft| draft.fields.push(tag, draft.fields.get(tag).to_vec());
    for tag in REGISTRATION {
        let refused = World::new().register_with(twice(tag)).unwrap_err();
        assert_eq!(refused, Error::Tlv(TlvError::Duplicate(tag)));
    }
    for tag in AUTHENTICATION {
        let refused = World::new().authenticate_with(twice(tag)).unwrap_err();
        assert_eq!(refused, Error::Tlv(TlvError::Duplicate(tag)));
    }
}

#[rstest]
#[case(tag::AAID, 8)]
#[case(tag::AAID, 10)]
#[case(tag::KEYID, 31)]
#[case(tag::KEYID, 2049)]
#[case(tag::ASSERTION_INFO, 0)]
#[case(tag::ASSERTION_INFO, 4)]
#[case(tag::ASSERTION_INFO, 6)]
#[case(tag::ASSERTION_INFO, 8)]
#[case(tag::COUNTERS, 0)]
#[case(tag::COUNTERS, 3)]
#[case(tag::COUNTERS, 5)]
#[case(tag::COUNTERS, 7)]
#[case(tag::COUNTERS, 9)]
fn every_length_is_exact(#[case] tag: Tag, #[case] length: usize) {
    both_refuse(|draft| draft.fields.set(tag, vec![b'A'; length]), TlvError::Length(tag));
}

#[test]
fn a_nonce_has_eight_bytes_or_more() {
    let with = |length| move |draft: &mut Draft| draft.fields.set(tag::AUTHENTICATOR_NONCE, vec![9; length]);
    assert!(World::new().authenticate_with(with(8)).is_ok());
    let refused = World::new().authenticate_with(with(7)).unwrap_err();
    assert_eq!(refused, Error::Tlv(TlvError::Length(tag::AUTHENTICATOR_NONCE)));
}

#[rstest]
#[case(b"D0D0-0001")]
#[case(b"D0D0#000G")]
#[case(b"\xffD0D#0001")]
fn an_aaid_has_its_form(#[case] aaid: &[u8; 9]) {
    both_refuse(|draft| draft.fields.set(tag::AAID, *aaid), TlvError::Malformed(tag::AAID));
}

#[rstest]
fn a_known_tag_in_a_wrong_place_is_refused(
    #[values(
        tag::SIGNATURE,
        tag::ATTESTATION_CERT,
        tag::KRD,
        tag::SIGNED_DATA,
        tag::REG_ASSERTION,
        tag::BASIC_SURROGATE,
        tag::EXTENSION_ID,
        tag::RAW_USER_VERIFICATION_INDEX,
        tag::RAW_USER_VERIFICATION_STATE
    )]
    tag: Tag,
) {
    both_refuse(|draft| draft.fields.push(tag, [0; 4]), TlvError::Misplaced(tag));
}

#[rstest]
fn what_was_verified_may_be_told_once_where_it_is_signed(
    #[values(tag::USER_VERIFICATION_INDEX, tag::USER_VERIFICATION_STATE)] told: Tag,
) {
    for length in [1, 32] {
        let tell = |draft: &mut Draft| draft.fields.push(told, vec![7; length]);
        assert!(World::new().register_with(tell).is_ok() && World::new().authenticate_with(tell).is_ok(), "{length}");
    }
    for length in [0, 33] {
        both_refuse(|draft| draft.fields.push(told, vec![7; length]), TlvError::Length(told));
    }
    let twice = |draft: &mut Draft| {
        draft.fields.push(told, [7; 32]);
        draft.fields.push(told, [7; 32]);
    };
    both_refuse(twice, TlvError::Duplicate(told));
    both_refuse(|draft| draft.unsigned.push(told, [7; 32]), TlvError::Misplaced(told));
}

#[test]
fn elements_of_the_other_ceremony_are_misplaced() {
    for tag in [tag::AUTHENTICATOR_NONCE, tag::TRANSACTION_CONTENT_HASH] {
        let refused = World::new().register_with(|draft| draft.fields.push(tag, [0; 32])).unwrap_err();
        assert_eq!(refused, Error::Tlv(TlvError::Misplaced(tag)));
    }
    let refused = World::new().authenticate_with(|draft| draft.fields.push(tag::PUB_KEY, [4; 65])).unwrap_err();
    assert_eq!(refused, Error::Tlv(TlvError::Misplaced(tag::PUB_KEY)));
}

#[rstest]
fn an_unknown_critical_tag_drops_the_message(#[values(0x2e99, 0x3e99, 0x3e0a, 0x4001, 0xffff)] unknown: u16) {
    both_refuse(|draft| draft.fields.push(Tag(unknown), [1]), TlvError::UnknownCritical(Tag(unknown)));
    both_refuse(|draft| draft.unsigned.push(Tag(unknown), [1]), TlvError::UnknownCritical(Tag(unknown)));
}

type Part<'a> = (Tag, &'a [u8]);

fn extension(parts: &[Part<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (tag, value) in parts {
        tlv::write(*tag, value, &mut bytes).unwrap();
    }
    bytes
}

#[test]
fn a_critical_extension_that_is_unknown_drops_the_message() {
    let content = extension(&[(tag::EXTENSION_ID, b"x"), (tag::EXTENSION_DATA, b"")]);
    let error = TlvError::UnknownCritical(tag::EXTENSION_CRITICAL);
    both_refuse(|draft| draft.fields.push(tag::EXTENSION_CRITICAL, content.clone()), error);
    both_refuse(|draft| draft.unsigned.push(tag::EXTENSION_CRITICAL, content.clone()), error);
}

/// The index and the state of a user verification, as authenticators send them: in an extension, of up to 32 bytes.
#[rstest]
#[case(b"fido.uaf.uvi", tag::USER_VERIFICATION_INDEX)]
#[case(b"fido.uaf.uvs", tag::USER_VERIFICATION_STATE)]
fn what_tells_of_the_verification_is_passed_over_unless_it_is_critical(#[case] id: &[u8], #[case] what: Tag) {
    for length in [1, 32] {
        let content =
            extension(&[(tag::EXTENSION_ID, id), (tag::EXTENSION_DATA, &extension(&[(what, &vec![7; length])]))]);
        let signed = |draft: &mut Draft| draft.fields.push(tag::EXTENSION, content.clone());
        assert!(World::new().register_with(signed).is_ok() && World::new().authenticate_with(signed).is_ok());
        let beside = |draft: &mut Draft| draft.unsigned.push(tag::EXTENSION, content.clone());
        assert!(World::new().register_with(beside).is_ok() && World::new().authenticate_with(beside).is_ok());
        let critical = |draft: &mut Draft| draft.fields.push(tag::EXTENSION_CRITICAL, content.clone());
        both_refuse(critical, TlvError::UnknownCritical(tag::EXTENSION_CRITICAL));
    }
}

#[test]
fn an_extension_that_is_ignored_is_well_formed_all_the_same() {
    use tag::{EXTENSION_DATA as DATA, EXTENSION_ID as ID};
    let cases: [(&[Part<'_>], TlvError); 8] = [
        (&[(DATA, b"")], TlvError::Missing(ID)),
        (&[(ID, b"x")], TlvError::Missing(DATA)),
        (&[(ID, b""), (DATA, b"")], TlvError::Length(ID)),
        (&[(ID, &[b'x'; 33]), (DATA, b"")], TlvError::Length(ID)),
        (&[(ID, b"\xff"), (DATA, b"")], TlvError::Malformed(ID)),
        (&[(ID, b"x"), (ID, b"x"), (DATA, b"")], TlvError::Duplicate(ID)),
        (&[(ID, b"x"), (DATA, b""), (DATA, b"")], TlvError::Duplicate(DATA)),
        (&[(ID, b"x"), (DATA, b""), (tag::AAID, b"D0D0#0001")], TlvError::Misplaced(tag::AAID)),
    ];
    for (parts, error) in cases {
        both_refuse(|draft| draft.fields.push(tag::EXTENSION, extension(parts)), error);
    }
}

#[test]
fn leftovers_are_found_at_every_level() {
    // Inside the signed object: an element that claims more than there is.
    for length in [[2, 0], [0xff, 0xff]] {
        let cut = |draft: &Draft| {
            let mut inner = draft.fields.inside(draft.signed).unwrap()[4..].to_vec();
            inner.extend([0x99, 0x0e, length[0], length[1], 1]);
            let mut signed = Vec::new();
            tlv::write(draft.signed, &inner, &mut signed).unwrap();
            signed
        };
        assert_eq!(signed_by_hand(cut), Error::Tlv(TlvError::Truncated));
    }
    // Behind the outermost element, as some clients in the field do it with an extension.
    let extension = [0x11, 0x3e, 0, 0];
    let refused = World::new().register_then(
        |_| {},
        |response| {
            let bytes = [response.assertions[0].assertion.as_bytes(), &extension].concat();
            response.assertions[0].assertion = AssertionBytes::new(bytes);
        },
    );
    assert_eq!(refused.unwrap_err(), Error::Tlv(TlvError::Leftover));
}

/// Registers with signed bytes that are made by hand.
fn signed_by_hand(make: impl Fn(&Draft) -> Vec<u8>) -> Error {
    let world = World::new();
    let (request, state) = world.start_registration(&[]);
    let (_, key) = world.phone.register(&request, &[]).unwrap();
    let draft = world.phone.draft_registration(&request, &key).unwrap();
    let signed = make(&draft);
    let signature = Fields(vec![(tag::SIGNATURE, key.private_key().sign(&signed).unwrap())]);
    let response = draft.respond(draft.wrap(&signed, &signature).unwrap()).unwrap();
    world.finish_registration(&state, &response.to_message()).unwrap_err()
}

#[test]
fn the_outer_tag_and_the_signed_object_are_those_of_the_ceremony() {
    both_refuse(|draft| draft.outer = tag::KRD, TlvError::OuterTag(tag::KRD));
    both_refuse(|draft| draft.signed = tag::EXTENSION, TlvError::SignedObjectNotFirst);
    let outer = World::new().register_with(|draft| draft.outer = tag::AUTH_ASSERTION).unwrap_err();
    assert_eq!(outer, Error::Tlv(TlvError::OuterTag(tag::AUTH_ASSERTION)));
    let outer = World::new().authenticate_with(|draft| draft.outer = tag::REG_ASSERTION).unwrap_err();
    assert_eq!(outer, Error::Tlv(TlvError::OuterTag(tag::REG_ASSERTION)));
    let inner = World::new().register_with(|draft| draft.signed = tag::SIGNED_DATA).unwrap_err();
    assert_eq!(inner, Error::Tlv(TlvError::SignedObjectNotFirst));
    let inner = World::new().authenticate_with(|draft| draft.signed = tag::KRD).unwrap_err();
    assert_eq!(inner, Error::Tlv(TlvError::SignedObjectNotFirst));
}

#[test]
fn there_is_one_signed_object_one_attestation_and_one_signature() {
    let register = |change: fn(&mut Draft)| World::new().register_with(change).unwrap_err();
    let again = |draft: &mut Draft| draft.unsigned.push(tag::KRD, *b"");
    assert_eq!(register(again), Error::Tlv(TlvError::Duplicate(tag::KRD)));
    let two = |draft: &mut Draft| draft.unsigned.push(tag::BASIC_SURROGATE, [6, 0x2e, 0, 0]);
    assert_eq!(register(two), Error::Tlv(TlvError::Duplicate(tag::BASIC_SURROGATE)));
    let mixed = |draft: &mut Draft| draft.unsigned.push(tag::BASIC_FULL, [6, 0x2e, 0, 0, 5, 0x2e, 0, 0]);
    assert_eq!(register(mixed), Error::Tlv(TlvError::Duplicate(tag::BASIC_FULL)));
    let bare = |draft: &mut Draft| draft.attestation = None;
    assert_eq!(register(bare), Error::Tlv(TlvError::Misplaced(tag::SIGNATURE)));
    let none = |draft: &mut Draft| draft.attestation = Some(tag::EXTENSION);
    assert!(matches!(register(none), Error::Tlv(_)));

    let authenticate = |change: fn(&mut Draft)| World::new().authenticate_with(change).unwrap_err();
    let again = |draft: &mut Draft| draft.unsigned.push(tag::SIGNED_DATA, *b"");
    assert_eq!(authenticate(again), Error::Tlv(TlvError::Duplicate(tag::SIGNED_DATA)));
    let two = |draft: &mut Draft| draft.unsigned.push(tag::SIGNATURE, [0; 64]);
    assert_eq!(authenticate(two), Error::Tlv(TlvError::Duplicate(tag::SIGNATURE)));
    let wrapped = |draft: &mut Draft| draft.attestation = Some(tag::BASIC_SURROGATE);
    assert_eq!(authenticate(wrapped), Error::Tlv(TlvError::Misplaced(tag::BASIC_SURROGATE)));
}

#[test]
fn an_attestation_object_holds_what_it_should() {
    let inside = |parts: &[Part<'_>]| {
        let mut krd = Fields::default();
        krd.push(tag::AAID, *b"D0D0#0001");
        let object = Fields(parts.iter().map(|(tag, value)| (*tag, value.to_vec())).collect());
        let bytes = [krd.inside(tag::KRD).unwrap(), object.inside(tag::BASIC_SURROGATE).unwrap()].concat();
        let mut whole = Vec::new();
        tlv::write(tag::REG_ASSERTION, &bytes, &mut whole).unwrap();
        RegistrationAssertion::parse(&whole).unwrap_err()
    };
    assert_eq!(inside(&[]), Error::Tlv(TlvError::Missing(tag::SIGNATURE)));
    let signature: Part<'_> = (tag::SIGNATURE, &[0; 64]);
    assert_eq!(inside(&[signature, signature]), Error::Tlv(TlvError::Duplicate(tag::SIGNATURE)));
    assert_eq!(
        inside(&[signature, (tag::ATTESTATION_CERT, b"x")]),
        Error::Tlv(TlvError::Misplaced(tag::ATTESTATION_CERT))
    );
}

#[test]
fn an_empty_outer_element_has_no_signed_object() {
    assert_eq!(RegistrationAssertion::parse(&[1, 0x3e, 0, 0]).unwrap_err(), Error::Tlv(TlvError::Missing(tag::KRD)));
    assert_eq!(
        AuthenticationAssertion::parse(&[2, 0x3e, 0, 0]).unwrap_err(),
        Error::Tlv(TlvError::Missing(tag::SIGNED_DATA))
    );
}
