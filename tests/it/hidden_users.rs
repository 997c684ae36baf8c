//! A stranger can't tell who exists (`http-api.md` 0.4): whole transcripts of a user, of one without a key and of nobody.

use serde_json::{Map, Value, json};

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client, UAF};
use crate::support::oob::{by_link, context, dispatch, redeem};
use crate::support::phone::Phone;

/// Values that have to be the same; of others the lengths.
const SAME: [&str; 7] = ["status", "dispatchResult", "statusCode", "uafStatusCode", "op", "aaid", "name"];

/// Jeff has a key, nora has none.
async fn town(edit: &str) -> Gateway {
    let setup = Setup::default().user("jeff").user("nora").user("eve");
    // The phones of the tests are of this model.
    let gateway = setup.under("fido-uaf", format!("  decoy-models: [5347#0001]\n{edit}")).start().await;
    Phone::enrolled(&gateway, "jeff").await;
    gateway
}

/// What an answer looks like: status, names of headers, members, and the lengths of what differs each time.
fn shape(what: &str, answer: &Answer) -> Value {
    let mut headers: Vec<String> =
        answer.headers.iter().map(|(name, value)| format!("{name}: {}", value.len())).collect();
    headers.sort();
    json!({"what": what, "status": answer.status, "headers": headers, "body": likeness("", &answer.json())})
}

fn likeness(name: &str, value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, value)| (name.clone(), likeness(name, value))).collect::<Map<_, _>>(),
        ),
        Value::Array(items) => items.iter().map(|item| likeness(name, item)).collect(),
        Value::String(text) if !SAME.contains(&name) => match serde_json::from_str::<Value>(text) {
            Ok(inner) if inner.is_array() || inner.is_object() => likeness(name, &inner),
            _ => json!(format!("{} bytes", text.len())),
        },
        other => other.clone(),
    }
}

async fn status(client: &Client, session_id: &Value) -> Answer {
    client.json("/nevisfido/status", &json!({"sessionId": session_id})).await
}

/// What a stranger with a phone of their own can do with a name.
async fn transcript(client: &Client, forger: &Phone, name: &str) -> Vec<Value> {
    let named = json!({"context": context(&json!({"username": name}))});
    let mut seen = Vec::new();
    let mut see = |what: &str, answer: &Answer| seen.push(shape(what, answer));

    let dispatched = dispatch(client, "authentication", &by_link(name)).await;
    see("dispatch", &dispatched);
    let dispatched = dispatched.json();
    see("status of the dispatched", &status(client, &dispatched["sessionId"]).await);
    let token = dispatched["token"].as_str().unwrap_or_default();
    let handed_out = redeem(client, "authentication", token).await;
    see("redeem", &handed_out);
    see("status of the redeemed", &status(client, &dispatched["sessionId"]).await);
    see("second redeem", &redeem(client, "authentication", token).await);
    see("answer", &forger.post_authentication(&forger.forgery(&handed_out.json())).await);
    see("status of the answered", &status(client, &dispatched["sessionId"]).await);

    let created = client
        .post("/nevisfido/token/create/authentication")
        .header("content-type", UAF)
        .body(named.to_string())
        .send()
        .await;
    see("create", &created);
    let handed_out = redeem(client, "authentication", created.json()["token"].as_str().unwrap_or_default()).await;
    see("redeem of the created", &handed_out);
    see("denial", &forger.deny(&handed_out.json(), &json!({"asmStatusCode": 3})).await);
    see("status of the denied", &status(client, &created.json()["sessionId"]).await);

    let asked = client.uaf("/nevisfido/uaf/1.1/request/authentication", &named).await;
    see("request", &asked);
    see("answer to the request", &forger.post_authentication(&forger.forgery(&asked.json())).await);
    let asked = client.json("/auth/fidouaf", &json!({"username": name})).await;
    see("login", &asked);
    let forged = json!({"uafResponse": forger.forgery(&asked.json())});
    see("answer to the login", &client.uaf("/auth/fidouaf/authenticationresponse", &forged).await);

    let mut elsewhere = by_link(name);
    elsewhere["dispatchTargetId"] = json!(uuid::Uuid::new_v4());
    see("dispatch to a target", &dispatch(client, "authentication", &elsewhere).await);
    seen
}

#[tokio::test]
async fn who_has_a_key_who_has_none_and_who_is_not_there_look_alike() {
    let gateway = town("").await;
    let forger = Phone::enrolled(&gateway, "eve").await;
    for client in [gateway.public(), forger.client()] {
        let real = transcript(&client, &forger, "jeff").await;
        assert_eq!(real[0]["body"]["dispatchResult"], "dispatched", "{real:#?}");
        assert_eq!(real[2]["body"]["statusCode"], 1200, "{real:#?}");
        assert_eq!(real[5]["body"]["statusCode"], 1498, "{real:#?}");
        for name in ["nora", "dora"] {
            let other = transcript(&client, &forger, name).await;
            for (other, real) in other.iter().zip(&real) {
                assert_eq!(other, real, "{name}");
            }
            assert_eq!(other.len(), real.len());
        }
    }
}

/// The model and key that a login of this name asks for.
async fn asked_for(gateway: &Gateway, name: &str) -> Value {
    let asked = gateway.public().json("/auth/fidouaf", &json!({"username": name})).await.uaf_code(1200);
    let messages: Value = serde_json::from_str(asked["uafRequest"].as_str().unwrap()).unwrap();
    messages[0]["policy"]["accepted"].clone()
}

#[tokio::test]
async fn a_decoy_stays_the_same_over_a_restart() {
    let mut gateway = town("").await;
    let (dora, other) = (asked_for(&gateway, "dora").await, asked_for(&gateway, "other").await);
    assert_ne!(dora, other);
    gateway.stop();
    gateway.restart().await;
    assert_eq!((asked_for(&gateway, "dora").await, asked_for(&gateway, "other").await), (dora, other));
}

#[tokio::test]
async fn internal_callers_are_told_who_is_there() {
    let gateway = town("").await;
    let internal = gateway.internal();
    let asked = async |name: &str| {
        let named = json!({"context": context(&json!({"username": name}))});
        internal.uaf("/nevisfido/uaf/1.1/request/authentication", &named).await
    };
    asked("jeff").await.uaf_code(1200);
    asked("nora").await.uaf_code(1404);
    asked("dora").await.uaf_code(1404);
    let dispatched = dispatch(&internal, "authentication", &by_link("dora")).await.expect(200).json();
    assert_eq!(dispatched["dispatchResult"], "userNotFound");
}

#[tokio::test]
async fn nobody_is_hidden_where_it_is_written_so() {
    let gateway = town("  hide-users: false\n").await;
    let nobody = gateway.public();
    let dispatched = dispatch(&nobody, "authentication", &by_link("dora")).await.expect(200).json();
    assert_eq!(dispatched["dispatchResult"], "userNotFound");
    nobody.json("/auth/fidouaf", &json!({"username": "nora"})).await.uaf_code(1404);
}
