//! Transactions with pictures: which rendering is for whom, and what an answer may confirm.

use rstest::rstest;
use serde_json::{Value, json};
use sidegate_uaf::authentication::{AuthenticationOutcome, Claimant, NotFitting};
use sidegate_uaf::authenticator::{Authenticator, AuthenticatorError, DeviceKey, black_png};
use sidegate_uaf::metadata::Models;
use sidegate_uaf::tlv::tag;
use sidegate_uaf::wire::{AuthenticationRequest, PngCharacteristics, Transaction};
use sidegate_uaf::{Credential, Error};

use crate::support::{NONCE, World, any_model, of_models, phone, registered, server, start, statement};

const OTHER: &str = "D0D0#0002";

fn picture() -> Transaction {
    Transaction::png(&black_png(320, 480).unwrap()).unwrap()
}

fn kind(width: u32) -> PngCharacteristics {
    PngCharacteristics { width, ..picture().png_characteristics.unwrap() }
}

fn text() -> Transaction {
    Transaction::text("Pay 1.00").unwrap()
}

/// A phone whose display shows pictures of this width.
fn seeing(width: u32) -> Authenticator {
    phone().with_pictures(vec![kind(width)])
}

fn of_pictures(widths: &[u32]) -> Models {
    let kinds: Vec<_> = widths.iter().map(|width| serde_json::to_value(kind(*width)).unwrap()).collect();
    any_model().with_statement(statement(json!({
        "tcDisplayContentType": "image/png", "tcDisplayPNGCharacteristics": kinds,
    })))
}

fn of_texts() -> Models {
    any_model().with_statement(statement(json!({})))
}

fn confirms(world: &World) -> Result<AuthenticationOutcome, Error> {
    let (key, credential) = world.registered_key();
    confirms_with(world, &key, credential)
}

fn confirms_with(world: &World, key: &DeviceKey, mut credential: Credential) -> Result<AuthenticationOutcome, Error> {
    credential.sign_counter = 0;
    world.authenticate_as(key, key.private_key(), &[credential], |_| {})
}

#[test]
fn a_picture_is_confirmed_by_whom_it_was_shown() {
    for models in [any_model(), of_pictures(&[640, 320])] {
        let world = World { phone: seeing(320), transaction: vec![picture()], server: server(models), ..World::new() };
        assert!(confirms(&world).is_ok());
    }
}

#[test]
fn what_a_display_shows_is_kept_with_the_key() {
    let (_, credential) = World { phone: seeing(320), ..World::new() }.registered_key();
    assert_eq!(credential.png_characteristics, [kind(320)]);
    let (_, credential) = World::new().registered_key();
    assert_eq!(credential.png_characteristics, []);
}

/// The answer is right in all but that its authenticator can't have shown what it confirms.
#[rstest]
#[case::a_display_for_texts(of_texts(), seeing(320), picture())]
#[case::a_display_for_pictures(of_pictures(&[320]), phone(), text())]
#[case::pictures_of_another_size(of_pictures(&[640]), seeing(320), picture())]
fn who_cannot_have_seen_a_rendering_confirms_nothing(
    #[case] models: Models,
    #[case] phone: Authenticator,
    #[case] rendering: Transaction,
) {
    let world = World { phone, transaction: vec![rendering], server: server(models), ..World::new() };
    assert_eq!(confirms(&world).unwrap_err(), Error::TransactionNotShown);
}

#[test]
fn a_key_whose_device_registered_other_pictures_confirms_none() {
    for (models, registered) in
        [(of_pictures(&[320, 640]), vec![kind(640)]), (any_model(), vec![kind(640)]), (any_model(), vec![])]
    {
        let world = World { phone: seeing(320), transaction: vec![picture()], server: server(models), ..World::new() };
        let (key, credential) = world.registered_key();
        let credential = Credential { png_characteristics: registered, ..credential };
        assert_eq!(confirms_with(&world, &key, credential).unwrap_err(), Error::TransactionNotShown);
    }
}

#[test]
fn of_two_renderings_the_one_confirmed_has_to_be_one_that_was_shown() {
    let transaction = vec![picture(), text()];
    let world = World { transaction, server: server(of_texts()), ..World::new() };
    assert!(confirms(&world).is_ok(), "the text");
    let hash = |width| {
        let seeing = World { phone: seeing(width), transaction: vec![picture(), text()], ..World::new() };
        let (key, _) = seeing.registered_key();
        let (request, _) = seeing.start_authentication();
        let draft = seeing.phone.draft_authentication(&request, &key, &NONCE).unwrap();
        draft.fields.get(tag::TRANSACTION_CONTENT_HASH).to_vec()
    };
    let (of_picture, of_text) = (hash(320), hash(640));
    assert_ne!(of_picture, of_text, "a phone shows the first rendering that it can");
    let confirm =
        |hash: Vec<u8>| world.authenticate_with(|draft| draft.fields.set(tag::TRANSACTION_CONTENT_HASH, hash));
    assert!(confirm(of_text).is_ok());
    assert_eq!(confirm(of_picture).unwrap_err(), Error::TransactionNotShown);
}

#[test]
fn the_outcome_tells_which_rendering_was_confirmed() {
    let [picture_hash, text_hash] = [picture(), text()].map(|sent| openssl::sha::sha256(sent.content.as_bytes()));
    for (width, confirmed) in [(320, picture_hash), (640, text_hash)] {
        let world = World { phone: seeing(width), transaction: vec![picture(), text()], ..World::new() };
        match confirms(&world).unwrap() {
            AuthenticationOutcome::Authenticated { keys, .. } => assert_eq!(keys[0].confirmed, Some(confirmed)),
            AuthenticationOutcome::Denied(denial) => panic!("denied: {denial:?}"),
        }
    }
}

#[rstest]
#[case(json!({"width": 0}))]
#[case(json!({"height": 4097}))]
#[case(json!({"bitDepth": 3}))]
#[case(json!({"bitDepth": 256}))]
#[case(json!({"colorType": 5}))]
#[case(json!({"compression": 1}))]
#[case(json!({"filter": 1}))]
#[case(json!({"interlace": 2}))]
#[case(json!({"width": "320"}))]
#[case(json!({"plte": []}))]
#[case(json!({"plte": [{"r": 0, "g": 0, "b": 0}]}))]
#[case(json!({"colorType": 3, "plte": [{"r": 256, "g": 0, "b": 0}]}))]
#[case(json!({"colorType": 3, "bitDepth": 1, "plte": vec![json!({"r": 0, "g": 0, "b": 0}); 3]}))]
fn a_registration_names_pictures_that_there_can_be(#[case] changes: Value) {
    let registered_with = |changes: &Value| {
        let world = World { phone: seeing(320), ..World::new() };
        let (request, state) = world.start_registration(&[]);
        let (response, _) = world.phone.register(&request, &[]).unwrap();
        let message = crate::support::edited(&response, |message| {
            let kind = &mut message[0]["assertions"][0]["tcDisplayPNGCharacteristics"][0];
            kind.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        });
        registered(world.finish_registration(&state, &message))
    };
    assert!(registered_with(&json!({})).is_ok());
    assert!(matches!(registered_with(&changes), Err(Error::Member(_))));
}

#[test]
fn a_registration_names_no_more_pictures_than_are_worth_keeping() {
    let of = |pictures| registered_by(phone().with_pictures(pictures));
    let palette = |colours: usize| PngCharacteristics {
        color_type: 3,
        plte: serde_json::from_value(json!(vec![json!({"r": 1, "g": 2, "b": 3}); colours])).unwrap(),
        ..kind(1)
    };
    assert!(of(vec![kind(1); 16]).is_ok());
    assert!(matches!(of(vec![kind(1); 17]), Err(Error::Member(_))));
    assert!(of(vec![palette(256), palette(256)]).is_ok());
    assert!(matches!(of(vec![palette(256), palette(256), palette(1)]), Err(Error::Member(_))));
}

fn registered_by(phone: Authenticator) -> Result<Vec<Credential>, Error> {
    let world = World { phone, ..World::new() };
    let (request, state) = world.start_registration(&[]);
    let (response, _) = world.phone.register(&request, &[]).unwrap();
    registered(world.finish_registration(&state, &response.to_message()))
}

#[test]
fn a_palette_that_a_display_names_is_the_pictures() {
    let colours = |red: u16| serde_json::from_value(json!([{"r": red, "g": 0, "b": 0}])).unwrap();
    let of = |plte| PngCharacteristics { color_type: 3, plte, ..kind(320) };
    assert!(of(vec![]).show(&of(colours(1))));
    assert!(of(colours(1)).show(&of(colours(1))));
    assert!(!of(colours(1)).show(&of(colours(2))));
    assert!(!of(colours(1)).show(&of(vec![])));
}

/// What a server asks of keys of two models, of which one shows texts and the other pictures.
fn fitting(keys: &[&str], transaction: &[Transaction]) -> Result<AuthenticationRequest, NotFitting> {
    let other = serde_json::to_value(kind(320)).unwrap();
    let other = statement(json!({
        "aaid": OTHER, "tcDisplayContentType": "image/png", "tcDisplayPNGCharacteristics": [other],
    }));
    let world = World { server: server(of_texts().with_statement(other)), ..World::new() };
    let (_, credential) = World::new().registered_key();
    let of = |aaid: &&str| Credential { aaid: aaid.parse().unwrap(), ..credential.clone() };
    let credentials: Vec<_> = keys.iter().map(of).collect();
    let claimant = Claimant::Named { user: "jeff", credentials: &credentials, decoys: None };
    let asking = world.server.asking(&of_models(&[crate::support::AAID, OTHER]), claimant, transaction)?;
    Ok(world.server.start_authentication(start("operation-a"), asking).unwrap().0.into_request())
}

#[test]
fn a_rendering_that_no_key_can_show_is_left_out() {
    const AAID: &str = crate::support::AAID;
    let both = [picture(), text()];
    let models = |fitting: &AuthenticationRequest| {
        let criteria = fitting.policy.accepted.iter().flatten();
        criteria.flat_map(|criterion| criterion.aaid.clone()).map(|aaid| aaid.to_string()).collect::<Vec<_>>()
    };
    for (keys, asked, named, left) in [
        (&[AAID][..], &both[..], &[AAID][..], &[text()][..]),
        (&[OTHER], &both, &[OTHER], &[picture()]),
        (&[AAID, OTHER], &both, &[AAID, OTHER], &both),
        (&[AAID, OTHER], &both[..1], &[OTHER], &both[..1]),
        (&[AAID, OTHER], &[], &[AAID, OTHER], &[]),
    ] {
        let fits = fitting(keys, asked).unwrap();
        assert_eq!((models(&fits), &fits.transaction[..]), (named.iter().map(ToString::to_string).collect(), left));
    }
    assert_eq!(fitting(&[AAID], &both[..1]).unwrap_err(), NotFitting::NoDisplay);
    assert_eq!(fitting(&[OTHER], &both[1..]).unwrap_err(), NotFitting::NoDisplay);
    assert_eq!(fitting(&[], &both).unwrap_err(), NotFitting::NoKey);
}

#[test]
fn a_phone_answers_with_the_key_that_shows_the_transaction_and_with_none_otherwise() {
    let request = |transaction| {
        let (request, _) = World { transaction, ..World::new() }.start_authentication();
        AuthenticationRequest::from_message(&request.to_message()).unwrap()
    };
    let (blind, seeing) =
        (World::new().registered_key().0, World { phone: seeing(320), ..World::new() }.registered_key().0);
    let (first, second) = (blind.sign_counter(), seeing.sign_counter());
    let mut keys = [blind, seeing];
    let both = request(vec![picture()]);
    assert_eq!(phone().shown(&both, &keys), Ok(Some(&picture())));
    phone().authenticate(&both, &mut keys, &NONCE).unwrap();
    assert_eq!((keys[0].sign_counter(), keys[1].sign_counter()), (first, second + 1));
    assert_eq!(phone().shown(&both, &keys[..1]), Err(AuthenticatorError::CannotShow));
    let refused = phone().authenticate(&both, &mut keys[..1], &NONCE);
    assert_eq!((refused, keys[0].sign_counter()), (Err(AuthenticatorError::CannotShow), first));
    assert_eq!(phone().shown(&request(vec![]), &keys), Ok(None));
    assert_eq!(phone().shown(&request(vec![]), &[]), Err(AuthenticatorError::NoSuitableAuthenticator));
}

#[test]
fn a_key_that_is_kept_in_a_file_knows_what_it_shows() {
    let (key, _) = World { phone: seeing(320), ..World::new() }.registered_key();
    let file = serde_json::to_value(&key).unwrap();
    assert_eq!(file["pictures"], json!([kind(320)]));
    let (plain, _) = World::new().registered_key();
    let file = serde_json::to_value(&plain).unwrap();
    assert!(file.get("pictures").is_none() && serde_json::from_value::<DeviceKey>(file).is_ok(), "as before");
}
