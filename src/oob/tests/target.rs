//! Dispatch targets (`http-api.md` 1).

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use rstest::rstest;
use serde_json::{Value, json};
use sidegate_filters::clock::Clock;
use sidegate_filters::jws::{JwkDocument, VerificationKey};
use sidegate_filters::jws_bypass::{JwsBypassFilter, MODIFY_LIMIT, Proof, SKEW, Uses, VerifiedModify};
use sidegate_filters::memory::{MemoryReplayGuard, MemoryTargetKeys};
use sidegate_filters::{Caller, CanonicalPath, Filter, PathTemplate, Role, Verdict};

use super::super::testing::{Device, House, asker, internal};
use super::super::{NewTarget, NotPermitted, TargetFault};
use crate::identity::testing::exchange;
use crate::store::{PushToken, Users};

#[tokio::test]
async fn what_was_created_is_listed_without_its_keys() {
    let house = House::new();
    let device = house.target("jeff", "link").await;
    // Looking needs no role.
    let bank = internal(&[]);
    let listed = house.targets.list(&asker(&bank), "jeff", None).await.unwrap();
    assert_eq!((listed[0].id.as_str(), listed[0].name.as_str()), (device.id.as_str(), "jeff's link"));
    assert!(matches!(house.targets.list(&asker(&bank), "jeff", Some("app")).await, Err(TargetFault::NotFound)));
    assert!(matches!(house.targets.list(&asker(&bank), "eve", None).await, Err(TargetFault::NotFound)));
    let unknown = house.targets.list(&asker(&bank), "ghost", None).await;
    assert!(matches!(unknown, Err(TargetFault::NotPermitted(NotPermitted::UnknownUser))));
}

#[tokio::test]
async fn a_name_is_taken_once_by_each_user() {
    let house = House::new();
    let (jeff, eve) = (house.user("jeff").await, house.user("eve").await);
    let new = || Device::new().registration("phone", "link");
    house.targets.create(&asker(&jeff), new()).await.unwrap();
    assert!(matches!(house.targets.create(&asker(&jeff), new()).await, Err(TargetFault::NameTaken)));
    house.targets.create(&asker(&eve), new()).await.unwrap();
}

#[tokio::test]
async fn nobody_makes_a_target_for_somebody_else() {
    let house = House::new();
    let eve = house.user("eve").await;
    let new = || NewTarget { username: Some("jeff".into()), ..Device::new().registration("phone", "link") };
    let refused = house.targets.create(&asker(&eve), new()).await;
    assert!(matches!(refused, Err(TargetFault::NotPermitted(NotPermitted::OtherUser))));
    let refused = house.targets.create(&asker(&Caller::Anonymous), new()).await;
    assert!(matches!(refused, Err(TargetFault::NotPermitted(NotPermitted::NoSession { .. }))));
    house.targets.create(&asker(&internal(&[Role::ActFor])), new()).await.unwrap();
}

#[rstest]
#[case(|new: &mut NewTarget| new.name = String::new(), "name")]
#[case(|new: &mut NewTarget| new.name = "a".repeat(257), "name")]
#[case(|new: &mut NewTarget| new.name = "a\nb".into(), "name")]
#[case(|new: &mut NewTarget| new.device_id = Some(String::new()), "deviceId")]
#[case(|new: &mut NewTarget| new.app_id = Some(String::new()), "appId")]
#[case(|new: &mut NewTarget| new.push_token = Some(PushToken::new("x".repeat(4097))), "target")]
#[tokio::test]
async fn texts_have_limits(#[case] spoil: fn(&mut NewTarget), #[case] expected: &str) {
    let house = House::new();
    let mut new = Device::new().registration("phone", "link");
    spoil(&mut new);
    let refused = house.targets.create(&asker(&house.user("jeff").await), new).await.unwrap_err();
    assert!(matches!(refused, TargetFault::Malformed { member, .. } if member == expected), "{refused}");
}

#[tokio::test]
async fn keys_and_dispatcher_have_to_be_usable() {
    let house = House::new();
    let jeff = house.user("jeff").await;
    let device = Device::new();
    let fresh = || device.registration("phone", "link");
    let create = async |new| house.targets.create(&asker(&jeff), new).await.unwrap_err();
    let x25519 = json!({"kty": "OKP", "crv": "X25519", "x": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"});
    let private = serde_json::to_value(&device.decryption).unwrap();
    for key in [x25519, json!("no key"), json!({}), json!(7), private.clone()] {
        let fault = create(NewTarget { signature_key: key, ..fresh() }).await;
        assert!(matches!(fault, TargetFault::Key { member: "signatureKey", .. }), "{fault}");
    }
    let ed25519 = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    for key in [ed25519, json!("no key"), private] {
        let fault = create(NewTarget { encryption_key: key, ..fresh() }).await;
        assert!(matches!(fault, TargetFault::Key { member: "encryptionKey", .. }), "{fault}");
    }
    assert!(matches!(create(NewTarget { dispatcher: "pigeon".into(), ..fresh() }).await, TargetFault::Dispatcher));
}

#[tokio::test]
async fn only_its_owner_deletes_a_target() {
    let house = House::new();
    let (jeff, eve) = (house.user("jeff").await, house.user("eve").await);
    let id = house.target("jeff", "link").await.id;
    let delete = async |caller: &Caller, id: &str| house.targets.delete(&asker(caller), id).await;
    assert!(matches!(delete(&eve, &id).await, Err(TargetFault::NotFound)));
    assert!(matches!(delete(&eve, "no target").await, Err(TargetFault::NotFound)));
    let anonymous = delete(&Caller::Anonymous, &id).await;
    assert!(matches!(anonymous, Err(TargetFault::NotPermitted(NotPermitted::NoSession { .. }))));
    delete(&jeff, &id).await.unwrap();
    assert!(matches!(delete(&jeff, &id).await, Err(TargetFault::NotFound)));
    let id = house.target("jeff", "link").await.id;
    delete(&internal(&[Role::ActFor]), &id).await.unwrap();
}

/// What the JWS bypass makes of a change signed by this device.
async fn signed(house: &House, device: &Device, change: Value) -> VerifiedModify {
    let mut claims = json!({"requestId": uuid::Uuid::new_v4(), "creationTimeInEpochMillis": house.clock.now().0});
    claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let jws = device.signing.sign(claims.to_string().as_bytes()).unwrap();
    let keys = MemoryTargetKeys::new(1);
    let document = JwkDocument::parse(&device.signing.public_jwk()).unwrap();
    keys.register(device.id.as_str(), Arc::new(VerificationKey::try_from(document).unwrap())).unwrap();
    let clock = Arc::clone(&house.clock) as Arc<dyn Clock>;
    let replays = Arc::new(MemoryReplayGuard::new(10, Arc::clone(&clock)));
    let uses = Arc::new(Uses::new(replays, clock, MODIFY_LIMIT));
    let bypass = JwsBypassFilter::new(Proof::Keys(Arc::new(keys)), uses, SKEW);

    let mut exchange = exchange(Method::PATCH, &[]);
    exchange.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jose;charset=UTF-8"));
    exchange.path = CanonicalPath::parse(&format!("/targets/{}", device.id)).unwrap();
    exchange.params = PathTemplate::parse("/targets/{id}").unwrap().matches(&exchange.path).unwrap();
    exchange.body = Some(Bytes::from(jws));
    assert!(matches!(bypass.request(&mut exchange, &mut Bytes::new()).await, Ok(Verdict::Pass)));
    assert!(matches!(bypass.commit(&mut exchange).await, Ok(Verdict::Pass)));
    exchange.proofs.remove().unwrap()
}

#[tokio::test]
async fn a_signed_change_is_applied() {
    let house = House::new();
    let device = house.target("jeff", "link").await;
    let change = json!({"name": "new name", "target": "new token", "dispatcher": "failing"});
    house.targets.modify(&signed(&house, &device, change).await).await.unwrap();
    let target = house.target_store.get(&device.id).await.unwrap().unwrap();
    assert_eq!((target.name.as_str(), target.dispatcher.as_str()), ("new name", "failing"));
    assert_eq!(target.push_token, Some(PushToken::new("new token".into())));
    assert_eq!(target.version, 1);
}

#[tokio::test]
async fn a_change_that_cannot_be_made_changes_nothing() {
    let house = House::new();
    let device = house.target("jeff", "link").await;
    house.target("jeff", "failing").await;
    let before = house.target_store.get(&device.id).await.unwrap();
    let modify = async |change| house.targets.modify(&signed(&house, &device, change).await).await.unwrap_err();
    let taken = modify(json!({"name": "jeff's failing", "target": "x"})).await;
    assert!(matches!(taken, TargetFault::NameTaken));
    let unknown = modify(json!({"name": "other", "dispatcher": "pigeon"})).await;
    assert!(matches!(unknown, TargetFault::Dispatcher));
    assert!(matches!(modify(json!({"name": ""})).await, TargetFault::Malformed { member: "name", .. }));
    assert_eq!(house.target_store.get(&device.id).await.unwrap(), before);
}

#[tokio::test]
async fn another_key_than_the_targets_changes_nothing() {
    let house = House::new();
    let device = house.target("jeff", "link").await;
    let stranger = Device { id: device.id, ..Device::new() };
    let fault = house.targets.modify(&signed(&house, &stranger, json!({"name": "mine"})).await).await.unwrap_err();
    assert!(matches!(fault, TargetFault::NotFound));
}

#[tokio::test]
async fn a_removed_users_target_is_not_changed() {
    let house = House::new();
    let device = house.target("jeff", "link").await;
    house.users.remove("jeff").await.unwrap();
    let fault = house.targets.modify(&signed(&house, &device, json!({"name": "x"})).await).await.unwrap_err();
    assert!(matches!(fault, TargetFault::NotFound));
}
