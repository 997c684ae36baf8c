//! A stranger can't tell who exists (`http-api.md` 0.4): whole transcripts of a user, of one without a key and of nobody.

use serde_json::{Map, Value, json};
use sidegate_uaf::encoding::decode;

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client, UAF};
use crate::support::oob::{by_link, context, dispatch, redeem};
use crate::support::phone::Phone;
use crate::support::wait;

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

/// The key that a stranger is told to answer with.
async fn asked(client: &Client, name: &str) -> Value {
    let named = json!({"context": context(&json!({"username": name}))});
    let answer = client.uaf("/nevisfido/uaf/1.1/request/authentication", &named).await.uaf_code(1200);
    let message: Value = serde_json::from_str(answer["uafRequest"].as_str().unwrap()).unwrap();
    message[0]["policy"]["accepted"].clone()
}

#[tokio::test]
async fn users_who_come_and_go_without_a_key_do_not_show() {
    let mut gateway = town("").await;
    let client = gateway.public();
    let before = asked(&client, "anna").await;
    gateway.add_user("anna");
    assert_eq!(asked(&client, "anna").await, before);
    assert!(gateway.command(&["user", "remove", "anna"], "").status.success());
    assert_eq!(asked(&client, "anna").await, before);
    assert_ne!(asked(&client, "otto").await, before);
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

#[tokio::test]
async fn a_user_whose_name_is_too_long_for_a_key_looks_like_nobody_of_such_a_name() {
    let gateway = town("").await;
    let (forger, client) = (Phone::enrolled(&gateway, "eve").await, gateway.public());
    let (long, nobody) = ("\u{1f600}".repeat(100), "\u{1f601}".repeat(100));
    let file = gateway.data().join("users");
    let text = std::fs::read_to_string(&file).unwrap();
    let hash = text.lines().find_map(|line| line.strip_prefix("nora:")).unwrap().split_once(':').unwrap().1;
    std::fs::write(&file, format!("{text}{long}:{}:{hash}\n", uuid::Uuid::new_v4())).unwrap();
    let form = [("isiwebuserid", long.as_str()), ("isiwebpasswd", gateway.password("nora"))];
    let session = wait::until("the user is read", wait::BOUND, async || {
        let answer = client.post("/auth/pwd").form(&form).send().await;
        (answer.status == 200).then(|| answer.session())
    })
    .await;
    let real = transcript(&client, &forger, &long).await;
    assert_eq!(real[2]["body"]["statusCode"], 1200, "{real:#?}");
    for (other, real) in transcript(&client, &forger, &nobody).await.iter().zip(&real) {
        assert_eq!(other, real);
    }
    let named = json!({"context": context(&json!({"username": long}))});
    client.cookie(&session).uaf("/nevisfido/uaf/1.1/request/registration", &named).await.uaf_code(1403);
}

/// The model and key that a login of this name asks for.
async fn asked_for(gateway: &Gateway, name: &str) -> Value {
    let asked = gateway.public().json("/auth/fidouaf", &json!({"username": name})).await.uaf_code(1200);
    let messages: Value = serde_json::from_str(asked["uafRequest"].as_str().unwrap()).unwrap();
    messages[0]["policy"]["accepted"].clone()
}

/// The id of the key that a login of this name asks for.
async fn key_id_of(gateway: &Gateway, name: &str) -> Vec<u8> {
    decode(asked_for(gateway, name).await[0][0]["keyIDs"][0].as_str().unwrap()).unwrap()
}

/// A login that names nobody.
async fn nameless_login(client: &Client) -> Value {
    client.json("/auth/fidouaf", &json!({})).await.uaf_code(1200)
}

async fn finish_login(client: &Client, response: &str) -> Answer {
    client.uaf("/auth/fidouaf/authenticationresponse", &json!({"uafResponse": response})).await
}

#[tokio::test]
async fn an_answer_to_a_request_for_nobody_does_not_tell_a_key_from_a_decoy() {
    let gateway = town("").await;
    let (forger, client) = (Phone::enrolled(&gateway, "eve").await, gateway.public());
    // Of a good kind; of another algorithm; of a transaction.
    let infos = [[1, 0, 1, 1, 0], [1, 0, 1, 2, 0], [1, 0, 2, 1, 0]];
    let mut told = Vec::new();
    for name in ["jeff", "nora", "dora"] {
        let (key_id, mut seen) = (key_id_of(&gateway, name).await, Vec::new());
        for info in infos {
            let asked = client.uaf("/nevisfido/uaf/1.1/request/authentication", &json!({})).await.uaf_code(1200);
            let answer = forger.post_authentication(&forger.forgery_by(&asked, &key_id, info)).await;
            seen.push(shape("answer", &answer));
            let forged = forger.forgery_by(&nameless_login(&client).await, &key_id, info);
            seen.push(shape("answer to the login", &finish_login(&client, &forged).await));
        }
        told.push(seen);
    }
    assert_eq!(told[0][0]["body"]["statusCode"], 1498, "{told:#?}");
    assert_eq!(told[0][2]["body"]["statusCode"], 1495, "{told:#?}");
    assert_eq!(told[1], told[0]);
    assert_eq!(told[2], told[0]);
}

#[tokio::test]
async fn the_id_of_a_decoy_is_taken_as_that_of_a_key() {
    let gateway = town("").await;
    let eve = Phone::enrolled(&gateway, "eve").await;
    eve.register_as(&[7; 32]).await.uaf_code(1200);
    let mut told = Vec::new();
    for name in ["jeff", "nora", "dora"] {
        let key_id = key_id_of(&gateway, name).await;
        told.push(shape("registration", &eve.register_as(&key_id).await));
        assert_eq!(key_id_of(&gateway, name).await, key_id);
    }
    assert_eq!(told[0]["body"]["statusCode"], 1494, "{told:#?}");
    assert_eq!(told[1], told[0]);
    assert_eq!(told[2], told[0]);
}

#[tokio::test]
async fn failures_of_nameless_logins_do_not_tell_a_key_from_a_decoy() {
    let gateway = town("").await;
    let (forger, client) = (Phone::enrolled(&gateway, "eve").await, gateway.public());
    for name in ["jeff", "nora", "dora"] {
        let key_id = key_id_of(&gateway, name).await;
        // More than one user has for nothing in one network, fewer than the network has.
        for n in 0..60 {
            let forged = forger.forgery_by(&nameless_login(&client).await, &key_id, [1, 0, 1, 1, 0]);
            let answer = finish_login(&client, &forged).await;
            assert_eq!((answer.status, answer.json()["statusCode"].as_u64()), (200, Some(1498)), "{name} {n}");
        }
    }
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
