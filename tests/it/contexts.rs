//! What the context of a UAF request asks for (`http-api.md` 6).

use http::Method;
use serde_json::{Value, json};

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client, UAF};
use crate::support::phone::Phone;

const AAID: &str = "5347#0001";

/// Asks for the request of an operation.
async fn request(client: &Client, operation: &str, context: &Value) -> Answer {
    let body = json!({"context": context.to_string()});
    client.uaf(&format!("/nevisfido/uaf/1.1/request/{operation}"), &body).await
}

fn message(handed_out: &Value) -> Value {
    let messages: Value = serde_json::from_str(handed_out["uafRequest"].as_str().unwrap()).unwrap();
    messages[0].clone()
}

/// The key ids that the gateway has of the user.
async fn kept(gateway: &Gateway, user: &str) -> Vec<Value> {
    let path = format!("/nevisfido/admin/credentials?username={user}");
    let listed = gateway.internal().get(&path).send().await.expect(200).json();
    listed["credentials"].as_array().unwrap().iter().map(|key| key["keyId"].clone()).collect()
}

#[tokio::test]
async fn a_policy_is_chosen_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let policy = |aaid: &str| json!({"accepted": [[{"aaid": [aaid]}]]}).to_string();
    std::fs::write(folder.path().join("default.json"), policy(AAID)).unwrap();
    std::fs::write(folder.path().join("other.json"), policy("D0D0#0002")).unwrap();
    let policies = format!("  policies: '{}'", folder.path().display());
    let gateway = Setup::default().user("jeff").under("fido-uaf", policies).start().await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    let client = phone.client();
    for (name, models) in [(None, AAID), (Some("default"), AAID), (Some("other"), "D0D0#0002")] {
        let mut context = json!({"username": "jeff"});
        if let Some(name) = name {
            context["policy"] = json!(name);
        }
        let handed_out = request(&client, "registration", &context).await.uaf_code(1200);
        assert_eq!(message(&handed_out)["policy"]["accepted"], json!([[{"aaid": [models]}]]), "{name:?}");
        if models == AAID {
            phone.forget_keys();
            phone.answer_registration(&handed_out).await.uaf_code(1200);
        } else {
            phone.answer_registration_again(&handed_out).await.uaf_code(1492);
        }
    }
    for operation in ["registration", "authentication"] {
        let detail = request(&client, operation, &json!({"username": "jeff", "policy": "../other"})).await.problem(400);
        assert!(detail.contains("context.policy"), "{detail}");
    }
    request(&client, "authentication", &json!({"username": "jeff", "policy": "other"})).await.uaf_code(1404);
}

/// Another key, with a session by that one alone. The phone itself makes no second key.
async fn add(phone: &mut Phone) {
    phone.forget_keys();
    phone.login_password().await;
    phone.register().await;
    phone.login_uaf().await;
}

#[tokio::test]
async fn a_deregistration_ends_one_key_those_of_a_model_or_all() {
    let gateway = Gateway::standalone(&["jeff", "eve"]).await;
    Phone::enrolled(&gateway, "eve").await;
    let eves = kept(&gateway, "eve").await;
    let mut phone = Phone::enrolled(&gateway, "jeff").await;
    let client = phone.client();
    let deregister = async |context: Value| request(&client, "deregistration", &context).await;
    let named = |handed_out: &Value| -> Vec<Value> {
        let keys = message(handed_out)["authenticators"].as_array().unwrap().clone();
        keys.iter().map(|key| key["keyID"].clone()).collect()
    };

    for wrong in [json!({"mode": "all"}), json!({"mode": "aaid"}), json!({"mode": "key", "aaid": AAID})] {
        deregister(wrong).await.problem(400);
    }
    // Who names a key or a model and means it must not lose all of them for a mode that was left out.
    let own = kept(&gateway, "jeff").await;
    for (members, at) in [
        (json!({"aaid": AAID, "keyId": own[0]}), "context.aaid"),
        (json!({"mode": "username", "aaid": AAID}), "context.aaid"),
        (json!({"keyId": own[0]}), "context.keyId"),
        (json!({"mode": "aaid", "aaid": AAID, "keyId": own[0]}), "context.keyId"),
    ] {
        let detail = deregister(members.clone()).await.problem(400);
        assert!(detail.contains(at), "{members}: {detail}");
        let token = json!({"context": members.to_string()});
        let create = client.post("/nevisfido/token/create/deregistration").header("content-type", UAF);
        create.body(token.to_string()).send().await.problem(400);
    }
    assert_eq!(kept(&gateway, "jeff").await, own);
    deregister(json!({"mode": "aaid", "aaid": "D0D0#0002"})).await.uaf_code(1404);
    deregister(json!({"mode": "key", "aaid": AAID, "keyId": eves[0]})).await.uaf_code(1404);
    add(&mut phone).await;
    let both = kept(&gateway, "jeff").await;
    assert_eq!(both.len(), 2);
    let one = deregister(json!({"mode": "key", "aaid": AAID, "keyId": both[0]})).await.uaf_code(1200);
    assert_eq!((named(&one), kept(&gateway, "jeff").await), (vec![both[0].clone()], vec![both[1].clone()]));

    for context in [json!({"mode": "aaid", "aaid": AAID.to_lowercase()}), json!({"username": "jeff"})] {
        add(&mut phone).await;
        let before = kept(&gateway, "jeff").await;
        let ended = request(&phone.client(), "deregistration", &context).await.uaf_code(1200);
        assert_eq!((named(&ended), kept(&gateway, "jeff").await), (before, vec![]));
    }
    assert_eq!(kept(&gateway, "eve").await, eves);
    // There is nothing left to log in by; a stranger would not be told.
    phone.login_password().await;
    phone.try_login_uaf().await.uaf_code(1404);
    let replaced = gateway.public().call(Method::GET, "/nevisfido/uaf/1.1/request/deregistration").send().await;
    replaced.problem(405);
}
