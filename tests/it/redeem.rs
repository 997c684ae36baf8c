//! Redeem (`http-api.md` 3): exactly once, and each row of its table.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::UAF;
use crate::support::oob::{by_link, context, dispatched, redeem, status};
use crate::support::phone::Phone;
use crate::support::wait;

const PARALLEL: usize = 200;

fn assert_one_winner(codes: impl Iterator<Item = u64>) {
    let codes: Vec<u64> = codes.collect();
    assert_eq!(codes.iter().filter(|code| **code == 1200).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == 1403).count(), PARALLEL - 1, "{codes:?}");
}

#[tokio::test]
async fn who_redeems_a_token_does_not_learn_the_session_id() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let _phone = Phone::enrolled(&gateway, "jeff").await;
    let operation = dispatched(&gateway.public(), "authentication", &by_link("jeff")).await;
    let handed_out = redeem(&gateway.public(), "authentication", &operation.token).await.uaf_code(1200);
    let text = handed_out["uafRequest"].as_str().unwrap();
    let message: Value = serde_json::from_str(text).unwrap();
    let server_data = URL_SAFE_NO_PAD.decode(message[0]["header"]["serverData"].as_str().unwrap()).unwrap();
    let id = operation.session_id.as_bytes();
    let holds = |text: &[u8]| text.windows(id.len()).any(|part| part == id);
    assert!(!holds(text.as_bytes()) && !holds(&server_data));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_redeems_over_http1_have_one_winner() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let token = dispatched(&gateway.public(), "authentication", &by_link("jeff")).await.token;
    let redeems: Vec<_> = (0..PARALLEL)
        .map(|_| {
            let (client, token) = (gateway.public(), token.clone());
            tokio::spawn(async move { redeem(&client, "authentication", &token).await })
        })
        .collect();
    let mut answers = Vec::new();
    for redeem in redeems {
        answers.push(redeem.await.unwrap().expect(200).json());
    }
    assert_one_winner(answers.iter().map(|answer| answer["statusCode"].as_u64().unwrap()));
    assert_eq!(answers.iter().filter(|answer| answer.get("uafRequest").is_some()).count(), 1);
    drop(phone);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_redeems_on_one_http2_connection_have_one_winner() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let _phone = Phone::enrolled(&gateway, "jeff").await;
    let token = dispatched(&gateway.public(), "authentication", &by_link("jeff")).await.token;
    let uri = format!("{}/nevisfido/token/redeem/authentication", gateway.public().base());
    let body = Bytes::from(json!({"token": token}).to_string());
    let request = || {
        let request = Request::post(&uri).header("content-type", "application/json").header("accept", UAF);
        request.body(body.clone()).unwrap()
    };
    let requests = (0..PARALLEL).map(|_| request()).collect();
    let answers = crate::support::multiplex::all_at_once(gateway.address("public"), requests).await;
    assert_one_winner(answers.iter().map(|(status, body)| {
        assert_eq!(*status, 200);
        serde_json::from_slice::<Value>(body).unwrap()["statusCode"].as_u64().unwrap()
    }));
}

#[tokio::test]
async fn a_free_token_gives_the_request_and_a_used_one_does_not() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let _phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    let operation = dispatched(&client, "authentication", &by_link("jeff")).await;
    let handed_out = redeem(&client, "authentication", &operation.token).await.uaf_code(1200);
    assert_eq!(handed_out["op"], "Auth");
    assert!(handed_out["lifetimeMillis"].as_u64().is_some_and(|millis| millis > 0), "{handed_out}");
    let messages: Value = serde_json::from_str(handed_out["uafRequest"].as_str().unwrap()).unwrap();
    assert_eq!(messages[0]["header"]["op"], "Auth");
    assert_eq!(status(&client, &operation.session_id).await["status"], "clientAuthenticating");

    let again = redeem(&client, "authentication", &operation.token).await.uaf_code(1403);
    assert!(again.get("uafRequest").is_none(), "{again}");
    assert_eq!(status(&client, &operation.session_id).await["status"], "clientAuthenticating");
}

#[tokio::test]
async fn another_operations_path_leaves_the_token_free() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let _phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    let operation = dispatched(&client, "authentication", &by_link("jeff")).await;
    for path in ["registration", "deregistration"] {
        redeem(&client, path, &operation.token).await.uaf_code(1404);
        assert_eq!(status(&client, &operation.session_id).await["status"], "tokenCreated");
    }
    redeem(&client, "authentication", &operation.token).await.uaf_code(1200);
}

#[tokio::test]
async fn any_string_may_be_a_token_and_nothing_else() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let client = gateway.public();
    let path = "/nevisfido/token/redeem/authentication";
    for unknown in ["7c3bb4e0-3c3e-4a36-a8b2-5d9c4f1f5a11", "no-uuid-at-all", ""] {
        redeem(&client, "authentication", unknown).await.uaf_code(1404);
    }
    for (body, member) in [(json!({}), "token"), (json!({"token": 1}), "token"), (json!({"token": null}), "token")] {
        assert!(client.json(path, &body).await.problem(400).contains(member), "{body}");
    }
    client.get(path).send().await.problem(405);
}

#[tokio::test]
async fn an_expired_token_is_told_so_and_the_operation_has_failed() {
    let gateway = Setup::default().user("jeff").seconds("token", 1).start().await;
    let _phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    let operation = dispatched(&client, "authentication", &by_link("jeff")).await;
    let failed = wait::until("the token expires", wait::BOUND, async || {
        Some(status(&client, &operation.session_id).await).filter(|status| status["status"] == "failed")
    })
    .await;
    assert_eq!(failed["tokenInformation"]["tokenResult"], "tokenTimedOut");
    redeem(&client, "authentication", &operation.token).await.uaf_code(1408);
}

#[tokio::test]
async fn a_redeemed_deregistration_has_removed_the_key() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let mut phone = Phone::enrolled(&gateway, "jeff").await;
    let operation = dispatched(&phone.client(), "deregistration", &by_link("jeff")).await;
    let handed_out = redeem(&gateway.public(), "deregistration", &operation.token).await.uaf_code(1200);
    assert_eq!(handed_out["op"], "Dereg");
    assert_eq!(status(&gateway.public(), &operation.session_id).await["status"], "succeeded");
    redeem(&gateway.public(), "deregistration", &operation.token).await.uaf_code(1403);
    // A stranger would not be told.
    phone.login_password().await;
    assert_ne!(phone.try_login_uaf().await.json()["statusCode"], 1200);
}

#[tokio::test]
async fn a_created_token_lives_like_a_dispatched_one() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    let body = json!({"op": "Auth", "context": context(&json!({"username": "jeff"}))});
    let request = client.post("/nevisfido/token/create/authentication").header("content-type", UAF);
    let created = request.body(body.to_string()).send().await.expect(200);
    assert_eq!(created.media_type(), "application/json");
    let created = created.json();
    let (token, session_id) = (created["token"].as_str().unwrap(), created["sessionId"].as_str().unwrap());
    assert_eq!(status(&client, session_id).await["status"], "tokenCreated");
    let handed_out = redeem(&client, "authentication", token).await.uaf_code(1200);
    phone.authenticate(&handed_out).await.uaf_code(1200);
    assert_eq!(status(&client, session_id).await["status"], "succeeded");
}

#[tokio::test]
async fn rows_that_demand_a_session_redeem_for_nobody_else() {
    let rows =
        ["registration", "deregistration"].map(|kind| format!("  - {{name: redeem-{kind}, protection: session}}\n"));
    let gateway = Setup::default().user("jeff").append(format!("routes:\n{}", rows.concat())).start().await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    for operation in ["registration", "deregistration"] {
        let begun = dispatched(&phone.client(), operation, &by_link("jeff")).await;
        for nobody in [gateway.public(), gateway.public().cookie("sidegate-main=AAAA"), gateway.internal_as_nobody()] {
            let refused = redeem(&nobody, operation, &begun.token).await.expect(401);
            assert!(refused.header("www-authenticate").is_some());
            assert_eq!(status(&gateway.public(), &begun.session_id).await["status"], "tokenCreated");
        }
        redeem(&phone.client(), operation, &begun.token).await.uaf_code(1200);
    }
    let open = dispatched(&gateway.public(), "authentication", &by_link("jeff")).await;
    redeem(&gateway.public(), "authentication", &open.token).await.expect(200);
}
