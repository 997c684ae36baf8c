//! Whom a request names is who sends it, before anything is forwarded.

use serde_json::{Value, json};

use super::House;
use crate::support::http::{JSON, UAF};
use crate::support::oob::context;
use crate::support::wait;

/// The rows that name the user whose own affair they are, and where.
const ROWS: [(&str, &str, &str); 7] = [
    ("uaf/1.1/request/registration", UAF, "context"),
    ("uaf/1.1/request/deregistration", UAF, "context"),
    ("token/create/registration", UAF, "context"),
    ("token/create/deregistration", UAF, "context"),
    ("token/dispatch/registration", JSON, "getUafRequest"),
    ("token/dispatch/deregistration", JSON, "getUafRequest"),
    ("token/dispatch/targets", JSON, "username"),
];

/// A body with this context, or for a target these members.
fn body(place: &str, members: &Value) -> Value {
    match place {
        "context" => json!({"context": context(members)}),
        "getUafRequest" => json!({"dispatcher": "link", "getUafRequest": {"context": context(members)}}),
        _ => members.clone(),
    }
}

#[tokio::test]
async fn a_user_acts_for_nobody_else_on_any_path() {
    let house = House::open().await;
    let jeff = house.jeff().await;
    for (path, media, place) in ROWS {
        let send = async |members: &Value| {
            let request = jeff.client().post(&format!("/nevisfido/{path}")).header("content-type", media);
            request.body(body(place, members).to_string()).send().await
        };
        for other in ["eve", "JEFF", "jeff ", ""] {
            send(&json!({"username": other})).await.problem(403);
        }
        send(&json!({"username": ["jeff"]})).await.problem(400);
        send(&json!({"username": "jeff", "userName": "eve"})).await.problem(400);
        assert!(house.upstream.received().is_empty(), "{path}");
        send(&json!({"username": "jeff", "deviceId": "d"})).await.expect(200);
        let arrived = house.arrived_since(0).unwrap();
        assert_eq!(arrived.body, body(place, &json!({"username": "jeff", "deviceId": "d"})).to_string().into_bytes());
        let unnamed = send(&json!({})).await;
        assert_eq!(unnamed.status, if place == "username" { 200 } else { 400 }, "{path}");
        house.upstream.forget();
    }
    let told = async || house.gateway.log().contains(r#""event":"user-binding""#).then_some(());
    wait::until("the refusal is in the log", wait::BOUND, told).await;
}

#[tokio::test]
async fn a_body_that_another_reader_could_read_otherwise_is_refused() {
    let house = House::open().await;
    let jeff = house.jeff().await;
    let path = "/nevisfido/uaf/1.1/request/registration";
    let good = r#"{"context":"{\"username\":\"jeff\"}"}"#;
    let twice = r#"{"context":"{\"username\":\"jeff\"}","context":"{\"username\":\"eve\"}"}"#;
    for (media, body, status) in [
        ("application/fido+uaf", twice, 400),
        ("application/fido+uaf", "{\"context\":\"{\\\"username\\\":\\\"jeff\\\"}\"} {}", 400),
        ("application/fido+uaf;charset=utf-7", good, 415),
        ("application/x-www-form-urlencoded", good, 415),
        ("text/plain", good, 415),
    ] {
        let request = jeff.client().post(path).header("content-type", media).body(body);
        request.send().await.problem(status);
    }
    let long = format!("{good}{}", " ".repeat(64 * 1024));
    jeff.client().post(path).header("content-type", UAF).body(long).send().await.problem(413);
    assert!(house.upstream.received().is_empty());
    jeff.client().post(path).header("content-type", UAF).body(good).send().await.expect(200);
}

#[tokio::test]
async fn an_operator_may_leave_the_comparison_to_the_server() {
    let house = House::with(|setup| setup.under("fronting", "  user-binding: false")).await;
    let jeff = house.jeff().await;
    let body = body("context", &json!({"username": "eve"}));
    jeff.client().uaf("/nevisfido/uaf/1.1/request/registration", &body).await.expect(200);
    assert_eq!(house.arrived_since(0).unwrap().values("x-user"), [jeff.ext_id()]);
}
