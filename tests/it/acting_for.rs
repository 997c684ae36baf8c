//! Nobody acts for somebody else (`http-api.md` 0.3 and 0.5).

use serde_json::{Value, json};

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client, UAF};
use crate::support::jose::{SigningKey, base64url};
use crate::support::oob::{by_link, by_link_to, context, dispatch, dispatched, redeem, status};
use crate::support::phone::Phone;
use crate::support::wait;

const TARGETS: &str = "/nevisfido/token/dispatch/targets";
const OWN_AFFAIRS: [&str; 2] = ["registration", "deregistration"];

/// Jeff and eve, each with a phone, and one of jeff's targets.
struct Town {
    gateway: Gateway,
    jeff: Phone,
    eve: Phone,
}

impl Town {
    async fn with(setup: Setup) -> Self {
        let gateway = setup.user("jeff").user("eve").start().await;
        let jeff = Phone::enrolled(&gateway, "jeff").await;
        let eve = Phone::enrolled(&gateway, "eve").await;
        Self { gateway, jeff, eve }
    }

    async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    fn new_target(&self, user: Option<&str>) -> Value {
        let key = SigningKey::p256(self.gateway.secrets()).public();
        let encryption = self.jeff.encryption.public();
        let name = uuid::Uuid::new_v4().to_string();
        let mut body = json!({"name": name, "dispatcher": "link", "signatureKey": key, "encryptionKey": encryption});
        if let Some(user) = user {
            body["username"] = json!(user);
        }
        body
    }
}

/// Each way to begin one's own affairs in a user's name: the same request on each path.
async fn begin_for(client: &Client, user: &str) -> Vec<(String, Answer)> {
    let mut answers = Vec::new();
    let named = json!({"context": context(&json!({"username": user}))});
    for operation in OWN_AFFAIRS {
        let path = format!("/nevisfido/token/create/{operation}");
        answers
            .push((path.clone(), client.post(&path).header("content-type", UAF).body(named.to_string()).send().await));
        answers.push((format!("dispatch {operation}"), dispatch(client, operation, &by_link(user)).await));
        // The last, since a session ends with the keys that a deregistration removes at once.
        let path = format!("/nevisfido/uaf/1.1/request/{operation}");
        answers.push((path.clone(), client.uaf(&path, &named).await));
    }
    answers
}

fn with_data(user: &str) -> Value {
    let mut body = by_link(user);
    body["dispatchInformation"] = json!({"data": {"text": "words of the caller"}});
    body
}

fn with_transaction(user: &str) -> Value {
    let transaction = json!([{"contentType": "text/plain", "content": base64url("Pay 7 to bob")}]);
    let mut body = by_link(user);
    body["getUafRequest"]["context"] = json!(context(&json!({"username": user, "transaction": transaction})));
    body
}

#[tokio::test]
async fn eve_begins_nothing_for_jeff_on_any_path() {
    let town = Town::new().await;
    for (path, answer) in begin_for(&town.eve.client(), "jeff").await {
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
    }
    // A user who does not exist looks the same to her.
    for (path, answer) in begin_for(&town.eve.client(), "ghost").await {
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
    }
    town.eve.client().json(TARGETS, &town.new_target(Some("jeff"))).await.problem(403);
    let jeffs = format!("{TARGETS}/{}", town.jeff.target());
    town.eve.client().call(http::Method::DELETE, &jeffs).send().await.problem(404);
    town.jeff.client().call(http::Method::DELETE, &jeffs).send().await.expect(204);
}

#[tokio::test]
async fn nobody_begins_nothing_for_jeff_on_any_path() {
    let town = Town::new().await;
    let nobody = town.gateway.public();
    for (path, answer) in begin_for(&nobody, "jeff").await {
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
    }
    nobody.json(TARGETS, &town.new_target(Some("jeff"))).await.problem(401);
    let jeffs = format!("{TARGETS}/{}", town.jeff.target());
    nobody.call(http::Method::DELETE, &jeffs).send().await.problem(401);
    let forged = nobody.cookie("sidegate-main=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    for (path, answer) in begin_for(&forged, "jeff").await {
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_session_is_for_its_user_named_or_not() {
    let town = Town::new().await;
    for (path, answer) in begin_for(&town.jeff.client(), "jeff").await {
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let unnamed = town.eve.client().json(TARGETS, &town.new_target(None)).await.expect(201);
    let id = unnamed.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(unnamed.header("location"), Some(format!("{TARGETS}/{id}").as_str()));
    let of_eve = town.gateway.internal().get(&format!("{TARGETS}?username=eve")).send().await.expect(200).json();
    assert!(of_eve["dispatchTargets"].as_array().unwrap().iter().any(|target| target["id"] == id), "{of_eve}");

    let unnamed = json!({"dispatcher": "link", "getUafRequest": {"op": "Reg", "context": "{}"}});
    let operation = dispatched(&town.eve.client(), "registration", &unnamed).await;
    let handed_out = redeem(&town.gateway.public(), "registration", &operation.token).await.uaf_code(1200);
    let messages: Value = serde_json::from_str(handed_out["uafRequest"].as_str().unwrap()).unwrap();
    assert_eq!(messages[0]["username"], "eve");
}

#[tokio::test]
async fn a_password_is_not_enough_for_a_target() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    let refused = phone.client().json(TARGETS, &json!({"name": "n"})).await;
    let challenge = refused.header("www-authenticate").unwrap_or_default().to_owned();
    refused.problem(401);
    assert!(challenge.contains("insufficient_user_authentication"), "{challenge}");
}

#[tokio::test]
async fn an_internal_caller_acts_for_anybody_and_it_is_audited() {
    let town = Town::new().await;
    let internal = town.gateway.internal();
    for (path, answer) in begin_for(&internal, "jeff").await {
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let made = internal.json(TARGETS, &town.new_target(Some("jeff"))).await.expect(201).json();
    internal
        .call(http::Method::DELETE, &format!("{TARGETS}/{}", made["id"].as_str().unwrap()))
        .send()
        .await
        .expect(204);
    let audited = async || town.gateway.log().contains("act-for").then_some(());
    wait::until("the audit line of acting for somebody", wait::BOUND, audited).await;

    internal.json(TARGETS, &town.new_target(Some("ghost"))).await.problem(403);
    let ghost = dispatch(&internal, "authentication", &by_link("ghost")).await.expect(200).json();
    assert_eq!(ghost["dispatchResult"], "userNotFound");
    assert!(ghost.get("token").is_none() && ghost.get("sessionId").is_none(), "{ghost}");
    internal.get(&format!("{TARGETS}?username=ghost")).send().await.problem(403);
    internal.get(TARGETS).send().await.problem(400);
}

#[tokio::test]
async fn an_internal_caller_without_the_role_acts_for_nobody() {
    let town = Town::with(Setup::default().replace("roles: [act-for, admin]", "roles: [admin]")).await;
    for (path, answer) in begin_for(&town.gateway.internal(), "jeff").await {
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
    }
    town.gateway.internal().json(TARGETS, &town.new_target(Some("jeff"))).await.problem(403);
}

#[tokio::test]
async fn anybody_may_ask_for_an_authentication_without_words() {
    let town = Town::with(Setup::default().replace("anonymous-content: true", "anonymous-content: false")).await;
    for client in [town.gateway.public(), town.eve.client(), town.jeff.client(), town.gateway.internal()] {
        let operation = dispatched(&client, "authentication", &by_link("jeff")).await;
        redeem(&town.gateway.public(), "authentication", &operation.token).await.uaf_code(1200);
    }
}

#[tokio::test]
async fn words_that_jeff_reads_are_his_own_or_an_internal_callers() {
    let town = Town::with(Setup::default().replace("anonymous-content: true", "anonymous-content: false")).await;
    for body in [with_data("jeff"), with_transaction("jeff")] {
        dispatch(&town.gateway.public(), "authentication", &body).await.problem(401);
        dispatch(&town.eve.client(), "authentication", &body).await.problem(401);
        dispatched(&town.jeff.client(), "authentication", &body).await;
        dispatched(&town.gateway.internal(), "authentication", &body).await;
    }
    let request = json!({"context": with_transaction("jeff")["getUafRequest"]["context"]});
    let path = "/nevisfido/uaf/1.1/request/authentication";
    town.gateway.public().uaf(path, &request).await.problem(401);
    town.jeff.client().uaf(path, &request).await.uaf_code(1200);
}

#[tokio::test]
async fn the_built_in_standalone_lets_strangers_write() {
    let town = Town::new().await;
    dispatched(&town.gateway.public(), "authentication", &with_data("jeff")).await;
    dispatched(&town.gateway.public(), "authentication", &with_transaction("jeff")).await;
}

#[tokio::test]
async fn a_target_is_its_owners() {
    let town = Town::new().await;
    let nobody = town.gateway.public();
    let mixed = by_link_to("eve", town.jeff.target());
    for (client, operation) in [
        (nobody.clone(), "authentication"),
        (town.gateway.internal(), "authentication"),
        (town.eve.client(), "registration"),
        (town.eve.client(), "deregistration"),
    ] {
        let answer = dispatch(&client, operation, &mixed).await.expect(200).json();
        assert_eq!(answer["dispatchResult"], "dispatchTargetNotFound", "{operation}");
        assert!(answer.get("token").is_none() && answer.get("sessionId").is_none(), "{answer}");
    }
    let alone = json!({"dispatchTargetId": town.jeff.target(), "getUafRequest": {"context": "{}"}});
    let operation = dispatched(&nobody, "authentication", &alone).await;
    let handed_out = redeem(&nobody, "authentication", &operation.token).await.uaf_code(1200);
    town.jeff.authenticate(&handed_out).await.uaf_code(1200);
    assert_eq!(status(&nobody, &operation.session_id).await["userId"], town.jeff.ext_id());
}

#[tokio::test]
async fn eves_key_does_not_answer_for_jeff() {
    let town = Town::new().await;
    let nobody = town.gateway.public();
    let operation = dispatched(&nobody, "authentication", &by_link("jeff")).await;
    let handed_out = redeem(&nobody, "authentication", &operation.token).await.uaf_code(1200);
    // Her authenticator refuses a policy that does not name her key, so the policy is widened on the way.
    let answer =
        town.eve.post_authentication(&town.eve.assertion_under_any_policy(&handed_out)).await.expect(200).json();
    assert_ne!(answer["statusCode"], 1200, "{answer}");
    assert_eq!(status(&nobody, &operation.session_id).await["status"], "failed");
}

#[tokio::test]
async fn only_an_in_band_answer_makes_a_session() {
    let town = Town::new().await;
    let nobody = town.gateway.public();
    for body in [by_link("jeff"), with_transaction("jeff")] {
        for path in ["/auth/fidouaf/authenticationresponse", "/auth/authenticationresponse"] {
            let operation = dispatched(&nobody, "authentication", &body).await;
            let handed_out = redeem(&nobody, "authentication", &operation.token).await.uaf_code(1200);
            let answer = nobody.uaf(path, &json!({"uafResponse": town.jeff.assertion(&handed_out)})).await;
            assert_ne!(answer.json()["statusCode"], 1200);
            assert!(answer.set_cookie().is_none() && answer.json().get("additionalTokens").is_none());
        }
    }
    let begun = nobody.json("/auth/fidouaf", &json!({"username": "jeff"})).await.uaf_code(1200);
    let answer = town.jeff.authenticate(&begun).await;
    assert!(answer.set_cookie().is_none() && answer.json().get("additionalTokens").is_none());
}

#[tokio::test]
async fn a_transaction_is_confirmed_or_refused_never_passed_over() {
    let town = Town::new().await;
    let nobody = town.gateway.public();
    let operation = dispatched(&nobody, "authentication", &with_transaction("jeff")).await;
    let mut handed_out = redeem(&nobody, "authentication", &operation.token).await.uaf_code(1200);
    let mut messages: Value = serde_json::from_str(handed_out["uafRequest"].as_str().unwrap()).unwrap();
    assert_eq!(messages[0]["transaction"][0]["content"], base64url("Pay 7 to bob"));
    for message in messages.as_array_mut().unwrap() {
        message.as_object_mut().unwrap().remove("transaction");
    }
    handed_out["uafRequest"] = json!(messages.to_string());
    town.jeff.authenticate(&handed_out).await.uaf_code(1498);
    assert_eq!(status(&nobody, &operation.session_id).await["status"], "failed");

    let operation = dispatched(&nobody, "authentication", &with_transaction("jeff")).await;
    let handed_out = redeem(&nobody, "authentication", &operation.token).await.uaf_code(1200);
    town.jeff.authenticate(&handed_out).await.uaf_code(1200);
    assert_eq!(status(&nobody, &operation.session_id).await["status"], "succeeded");
}
