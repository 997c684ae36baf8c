//! Status (`http-api.md` 5): each transition, and what is shown when.

use serde_json::{Value, json};

use crate::support::gateway::{Gateway, Setup};
use crate::support::oob::{by_link, by_link_to, dispatched, redeem, status};
use crate::support::phone::Phone;
use crate::support::wait;

fn assert_timestamp(status: &Value) {
    let text = status["timestamp"].as_str().unwrap();
    assert!(text.parse::<jiff::Timestamp>().is_ok(), "{text}");
    assert_eq!((text.len(), text.chars().nth(19), text.chars().last()), (24, Some('.'), Some('Z')), "{text}");
}

#[tokio::test]
async fn a_login_is_followed_from_token_to_success() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    let operation = dispatched(&client, "authentication", &by_link_to("jeff", phone.target())).await;
    assert_ne!(operation.token, operation.session_id);

    let created = status(&client, &operation.session_id).await;
    assert_eq!(created["status"], "tokenCreated");
    assert_timestamp(&created);
    assert_eq!(
        created["tokenInformation"],
        json!({"dispatchTargetExtId": phone.target(), "dispatcherInformation": {"name": "link"}})
    );
    assert!(!created.to_string().contains(&operation.token));

    let handed_out = redeem(&client, "authentication", &operation.token).await.uaf_code(1200);
    let under_way = status(&client, &operation.session_id).await;
    assert_eq!(under_way["status"], "clientAuthenticating");
    assert_eq!(under_way["tokenInformation"]["tokenResult"], "tokenRedeemed");

    phone.authenticate(&handed_out).await.uaf_code(1200);
    let done = status(&client, &operation.session_id).await;
    assert_eq!((&done["status"], &done["uafStatusCode"]), (&json!("succeeded"), &json!(1200)));
    assert_eq!(done["userId"], phone.ext_id());
    assert_eq!(done["authenticators"][0]["aaid"], phone.aaid());
    assert_eq!(done["authenticators"].as_array().unwrap().len(), 1);
    assert!(done["authenticators"][0]["keyId"].is_string() && done["authenticators"][0]["extId"].is_string());
    assert_timestamp(&done);
}

#[tokio::test]
async fn an_authentication_of_nobody_in_particular_ends_with_a_user() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    let body = json!({"dispatcher": "link", "getUafRequest": {"op": "Auth", "context": "{}"}});
    let operation = dispatched(&client, "authentication", &body).await;
    assert!(status(&client, &operation.session_id).await.get("userId").is_none());
    let handed_out = redeem(&client, "authentication", &operation.token).await.uaf_code(1200);
    phone.authenticate(&handed_out).await.uaf_code(1200);
    assert_eq!(status(&client, &operation.session_id).await["userId"], phone.ext_id());
}

#[tokio::test]
async fn a_registration_and_a_deregistration_end_as_written() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    let operation = dispatched(&phone.client(), "registration", &by_link("jeff")).await;
    let handed_out = redeem(&gateway.public(), "registration", &operation.token).await.uaf_code(1200);
    assert_eq!(status(&gateway.public(), &operation.session_id).await["status"], "clientRegistering");
    phone.answer_registration(&handed_out).await.uaf_code(1200);
    assert_eq!(status(&gateway.public(), &operation.session_id).await["status"], "succeeded");

    phone.login_uaf().await;
    let operation = dispatched(&phone.client(), "deregistration", &by_link("jeff")).await;
    redeem(&gateway.public(), "deregistration", &operation.token).await.uaf_code(1200);
    assert_eq!(status(&gateway.public(), &operation.session_id).await["status"], "succeeded");
}

#[tokio::test]
async fn a_refused_answer_fails_the_operation_and_uses_up_the_challenge() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    let operation = dispatched(&client, "authentication", &by_link("jeff")).await;
    let handed_out = redeem(&client, "authentication", &operation.token).await.uaf_code(1200);
    let good = phone.assertion(&handed_out);
    let mut messages: Value = serde_json::from_str(&good).unwrap();
    let assertion = messages[0]["assertions"][0]["assertion"].as_str().unwrap().to_owned();
    // The last characters belong to the signature.
    let flipped = if assertion.ends_with("AAAA") { "BBBB" } else { "AAAA" };
    messages[0]["assertions"][0]["assertion"] = json!(format!("{}{flipped}", &assertion[..assertion.len() - 4]));

    phone.post_authentication(&messages.to_string()).await.uaf_code(1498);
    let failed = status(&client, &operation.session_id).await;
    assert_eq!((&failed["status"], &failed["uafStatusCode"]), (&json!("failed"), &json!(1498)));
    phone.post_authentication(&good).await.uaf_code(1491);
    assert_eq!(status(&client, &operation.session_id).await["status"], "failed");
}

#[tokio::test]
async fn a_denial_fails_the_operation_with_its_codes() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    let operation = dispatched(&client, "authentication", &by_link("jeff")).await;
    let handed_out = redeem(&client, "authentication", &operation.token).await.uaf_code(1200);
    phone.deny(&handed_out, &json!({"asmStatusCode": 3, "clientErrorCode": 3})).await.uaf_code(1498);
    let failed = status(&client, &operation.session_id).await;
    assert_eq!((&failed["status"], &failed["uafStatusCode"]), (&json!("failed"), &json!(1498)));
    assert_eq!((&failed["asmStatusCode"], &failed["clientErrorCode"]), (&json!(3), &json!(3)));
}

#[tokio::test]
async fn a_replayed_answer_changes_nothing() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    let operation = dispatched(&client, "authentication", &by_link("jeff")).await;
    let handed_out = redeem(&client, "authentication", &operation.token).await.uaf_code(1200);
    let answer = phone.assertion(&handed_out);
    phone.post_authentication(&answer).await.uaf_code(1200);
    let before = status(&client, &operation.session_id).await;
    phone.post_authentication(&answer).await.uaf_code(1491);
    assert_eq!(status(&client, &operation.session_id).await, before);
}

#[tokio::test]
async fn an_answer_after_its_time_is_too_late() {
    let gateway = Setup::default().user("jeff").seconds("answer", 1).start().await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    let operation = dispatched(&client, "authentication", &by_link("jeff")).await;
    let handed_out = redeem(&client, "authentication", &operation.token).await.uaf_code(1200);
    let failed = wait::until("the answer's time is over", wait::BOUND, async || {
        Some(status(&client, &operation.session_id).await).filter(|status| status["status"] == "failed")
    })
    .await;
    assert_eq!(failed["uafStatusCode"], 1408);
    phone.authenticate(&handed_out).await.uaf_code(1408);
}

#[tokio::test]
async fn a_final_state_is_forgotten_after_its_retention() {
    let gateway = Setup::default().user("jeff").seconds("status", 1).start().await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    let operation = dispatched(&client, "authentication", &by_link("jeff")).await;
    let handed_out = redeem(&client, "authentication", &operation.token).await.uaf_code(1200);
    phone.authenticate(&handed_out).await.uaf_code(1200);
    wait::until("the operation is forgotten", wait::BOUND, async || {
        Some(status(&client, &operation.session_id).await).filter(|status| status["status"] == "unknown")
    })
    .await;
    redeem(&client, "authentication", &operation.token).await.uaf_code(1404);
}

#[tokio::test]
async fn any_string_may_be_a_session_id_and_nothing_else() {
    let gateway = Gateway::standalone(&[]).await;
    let client = gateway.public();
    for unknown in ["7c3bb4e0-3c3e-4a36-a8b2-5d9c4f1f5a11", "no-uuid-at-all", ""] {
        let answer = status(&client, unknown).await;
        assert_eq!(answer["status"], "unknown");
        assert!(answer.get("userId").is_none() && answer.get("tokenInformation").is_none(), "{answer}");
    }
    for body in [json!({}), json!({"sessionId": 1}), json!({"sessionId": null}), json!([])] {
        client.json("/nevisfido/status", &body).await.problem(400);
    }
}
