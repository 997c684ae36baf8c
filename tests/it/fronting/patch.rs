//! Signed changes of targets that another server owns (`http-api.md` 1.1, "edge").

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::Method;
use serde_json::{Value, json};

use super::{House, before};
use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Client};
use crate::support::jose::{SigningKey, base64url, from_base64url};
use crate::support::phone::Phone;
use crate::support::wait;

pub(super) const TARGET: &str = "6e4b9c0a-51c4-4e9c-a9ba-9d5f4a8a0b11";

pub(super) fn path(target: &str) -> String {
    format!("/nevisfido/token/dispatch/targets/{target}")
}

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Good claims, changed.
pub(super) fn claims(changed: &Value) -> Value {
    let mut claims = json!({"requestId": uuid::Uuid::new_v4(), "creationTimeInEpochMillis": now()});
    claims.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    claims
}

fn rename() -> Value {
    claims(&json!({"name": "new name"}))
}

async fn send(client: &Client, target: &str, jws: &str) -> Answer {
    client.call(Method::PATCH, &path(target)).jose(jws).send().await
}

/// The same message with another name in its payload.
fn altered(jws: &str) -> String {
    let parts: Vec<_> = jws.split('.').collect();
    let mut claims: Value = serde_json::from_slice(&from_base64url(parts[1])).unwrap();
    claims["name"] = json!("another name");
    format!("{}.{}.{}", parts[0], base64url(claims.to_string()), parts[2])
}

#[tokio::test]
async fn what_can_be_told_without_a_key_is_stopped_here() {
    let house = House::open().await;
    let key = SigningKey::p256(house.gateway.secrets());
    let fine = || claims(&json!({"name": "n"})).to_string();
    let skewed = |by: i64| claims(&json!({"name": "n", "creationTimeInEpochMillis": now().checked_add_signed(by)}));
    for (message, status) in [
        (key.sign(&skewed(-310_000)), 401),
        (key.sign(&skewed(310_000)), 401),
        (key.sign_parts(r#"{"alg":"none"}"#, &fine()), 401),
        (key.sign_parts(r#"{"alg":"HS256"}"#, &fine()), 401),
        (key.sign_parts(r#"{"alg":"ES256","crit":["exp"],"exp":1}"#, &fine()), 401),
        (key.sign_parts(r#"{"alg":"ES256","jwk":{}}"#, &fine()), 401),
        (key.sign_parts(r#"{"alg":"ES256","alg":"ES256"}"#, &fine()), 400),
        (key.sign(&claims(&json!({"name": "n", "dispatchTargetId": "another"}))), 401),
        (key.sign(&json!({"name": "n", "creationTimeInEpochMillis": now()})), 400),
        (key.sign(&claims(&json!({"name": "x".repeat(8 * 1024)}))), 413),
        (format!("{}=", key.sign(&rename())), 400),
        ("no JWS".to_owned(), 400),
    ] {
        for client in [house.gateway.public(), house.gateway.public_http2()] {
            send(&client, TARGET, &message).await.problem(status);
        }
    }
    assert!(house.upstream.received().is_empty(), "{:#?}", house.upstream.received());
}

#[tokio::test]
async fn what_the_server_took_is_good_once_also_after_a_restart() {
    let mut house = House::open().await;
    let key = SigningKey::p256(house.gateway.secrets());
    let jws = key.sign(&rename());
    house.upstream.answer_next(204);
    send(&house.gateway.public().cookie("a=b"), TARGET, &jws).await.expect(204);
    let arrived = house.arrived_since(0).unwrap();
    assert_eq!(arrived.body, jws.as_bytes());
    assert!(arrived.values("cookie").is_empty(), "{}", arrived.head);
    // It is remembered before the client has its answer.
    send(&house.gateway.public(), TARGET, &jws).await.problem(401);
    house.gateway.stop();
    house.gateway.restart().await;
    send(&house.gateway.public_http2(), TARGET, &jws).await.problem(401);
    assert_eq!(house.upstream.received().len(), 1);
    send(&house.gateway.public(), TARGET, &key.sign(&rename())).await.expect(200);
    let passed = async || house.gateway.log().contains(r#""outcome":"passed""#).then_some(());
    wait::until("the use is audited", wait::BOUND, passed).await;
}

#[tokio::test]
async fn an_honest_retry_passes_after_the_server_failed() {
    let house = House::open().await;
    let jws = SigningKey::p256(house.gateway.secrets()).sign(&rename());
    for status in [503, 500, 401, 204] {
        house.upstream.answer_next(status);
        send(&house.gateway.public(), TARGET, &jws).await.expect(status);
    }
    send(&house.gateway.public(), TARGET, &jws).await.problem(401);
    assert_eq!(house.upstream.received().len(), 4);
}

#[tokio::test]
async fn with_the_keys_at_hand_everything_is_checked_here() {
    let keys = tempfile::tempdir().unwrap();
    let folder = keys.path().display().to_string();
    let house = House::with(|setup| setup.under("fronting", format!("  keys: {folder}"))).await;
    let (public, secrets) = (house.gateway.public(), house.gateway.secrets());
    let (key, stranger) = (SigningKey::p256(secrets), SigningKey::p256(secrets));
    send(&public, TARGET, &key.sign(&rename())).await.problem(404);
    std::fs::write(keys.path().join(format!("{TARGET}.json")), key.public().to_string()).unwrap();
    // The folder is looked at again when a second is over.
    wait::until("the key is found", Duration::from_secs(20), async || {
        (send(&public, TARGET, &stranger.sign(&rename())).await.status == 401).then_some(())
    })
    .await;
    let jws = key.sign(&rename());
    send(&public, TARGET, &altered(&jws)).await.problem(401);
    send(&public, "another-target", &jws).await.problem(404);
    assert!(house.upstream.received().is_empty());
    house.upstream.answer_next(204);
    send(&public, TARGET, &jws).await.expect(204);
    send(&public, TARGET, &jws).await.problem(401);
    // A signed id is used up by whatever becomes of it.
    let jws = key.sign(&rename());
    house.upstream.answer_next(503);
    send(&public, TARGET, &jws).await.expect(503);
    send(&public, TARGET, &jws).await.problem(401);
    assert_eq!(house.upstream.received().len(), 2);
}

#[tokio::test]
async fn a_sidegate_behind_verifies_what_this_one_cannot() {
    let behind = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&behind, "jeff").await;
    let front = before(behind.address("public")).start().await;
    let stranger = SigningKey::p256(front.secrets());
    for client in [front.public(), front.public_http2()] {
        let jws = phone.signing.sign(&rename());
        send(&client, phone.target(), &stranger.sign(&rename())).await.expect(401);
        send(&client, phone.target(), &altered(&jws)).await.expect(401);
        send(&client, "unknown-target", &phone.signing.sign(&rename())).await.expect(404);
        send(&client, phone.target(), &jws).await.expect(204);
        send(&client, phone.target(), &jws).await.problem(401);
    }
    let refused = || behind.log().matches(r#""outcome":"refused""#).count();
    wait::until("what was refused is in the log", wait::BOUND, async || (refused() >= 6).then_some(())).await;
    assert_eq!(refused(), 6, "a replay does not get that far");
}
