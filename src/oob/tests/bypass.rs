//! What the JWS bypass learns of stored targets (`http-api.md` 1.1, row 9).

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use sidegate_filters::clock::Clock;
use sidegate_filters::jws_bypass::{JwsBypassFilter, MODIFY_LIMIT, Proof, SKEW, Uses};
use sidegate_filters::memory::MemoryReplayGuard;
use sidegate_filters::{CanonicalPath, Filter, PathTemplate, Verdict};

use super::super::bypass::StoredTargetKeys;
use super::super::testing::{Device, House, asker};
use crate::identity::testing::exchange;

/// The status that a signed rename gets from the bypass; `None`: it passes.
async fn rename(house: &House, device: &Device, members: Value) -> Option<StatusCode> {
    let clock = Arc::clone(&house.clock) as Arc<dyn Clock>;
    let keys = Arc::new(StoredTargetKeys::new(Arc::clone(&house.target_store)));
    let replays = Arc::new(MemoryReplayGuard::new(10, Arc::clone(&clock)));
    let uses = Arc::new(Uses::new(replays, clock, MODIFY_LIMIT));
    let bypass = JwsBypassFilter::new(Proof::Keys(keys), uses, SKEW);
    let mut claims = json!({
        "name": "new name", "requestId": uuid::Uuid::new_v4(), "creationTimeInEpochMillis": house.clock.now().0,
    });
    claims.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let mut exchange = exchange(Method::PATCH, &[]);
    exchange.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jose"));
    exchange.path = CanonicalPath::parse(&format!("/targets/{}", device.id)).unwrap();
    exchange.params = PathTemplate::parse("/targets/{id}").unwrap().matches(&exchange.path).unwrap();
    exchange.body = Some(Bytes::from(device.signing.sign(claims.to_string().as_bytes()).unwrap()));
    match bypass.request(&mut exchange, &mut Bytes::new()).await.unwrap() {
        Verdict::Pass => None,
        Verdict::Answer(reply) => Some(reply.status()),
    }
}

#[tokio::test]
async fn a_key_of_two_users_has_to_name_its_target() {
    let house = House::new();
    let device = house.target("jeff", "link").await;
    let names_it = || json!({"dispatchTargetId": device.id});
    assert_eq!(rename(&house, &device, json!({})).await, None);

    let eve = house.user("eve").await;
    // The same key, written in another way.
    let mut jwk = device.signing.public_jwk();
    jwk["kid"] = json!("eve's");
    let new = crate::oob::NewTarget { signature_key: json!(jwk.to_string()), ..device.registration("phone", "link") };
    let second = house.targets.create(&asker(&eve), new).await.unwrap();
    assert_eq!(rename(&house, &device, json!({})).await, Some(StatusCode::UNAUTHORIZED));
    assert_eq!(rename(&house, &device, json!({"dispatchTargetId": second})).await, Some(StatusCode::UNAUTHORIZED));
    assert_eq!(rename(&house, &device, names_it()).await, None);

    house.targets.delete(&asker(&eve), &second).await.unwrap();
    assert_eq!(rename(&house, &device, json!({})).await, None);
}

#[tokio::test]
async fn an_unknown_target_has_no_key() {
    let house = House::new();
    let device = Device { id: "unknown".into(), ..Device::new() };
    assert_eq!(rename(&house, &device, json!({})).await, Some(StatusCode::NOT_FOUND));
}
