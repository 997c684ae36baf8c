//! Copies of key ids: the request for a login tells those of its user to whoever asks, and everybody with a password may
//! answer a registration request with a key of that id.

use serde_json::{Value, json};
use sidegate_uaf::Incoming;
use sidegate_uaf::encoding::{decode, encode};
use sidegate_uaf::wire::{ChannelBinding, Operation};

use super::{before, registered};
use crate::support::gateway::Gateway;
use crate::support::http::Answer;
use crate::support::phone::Phone;
use crate::support::scripted_upstream::{Act, ScriptedUpstream};

/// jeff's phone, whose key the server behind has and this gateway never saw, and that gateway with eve.
async fn newly_before(upstream: &ScriptedUpstream) -> (Gateway, Phone, Phone) {
    let mut jeff = registered(&before(upstream).await, "jeff").await;
    let gateway = before(upstream).await;
    jeff.move_to(&gateway);
    let mut eve = Phone::new(&gateway, "eve");
    eve.login_password().await;
    (gateway, jeff, eve)
}

/// This registration with another key id; no server in this test verifies a signature.
fn with_key_id(response: &str, key_id: &str) -> String {
    let keys = Incoming::parse(Operation::Reg, response, None).unwrap().keys();
    let (own, other) = (keys[0].key_id.as_bytes(), decode(key_id).unwrap());
    let mut message: Value = serde_json::from_str(response).unwrap();
    let assertion = &mut message[0]["assertions"][0]["assertion"];
    let mut bytes = decode(assertion.as_str().unwrap()).unwrap();
    let at = bytes.windows(own.len()).position(|window| window == own).unwrap();
    bytes[at..at + own.len()].copy_from_slice(&other);
    *assertion = json!(encode(&bytes));
    message.to_string()
}

/// What becomes of it when eve registers a key of this id; the server behind does this with the answer.
async fn copied(eve: &Phone, upstream: &ScriptedUpstream, key_id: &str, act: Option<Act>) -> Answer {
    let request = json!({"context": json!({"username": "eve"}).to_string()});
    let handed_out = eve.client().uaf("/nevisfido/uaf/1.1/request/registration", &request).await.uaf_code(1200);
    act.into_iter().for_each(|act| upstream.then(act));
    let own = eve.registration_over(&handed_out, ChannelBinding::default());
    let body = json!({"uafResponse": with_key_id(&own, key_id)});
    eve.client().uaf("/nevisfido/uaf/1.1/registration", &body).await
}

#[tokio::test]
async fn a_key_that_was_named_for_somebody_else_is_not_passed_on() {
    let upstream = ScriptedUpstream::start().await;
    let (gateway, mut jeff, eve) = newly_before(&upstream).await;
    let named = gateway.public().json("/auth/fidouaf", &json!({"username": "jeff"})).await.uaf_code(1200);
    let policy = &super::message(&named)["policy"]["accepted"];
    let (key_id, passed_on) = (policy[0][0]["keyIDs"][0].as_str().unwrap(), upstream.answers());
    copied(&eve, &upstream, key_id, None).await.uaf_code(1401);
    assert_eq!(upstream.answers(), passed_on);
    jeff.login_uaf().await;
    copied(&eve, &upstream, key_id, None).await.uaf_code(1401);
    assert_eq!((upstream.keys("eve"), upstream.keys("jeff")), (0, 1));
}

#[tokio::test]
async fn a_copy_that_nobody_could_tell_locks_nobody_out() {
    for (act, code) in [
        (Some(Act::Say(500, r#"{"error":"unique constraint"}"#.into())), 1500),
        (Some(Act::Reset), 1500),
        (Some(Act::code(1498)), 1498),
        (None, 1200),
    ] {
        let upstream = ScriptedUpstream::start().await;
        let (_gateway, mut jeff, eve) = newly_before(&upstream).await;
        copied(&eve, &upstream, &upstream.key_ids("jeff")[0], act).await.uaf_code(code);
        jeff.login_uaf().await;
        jeff.login_uaf().await;
    }
}
