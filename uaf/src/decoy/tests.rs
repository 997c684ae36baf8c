//! Whose decoys there are, and what comes of an answer with one.

use serde_json::json;

use super::*;
use crate::algorithm::{Algorithm, KeyFormat};
use crate::authentication::Claimant;
use crate::authenticator::{Authenticator, DeviceKey};
use crate::crypto::PrivateKey;
use crate::metadata::{Models, UnknownModels};
use crate::policy::Policy;
use crate::registration::NewRegistration;
use crate::relying_party::{Arrival, Start};
use crate::testing::relying_party;
use crate::tlv::tag;
use crate::wire::{Challenge, Operation};

const FIRST: &str = "D0D0#0001";
const SECOND: &str = "D0D0#0002";
const THIRD: &str = "D0D0#0003";

fn decoys(secret: u8, models: &[&str]) -> Decoys {
    Decoys::new(&[secret; 32], &relying_party(), models.iter().map(|model| model.parse().unwrap())).unwrap()
}

fn asked(decoys: &Decoys, wanted: &Policy, user: &str) -> Option<Policy> {
    relying_party().decoy_policy(wanted, decoys.of(user), &[]).unwrap()
}

fn any() -> Policy {
    Policy::any()
}

#[test]
fn a_user_has_one_decoy_and_keeps_it() {
    let one = asked(&decoys(1, &[FIRST, SECOND]), &any(), "ghost").unwrap();
    assert_eq!(asked(&decoys(1, &[FIRST, SECOND]), &any(), "ghost").unwrap(), one, "after a restart too");
    let [[criterion]] = &one.as_wire().accepted.iter().map(Vec::as_slice).collect::<Vec<_>>()[..] else {
        panic!("{one:?}")
    };
    assert_eq!((criterion.aaid.len(), criterion.key_ids[0].as_bytes().len()), (1, 32));
    assert_ne!(asked(&decoys(1, &[FIRST, SECOND]), &any(), "other").unwrap(), one);
    assert_ne!(asked(&decoys(2, &[FIRST, SECOND]), &any(), "ghost").unwrap(), one, "the secret decides");
}

#[test]
fn every_model_is_somebodys() {
    let decoys = decoys(1, &[FIRST, SECOND, FIRST]);
    let model = |n: u8| asked(&decoys, &any(), &format!("ghost {n}")).unwrap().models().next().unwrap();
    let first = (0..100).filter(|n| model(*n).as_str() == FIRST).count();
    assert!((20..80).contains(&first), "{first} of 100");
}

/// The only key that a policy names.
fn named(policy: &Policy) -> KeyRef {
    let criterion = &policy.as_wire().accepted[0][0];
    KeyRef { aaid: criterion.aaid[0], key_id: criterion.key_ids[0].clone() }
}

#[test]
fn another_model_changes_nobodys_decoy_but_to_one_of_its_own() {
    let (before, after) = (decoys(1, &[FIRST, SECOND]), decoys(1, &[FIRST, SECOND, THIRD]));
    let mut moved = 0;
    for n in 0..60 {
        let (old, new) =
            [&before, &after].map(|decoys| named(&asked(decoys, &any(), &format!("ghost {n}")).unwrap())).into();
        assert!(new == old || new.aaid.as_str() == THIRD, "ghost {n}");
        moved += u8::from(new != old);
        assert!(before.find("", &new).unwrap().is_some(), "known where its model makes none any more");
    }
    assert!((5..40).contains(&moved), "{moved} of 60");
}

/// Of every model, with a key of the second one if any: what policies for one of three and for two at once name.
#[test]
fn what_several_policies_name_fits_together_with_a_key_as_without() {
    let (server, decoys) = (relying_party(), decoys(1, &[FIRST, SECOND, THIRD]));
    let accepting = |all: &[&[&str]]| {
        let alternative: Vec<_> = all.iter().map(|models| json!({"aaid": models})).collect();
        Policy::parse(&json!({"accepted": [alternative]}).to_string()).unwrap()
    };
    let of = |models: &[&str]| accepting(&[models]);
    let two = accepting(&[&[FIRST, SECOND, THIRD], &[FIRST, SECOND, THIRD]]);
    let mut orders = [[0; 6]; 2];
    for n in 0..200 {
        let user = format!("user {n}");
        let key = named(&asked(&decoys, &of(&[SECOND]), &format!("owner {n}")).unwrap());
        let own = Credential { aaid: key.aaid, ..decoys.find(&user, &key).unwrap().unwrap() };
        for (has_key, own) in [&[][..], &[own]].into_iter().enumerate() {
            let ask = |wanted: &Policy| {
                let decoys = Some(decoys.of(&user));
                server.asking(wanted, Claimant::Named { user: &user, credentials: own, decoys }, &[]).unwrap().policy
            };
            let first = named(&ask(&any()));
            assert!(ask(&two).as_wire().names(&first), "{user}");
            let others: Vec<_> =
                [FIRST, SECOND, THIRD].into_iter().filter(|model| *model != first.aaid.as_str()).collect();
            let second = named(&ask(&of(&others))).aaid;
            let place = |aaid: Aaid| [FIRST, SECOND, THIRD].iter().position(|model| *model == aaid.as_str()).unwrap();
            orders[has_key][place(first.aaid) * 2 + usize::from(second.as_str() == others[1])] += 1;
        }
    }
    let [without, with] = orders;
    assert!(without.iter().all(|count| *count > 10), "every order is somebody's: {without:?}");
    assert!(with[2] > 50 && with[3] > 50 && with[2] + with[3] == 200, "{with:?}");
}

#[test]
fn a_decoy_fits_what_is_asked_for() {
    let decoys = decoys(1, &[FIRST, SECOND]);
    for model in [FIRST, SECOND] {
        let wanted = Policy::parse(&json!({"accepted": [[{"aaid": [model]}]]}).to_string()).unwrap();
        assert_eq!(wanted.models().next().unwrap().as_str(), model);
        assert_eq!(asked(&decoys, &wanted, "ghost").unwrap().models().next().unwrap().as_str(), model);
    }
    let both = json!({"accepted": [[{"aaid": [FIRST, SECOND]}, {"aaid": [FIRST, SECOND]}]]}).to_string();
    let both = asked(&decoys, &Policy::parse(&both).unwrap(), "ghost").unwrap();
    assert_eq!(both.as_wire().accepted.iter().map(Vec::len).collect::<Vec<_>>(), [2], "one choice");
    let other = Policy::parse(r#"{"accepted":[[{"aaid":["D0D0#0003"]}]]}"#).unwrap();
    assert_eq!(asked(&decoys, &other, "ghost"), None);
}

fn wanted(accepted: serde_json::Value, disallowed: serde_json::Value) -> Policy {
    Policy::parse(&json!({"accepted": accepted, "disallowed": disallowed}).to_string()).unwrap()
}

#[test]
fn a_decoy_is_of_the_algorithm_that_is_asked_for_and_of_no_version() {
    let (decoys, unwanted) = (decoys(1, &[FIRST]), json!([{"aaid": [SECOND]}]));
    let of = |algorithm: u16| json!({"authenticationAlgorithms": [algorithm], "assertionSchemes": ["UAFV1TLV"]});
    for algorithm in [1, 2, 6, 9] {
        let asked = asked(&decoys, &wanted(json!([[of(algorithm)]]), unwanted.clone()), "ghost").unwrap();
        let key = KeyRef { aaid: FIRST.parse().unwrap(), key_id: asked.as_wire().accepted[0][0].key_ids[0].clone() };
        let decoy = decoys.find("ghost", &key).unwrap().unwrap();
        assert_eq!((u16::from(decoy.algorithm), decoy.verification_key().is_ok()), (algorithm, true));
    }
    let both = asked(&decoys, &wanted(json!([[of(2), of(5)]]), unwanted), "ghost").unwrap();
    assert_eq!(both.as_wire().accepted[0].iter().map(|member| member.key_ids.len()).collect::<Vec<_>>(), [1, 1]);
    let version = json!([{"aaid": [FIRST], "authenticatorVersion": 2}]);
    assert!(asked(&decoys, &wanted(json!([version]), version), "ghost").is_some());
}

#[test]
fn a_model_whose_keys_are_not_taken_is_no_decoys() {
    let mut server = relying_party();
    server.models = server.models.with_revoked(FIRST.parse().unwrap());
    let of = |server: &RelyingParty| Decoys::new(&[1; 32], server, [FIRST.parse().unwrap()]).unwrap_err();
    let refused = |cause| DecoyError::Model { aaid: FIRST.parse().unwrap(), cause };
    assert_eq!(of(&server), refused(Error::ModelRevoked));
    server.models = Models::new(UnknownModels::Refuse);
    assert_eq!(of(&server), refused(Error::UnknownModel(FIRST.parse().unwrap())));
}

fn start() -> Start<'static> {
    Start { operation_id: "o", purpose: "p", challenge: Challenge::new([1; 32]).unwrap(), expires_at: 10 }
}

/// A phone with a key of its own for this algorithm.
fn phone(algorithm: Algorithm) -> (Authenticator, DeviceKey) {
    let phone = Authenticator::new(FIRST.parse().unwrap()).with_algorithm(algorithm, KeyFormat::EcRaw);
    let new = NewRegistration { start: start(), user: "eve", username: "eve", policy: any(), registered: &[] };
    let (request, _) = relying_party().start_registration(new).unwrap();
    let key = phone.make_key(&request, PrivateKey::generate(algorithm).unwrap()).unwrap();
    (phone, key)
}

/// What comes of an answer that says it is by the ghost's decoy, where the ghost was asked by name or nobody was.
fn finish(algorithm: Algorithm, is_named: bool) -> Error {
    let (server, decoys, (phone, key)) = (relying_party(), decoys(1, &[FIRST]), phone(algorithm));
    let key_id = asked(&decoys, &any(), "ghost").unwrap().as_wire().accepted[0][0].key_ids[0].clone();
    let ghost = Claimant::Named { user: "ghost", credentials: &[], decoys: Some(decoys.of("ghost")) };
    let asking = server.asking(&any(), if is_named { ghost } else { Claimant::Anyone }, &[]).unwrap();
    let (request, state) = server.start_authentication(start(), asking).unwrap();
    assert_eq!(state.decoyed(), Some(if is_named { "ghost" } else { "" }));
    let mut draft = phone.draft_authentication(&request, &key, &[9; 16]).unwrap();
    draft.fields.set(tag::KEYID, key_id.as_bytes());
    let response = draft.sign(key.private_key()).unwrap().to_message();
    let opened = server.open(Operation::Auth, &response, None).unwrap();
    let credentials = [decoys.find(state.decoyed().unwrap(), &opened.keys()[0]).unwrap().unwrap()];
    server.finish_authentication(&state, &opened, &credentials, &Arrival { now: 1, channels: &[] }).unwrap_err()
}

#[test]
fn nobody_answers_with_a_decoy() {
    for is_named in [true, false] {
        assert_eq!(finish(Algorithm::P256Raw, is_named), Error::Signature);
        assert_eq!(finish(Algorithm::P256Der, is_named), Error::AlgorithmNotRegistered, "as a key has one");
    }
}

#[test]
fn a_decoy_is_known_by_its_id_of_one_model() {
    let (ours, others) = (decoys(1, &[FIRST, SECOND]), decoys(2, &[FIRST]));
    for likeness in &ours.models[0] {
        let decoy = ours.of("ghost").key(likeness).unwrap();
        let key = decoy.key_ref();
        assert_eq!(ours.find("ghost", &key).unwrap(), Some(decoy));
        assert_eq!(ours.find("", &key).unwrap().unwrap().algorithm, likeness.algorithm);
        assert_eq!(ours.find("", &KeyRef { aaid: SECOND.parse().unwrap(), ..key.clone() }).unwrap(), None);
        assert_eq!(others.find("", &key).unwrap(), None, "the secret decides");
        for bit in 0..256 {
            let mut other = key.key_id.as_bytes().to_vec();
            other[bit / 8] ^= 1 << (bit % 8);
            let other = KeyRef { key_id: KeyId::new(other).unwrap(), ..key.clone() };
            assert_eq!(ours.find("", &other).unwrap(), None, "{bit}");
        }
        let longer = KeyId::new([key.key_id.as_bytes(), &[0]].concat()).unwrap();
        assert_eq!(ours.find("", &KeyRef { key_id: longer, ..key }).unwrap(), None);
    }
}
