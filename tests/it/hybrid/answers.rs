//! Answers before an upstream that takes everything for good: the five conditions of `http-api.md` 5.

use serde_json::{Value, json};

use super::{before, message, registered, token, with_challenge, with_server_data};
use crate::support::gateway::Gateway;
use crate::support::http::Answer;
use crate::support::oob::{dispatched, redeem, status};
use crate::support::phone::Phone;
use crate::support::scripted_upstream::{Act, ScriptedUpstream};
use crate::support::wait;

const AUTH: &str = "authentication";

/// A redeemed authentication: what was handed out and the session id.
async fn redeemed(gateway: &Gateway) -> (Value, String) {
    let operation = token(gateway).await;
    (redeem(&gateway.public(), AUTH, &operation.token).await.uaf_code(1200), operation.session_id)
}

async fn standing(gateway: &Gateway, session_id: &str) -> (String, Value, Value) {
    let seen = status(&gateway.public(), session_id).await;
    (seen["status"].as_str().unwrap().to_owned(), seen["userId"].clone(), seen["uafStatusCode"].clone())
}

#[tokio::test]
async fn a_good_answer_names_its_user_and_its_key() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let phone = registered(&gateway, "jeff").await;
    let (handed_out, session_id) = redeemed(&gateway).await;
    assert_eq!(standing(&gateway, &session_id).await, ("clientAuthenticating".into(), Value::Null, Value::Null));
    phone.authenticate(&handed_out).await.uaf_code(1200);
    let seen = status(&gateway.public(), &session_id).await;
    assert_eq!((&seen["status"], &seen["userId"]), (&json!("succeeded"), &json!(phone.ext_id())));
    assert_eq!(seen["authenticators"][0]["aaid"], phone.aaid());
    phone.authenticate(&handed_out).await.uaf_code(1491);
    assert_eq!(upstream.answers(), 2, "a registration and one authentication");
}

#[tokio::test]
async fn an_answer_that_belongs_to_no_operation_is_not_passed_on() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let phone = registered(&gateway, "jeff").await;
    let ((first, first_id), (second, second_id)) = (redeemed(&gateway).await, redeemed(&gateway).await);
    let passed_on = upstream.answers();

    let swapped = with_server_data(&phone.assertion(&first), &message(&second)["header"]["serverData"]);
    phone.post_authentication(&swapped).await.uaf_code(1498);
    let moved = with_challenge(&second, &message(&first)["challenge"]);
    phone.post_authentication(&phone.assertion(&moved)).await.uaf_code(1498);
    let unknown = with_challenge(&first, &json!("BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"));
    phone.post_authentication(&phone.assertion(&unknown)).await.uaf_code(1491);

    assert_eq!(upstream.answers(), passed_on);
    for session_id in [&first_id, &second_id] {
        assert_eq!(standing(&gateway, session_id).await.0, "clientAuthenticating");
    }
    for (handed_out, session_id) in [(&first, &first_id), (&second, &second_id)] {
        phone.authenticate(handed_out).await.uaf_code(1200);
        assert_eq!(standing(&gateway, session_id).await.0, "succeeded");
    }
}

#[tokio::test]
async fn a_key_that_the_request_does_not_name_succeeds_for_nobody() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    registered(&gateway, "jeff").await;
    let eve = registered(&gateway, "eve").await;
    let (handed_out, session_id) = redeemed(&gateway).await;
    let own_key = eve.assertion_under_any_policy(&handed_out);
    eve.post_authentication(&own_key).await.uaf_code(1492);
    assert_eq!(standing(&gateway, &session_id).await, ("failed".into(), Value::Null, json!(1492)));
}

#[tokio::test]
async fn without_a_named_user_nobody_is_named() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let phone = registered(&gateway, "jeff").await;
    let shop = gateway.public();
    let operation = dispatched(&shop, AUTH, &json!({"dispatcher": "link", "getUafRequest": {}})).await;
    let handed_out = redeem(&shop, AUTH, &operation.token).await.uaf_code(1200);
    phone.authenticate(&handed_out).await.uaf_code(1200);
    let seen = status(&shop, &operation.session_id).await;
    assert_eq!((&seen["status"], &seen["userId"]), (&json!("succeeded"), &Value::Null));
    assert!(seen.get("authenticators").is_none());
}

#[tokio::test]
async fn what_is_not_1200_ends_the_operation_badly() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let phone = registered(&gateway, "jeff").await;
    for (code, act) in [
        (1500, Act::code(1202)),
        (1498, Act::code(1498)),
        (1500, Act::code(7)),
        (1500, Act::Say(200, "1200".into())),
        (1500, Act::Say(200, "{}".into())),
        (1500, Act::Say(201, r#"{"statusCode":1200}"#.into())),
        (1500, Act::Say(500, r#"{"statusCode":1200}"#.into())),
        (1500, Act::Hang),
        (1500, Act::Reset),
    ] {
        let (handed_out, session_id) = redeemed(&gateway).await;
        upstream.then(act);
        phone.authenticate(&handed_out).await.uaf_code(code);
        assert_eq!(standing(&gateway, &session_id).await, ("failed".into(), Value::Null, json!(code)));
        phone.authenticate(&handed_out).await.uaf_code(1491);
    }
    let told = r#""code":1202"#;
    wait::until("it is logged", wait::BOUND, async || gateway.log().contains(told).then_some(())).await;
}

#[tokio::test]
async fn a_denial_is_passed_on_and_stays_one_whatever_the_upstream_says() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let phone = registered(&gateway, "jeff").await;
    for act in [None, Some(Act::code(1498)), Some(Act::Reset)] {
        let (handed_out, session_id) = redeemed(&gateway).await;
        let passed_on = upstream.answers();
        act.into_iter().for_each(|act| upstream.then(act));
        phone.deny(&handed_out, &json!({"asmStatusCode": 3, "clientErrorCode": 4})).await.uaf_code(1498);
        let seen = status(&gateway.public(), &session_id).await;
        assert_eq!((&seen["status"], &seen["uafStatusCode"]), (&json!("failed"), &json!(1498)));
        assert_eq!((&seen["asmStatusCode"], &seen["clientErrorCode"]), (&json!(3), &json!(4)));
        assert_eq!(upstream.answers(), passed_on + 1);
        let context = upstream.asked().last().unwrap().context();
        assert_eq!(context, json!({"asmStatusCode": 3, "clientErrorCode": 4}));
    }
}

/// The finish of an in-band login with this answer.
async fn finish_login(gateway: &Gateway, response: &str) -> Answer {
    let path = "/auth/fidouaf/authenticationresponse";
    gateway.public().uaf(path, &json!({"uafResponse": response})).await
}

async fn login_request(gateway: &Gateway, body: &Value) -> Answer {
    gateway.public().json("/auth/fidouaf", body).await
}

#[tokio::test]
async fn a_login_needs_a_named_user_and_a_key_of_his() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let (jeff, eve) = (registered(&gateway, "jeff").await, registered(&gateway, "eve").await);
    login_request(&gateway, &json!({})).await.uaf_code(1401);

    let named = json!({"username": "jeff"});
    let handed_out = login_request(&gateway, &named).await.uaf_code(1200);
    let refused = finish_login(&gateway, &eve.assertion_under_any_policy(&handed_out)).await;
    assert_eq!(refused.set_cookie(), None);
    refused.uaf_code(1492);

    let handed_out = login_request(&gateway, &named).await.uaf_code(1200);
    jeff.authenticate(&handed_out).await.uaf_code(1491);
    let done = finish_login(&gateway, &jeff.assertion(&handed_out)).await;
    assert!(done.set_cookie().is_some());
    done.uaf_code(1200);

    let (handed_out, session_id) = redeemed(&gateway).await;
    let elsewhere = finish_login(&gateway, &jeff.assertion(&handed_out)).await;
    assert_eq!(elsewhere.set_cookie(), None);
    elsewhere.uaf_code(1491);
    assert_eq!(standing(&gateway, &session_id).await.0, "clientAuthenticating");
}

/// More than may fail before a user is slowed.
const MANY: usize = 60;

#[tokio::test]
async fn a_request_that_fails_by_the_server_is_nobodys_attempt() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let mut jeff = registered(&gateway, "jeff").await;
    for _ in 0..MANY {
        upstream.then(Act::code(1500));
        login_request(&gateway, &json!({"username": "jeff"})).await.uaf_code(1500);
    }
    jeff.login_uaf().await;
}

#[tokio::test]
async fn an_answer_that_fails_by_the_server_is_nobodys_attempt() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let mut jeff = registered(&gateway, "jeff").await;
    for number in 0..MANY {
        let handed_out = login_request(&gateway, &json!({"username": "jeff"})).await.uaf_code(1200);
        upstream.then(if number % 2 == 0 { Act::code(1202) } else { Act::Reset });
        finish_login(&gateway, &jeff.assertion(&handed_out)).await.uaf_code(1500);
    }
    let refused = login_request(&gateway, &json!({"username": "jeff"})).await.uaf_code(1200);
    upstream.then(Act::code(1498));
    finish_login(&gateway, &jeff.assertion(&refused)).await.uaf_code(1498);
    jeff.login_uaf().await;
    let log = wait::until("the step-up is logged", wait::BOUND, async || {
        Some(gateway.log()).filter(|log| log.contains(r#""event":"step-up""#))
    })
    .await;
    assert_eq!(log.matches(r#""event":"login-failed""#).count(), 1, "only what was refused");
}

#[tokio::test]
async fn a_registered_key_is_known_here_until_it_is_removed() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let (refused, mut phone) = (Phone::new(&gateway, "jeff"), Phone::new(&gateway, "jeff"));
    phone.login_password().await;
    let body = json!({"dispatcher": "link", "getUafRequest": {"context": json!({"username": "jeff"}).to_string()}});
    let (shop, session) = (gateway.public(), phone.client());
    for (phone, act, code) in [(&refused, Some(Act::code(1496)), 1496), (&phone, None, 1200)] {
        let operation = dispatched(&session, "registration", &body).await;
        let handed_out = redeem(&shop, "registration", &operation.token).await.uaf_code(1200);
        act.into_iter().for_each(|act| upstream.then(act));
        phone.answer_registration(&handed_out).await.uaf_code(code);
        let seen = status(&shop, &operation.session_id).await;
        assert_eq!(seen["status"] == "succeeded", code == 1200);
        assert_eq!(seen["authenticators"][0]["aaid"] == phone.aaid(), code == 1200);
    }
    phone.login_uaf().await;
    phone.deregister().await;
    let log = wait::until("the removal is logged", wait::BOUND, async || {
        Some(gateway.log()).filter(|log| log.contains(r#""event":"credential","change":"removed""#))
    })
    .await;
    assert_eq!(log.matches(r#""event":"credential""#).count(), 2, "one key was added and removed");
}
