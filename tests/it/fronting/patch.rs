//! Signed changes of targets that another server owns (`http-api.md` 1.1, "edge").

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::Method;
use serde_json::{Value, json};

use super::{House, before};
use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Client};
use crate::support::jose::{SigningKey, base64url, from_base64url};
use crate::support::phone::Phone;
use crate::support::upstream::Upstream;
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

/// Waits until so many requests arrived.
async fn arrived(house: &House, count: usize) {
    let arrived = async || (house.upstream.received().len() >= count).then_some(());
    wait::until("the request arrives", wait::BOUND, arrived).await;
}

/// Sends a change whose answer never comes, and hangs up when the server has it.
async fn hang_up(house: &House, client: &Client, target: &str, jws: &str) {
    let before = house.upstream.received().len();
    let lost = house.gateway.log().matches(r#""outcome":"unknown""#).count();
    house.upstream.hang_next();
    let request = client.call(Method::PATCH, &path(target)).jose(jws);
    let sending = tokio::spawn(async move { request.try_send().await.map(|answer| answer.status) });
    arrived(house, before + 1).await;
    sending.abort();
    let noted = async || (house.gateway.log().matches(r#""outcome":"unknown""#).count() > lost).then_some(());
    wait::until("what became of it is unknown", wait::BOUND, noted).await;
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
async fn a_change_that_a_server_may_read_in_another_way_does_not_arrive() {
    let house = House::open().await;
    let key = SigningKey::p256(house.gateway.secrets());
    let query = format!("{}?target=another", path(TARGET));
    for client in [house.gateway.public(), house.gateway.public_http2()] {
        for (path, media, encoding, status) in [
            (path(TARGET), "application/jose", Some("gzip"), 415),
            (path(TARGET), "application/jose;charset=UTF-8", Some("identity"), 415),
            (path(TARGET), "application/jose;charset=UTF-16", None, 415),
            (query.clone(), "application/jose", None, 400),
        ] {
            let request = client.call(Method::PATCH, &path).header("content-type", media).body(key.sign(&rename()));
            let request = encoding.into_iter().fold(request, |request, name| request.header("content-encoding", name));
            request.send().await.problem(status);
            assert!(house.arrived_since(0).is_none(), "{path} {media} {encoding:?}");
        }
    }
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
    let key = SigningKey::p256(house.gateway.secrets());
    let jws = key.sign(&rename());
    for status in [503, 501, 401, 204] {
        house.upstream.answer_next(status);
        send(&house.gateway.public(), TARGET, &jws).await.expect(status);
    }
    send(&house.gateway.public(), TARGET, &jws).await.problem(401);
    assert_eq!(house.upstream.received().len(), 4);
    // It may have made the change before it failed.
    for status in [500, 408, 520] {
        let jws = key.sign(&rename());
        house.upstream.answer_next(status);
        send(&house.gateway.public(), TARGET, &jws).await.expect(status);
        send(&house.gateway.public(), TARGET, &jws).await.problem(401);
    }
    assert_eq!(house.upstream.received().len(), 7);
}

#[tokio::test]
async fn who_hangs_up_has_used_the_change_however_it_is_sent_again() {
    let house = House::open().await;
    let key = SigningKey::p256(house.gateway.secrets());
    for client in [house.gateway.public(), house.gateway.public_http2()] {
        let claims = rename();
        let jws = key.sign(&claims);
        hang_up(&house, &client, TARGET, &jws).await;
        let arrived = house.upstream.received().len();
        // ECDSA signs the same in many ways.
        let again = key.sign(&claims);
        assert_ne!(again, jws);
        for copy in [&jws, &again] {
            for target in [TARGET, &TARGET.to_uppercase(), "another-target"] {
                send(&client, target, copy).await.problem(401);
            }
            for target in [format!("{TARGET}%20"), format!("{TARGET}+"), format!("{TARGET}.")] {
                send(&client, &target, copy).await.problem(404);
            }
        }
        assert_eq!(house.upstream.received().len(), arrived);
        send(&client, TARGET, &key.sign(&rename())).await.expect(200);
    }
}

#[tokio::test]
async fn a_copy_of_what_is_under_way_does_not_pass_on_any_row() {
    let row = "  - {name: own, path: \"/own/{id}\", methods: [PATCH], filters: [patches], upstream: fido-server}\n";
    let filter = "  patches: {type: jws-bypass}";
    let house = House::with(|setup| setup.under("filters", filter).append(format!("routes:\n{row}"))).await;
    let (client, jws) = (house.gateway.public(), SigningKey::p256(house.gateway.secrets()).sign(&rename()));
    house.upstream.hang_next();
    let request = client.call(Method::PATCH, &path(TARGET)).jose(&jws);
    let under_way = tokio::spawn(async move { request.try_send().await.map(|answer| answer.status) });
    arrived(&house, 1).await;
    send(&client, TARGET, &jws).await.problem(401);
    client.call(Method::PATCH, &format!("/own/{TARGET}")).jose(&jws).send().await.problem(401);
    under_way.abort();
    assert_eq!(house.upstream.received().len(), 1);
}

/// A house with the row `/own/{id}` to another upstream, at this address.
async fn with_second(address: impl FnOnce(&Upstream) -> String) -> House {
    let upstream = Upstream::start().await;
    let second = format!("  second: {{url: \"http://{}\"}}", address(&upstream));
    let row = "  - {name: own, path: \"/own/{id}\", methods: [PATCH], filters: [patches], upstream: second}\n";
    let filter = "  patches: {type: jws-bypass}";
    let setup = before(upstream.address).under("upstreams", second).under("filters", filter);
    let gateway = setup.append(format!("routes:\n{row}")).user("jeff").start().await;
    House { gateway, upstream }
}

#[tokio::test]
async fn a_change_is_good_once_for_a_server_under_any_of_its_names() {
    let house = with_second(|upstream| upstream.address.to_string()).await;
    let (client, jws) = (house.gateway.public(), SigningKey::p256(house.gateway.secrets()).sign(&rename()));
    let own = async || client.call(Method::PATCH, &format!("/own/{TARGET}")).jose(&jws).send().await;
    house.upstream.hang_next();
    let request = client.call(Method::PATCH, &path(TARGET)).jose(&jws);
    let under_way = tokio::spawn(async move { request.try_send().await.map(|answer| answer.status) });
    arrived(&house, 1).await;
    own().await.problem(401);
    under_way.abort();
    assert_eq!(house.upstream.received().len(), 1);
}

#[tokio::test]
async fn what_one_server_took_says_nothing_of_anothers_targets() {
    let other = Upstream::start().await;
    let house = with_second(|_| other.address.to_string()).await;
    let (client, jws) = (house.gateway.public(), SigningKey::p256(house.gateway.secrets()).sign(&rename()));
    send(&client, TARGET, &jws).await.expect(200);
    for status in [200, 401] {
        assert_eq!(client.call(Method::PATCH, &format!("/own/{TARGET}")).jose(&jws).send().await.status, status);
    }
    assert_eq!((house.upstream.received().len(), other.received().len()), (1, 1));
}

/// The same claims with another name: another change under the same request id.
fn other_change(claims: &Value) -> Value {
    let mut other = claims.clone();
    other["name"] = json!("another");
    other
}

#[tokio::test]
async fn another_change_under_a_request_id_that_the_server_took_is_stopped_also_after_a_restart() {
    let mut house = House::open().await;
    let key = SigningKey::p256(house.gateway.secrets());
    let claims = rename();
    house.upstream.answer_next(204);
    send(&house.gateway.public(), TARGET, &key.sign(&claims)).await.expect(204);
    for restarted in [false, true] {
        if restarted {
            house.gateway.stop();
            house.gateway.restart().await;
        }
        for client in [house.gateway.public(), house.gateway.public_http2()] {
            for target in [TARGET, &TARGET.to_uppercase()] {
                send(&client, target, &key.sign(&other_change(&claims))).await.problem(401);
            }
        }
    }
    assert_eq!(house.upstream.received().len(), 1);
    send(&house.gateway.public(), TARGET, &key.sign(&rename())).await.expect(200);
}

#[tokio::test]
async fn another_change_under_a_request_id_whose_answer_got_lost_is_stopped() {
    let house = House::open().await;
    let key = SigningKey::p256(house.gateway.secrets());
    let claims = rename();
    hang_up(&house, &house.gateway.public(), TARGET, &key.sign(&claims)).await;
    send(&house.gateway.public(), TARGET, &key.sign(&other_change(&claims))).await.problem(401);
    assert_eq!(house.upstream.received().len(), 1);
}

#[tokio::test]
async fn what_the_server_refused_uses_up_no_request_id() {
    let house = House::open().await;
    let (key, stranger) = (SigningKey::p256(house.gateway.secrets()), SigningKey::p256(house.gateway.secrets()));
    let claims = rename();
    house.upstream.answer_next(401);
    send(&house.gateway.public(), TARGET, &stranger.sign(&other_change(&claims))).await.expect(401);
    house.upstream.answer_next(204);
    send(&house.gateway.public(), TARGET, &key.sign(&claims)).await.expect(204);
    assert_eq!(house.upstream.received().len(), 2);
}

/// A house with the key of its target in a folder.
async fn with_key(limits: &str) -> (House, SigningKey, tempfile::TempDir) {
    let keys = tempfile::tempdir().unwrap();
    let fronting = format!("  keys: {}", keys.path().display());
    let house = House::with(|setup| setup.under("fronting", fronting).append(limits)).await;
    let key = SigningKey::p256(house.gateway.secrets());
    std::fs::write(keys.path().join(format!("{TARGET}.json")), key.public().to_string()).unwrap();
    (house, key, keys)
}

#[tokio::test]
async fn what_was_not_sent_uses_up_no_signed_change() {
    let (house, key, _keys) = with_key("limits: {connections: 1, connections-share: 100%}\n").await;
    // One request on its way to the server, over the one connection.
    let client = house.gateway.public_http2();
    house.upstream.hang_next();
    let first = client.post("/nevisfido/status").json(&json!({"sessionId": "a"}));
    let under_way = tokio::spawn(async move { first.try_send().await.map(|answer| answer.status) });
    arrived(&house, 1).await;
    let jws = key.sign(&rename());
    send(&client, TARGET, &jws).await.problem(503);
    under_way.abort();
    house.upstream.answer_next(204);
    let sent = wait::until("there is room again", wait::BOUND, async || {
        Some(send(&client, TARGET, &jws).await).filter(|answer| answer.status != 503)
    });
    sent.await.expect(204);
    send(&client, TARGET, &jws).await.problem(401);
    assert_eq!(house.upstream.received().len(), 2);
}

#[tokio::test]
async fn with_the_keys_another_change_under_the_same_request_id_is_refused() {
    let (house, key, _keys) = with_key("").await;
    let client = house.gateway.public();
    let claims = rename();
    hang_up_known(&house, &client, &key.sign(&claims)).await;
    send(&client, TARGET, &key.sign(&other_change(&claims))).await.problem(401);
    assert_eq!(house.upstream.received().len(), 1);
}

/// The same with the keys at hand, where a change is used when it is sent.
async fn hang_up_known(house: &House, client: &Client, jws: &str) {
    house.upstream.hang_next();
    let request = client.call(Method::PATCH, &path(TARGET)).jose(jws);
    let sending = tokio::spawn(async move { request.try_send().await.map(|answer| answer.status) });
    arrived(house, 1).await;
    sending.abort();
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
