//! A session lives no longer than each key that was shown for it, whoever has that removed: nor does what it began.

use rstest::rstest;
use serde_json::{Value, json};

use crate::begun_operations::{Begun, keys, request};
use crate::hybrid::samples;
use crate::support::gateway::{Gateway, Setup};
use crate::support::http::Client;
use crate::support::oob::{dispatched, redeem};
use crate::support::phone::Phone;

/// What a row that asks for a key takes the session for: it is told that the body is missing something, others why they stay
/// out.
async fn taken_for(phone: &Phone) -> &'static str {
    let answer = phone.client().json("/nevisfido/token/dispatch/targets", &json!({})).await;
    match answer.status {
        400 => "by key",
        401 if answer.json()["detail"].as_str().unwrap().contains("too weak") => "by password",
        401 => "none",
        other => panic!("{other}"),
    }
}

/// jeff's phone with a session by its key, a second one of his that is lost, with another key, and a session by password.
struct Lost {
    gateway: Gateway,
    kept: Phone,
    lost: Phone,
    by_password: Phone,
}

impl Lost {
    async fn new() -> Self {
        let step_up = "  additional-registration: step-up";
        let gateway = Setup::default().user("jeff").under("fido-uaf", step_up).start().await;
        let kept = Phone::enrolled(&gateway, "jeff").await;
        let mut lost = Phone::new(&gateway, "jeff");
        lost.answer_registration(&request(&kept.client()).await).await.uaf_code(1200);
        lost.login_uaf().await;
        let mut by_password = Phone::new(&gateway, "jeff");
        by_password.login_password().await;
        Self { gateway, kept, lost, by_password }
    }

    /// What removes the lost phone's key, one way or the other.
    async fn scope(&self, mode: &str) -> Value {
        let listed = self.gateway.internal().get("/nevisfido/admin/credentials?username=jeff").send().await.expect(200);
        let key = &listed.json()["credentials"][1];
        match mode {
            "key" => json!({"username": "jeff", "mode": mode, "aaid": key["aaid"], "keyId": key["keyId"]}),
            "aaid" => json!({"username": "jeff", "mode": mode, "aaid": key["aaid"]}),
            _ => json!({"username": "jeff"}),
        }
    }
}

async fn deregister(caller: &Client, scope: &Value) {
    let body = json!({"context": scope.to_string()});
    caller.uaf("/nevisfido/uaf/1.1/request/deregistration", &body).await.uaf_code(1200);
}

async fn deregister_by_token(caller: &Client, public: &Client, scope: &Value) {
    let body = json!({"dispatcher": "link", "getUafRequest": {"context": scope.to_string()}});
    let token = dispatched(caller, "deregistration", &body).await.token;
    redeem(public, "deregistration", &token).await.uaf_code(1200);
}

#[rstest]
#[case("by the other key", "key", false)]
#[case("by the other key", "aaid", false)]
#[case("by the other key", "username", true)]
#[case("by the other key", "key", true)]
#[case("by token", "key", false)]
#[case("by an internal caller", "key", true)]
#[case("by an internal caller", "username", false)]
#[tokio::test]
async fn a_session_ends_with_its_key(#[case] how: &str, #[case] mode: &str, #[case] raised: bool) {
    let mut all = Lost::new().await;
    if raised {
        all.lost.login_password().await;
        all.lost.login_uaf().await;
    }
    let (begun, scope) = (Begun::by(&all.lost.client()).await, all.scope(mode).await);
    assert_eq!(taken_for(&all.lost).await, "by key");
    match how {
        "by the other key" => deregister(&all.kept.client(), &scope).await,
        "by token" => deregister_by_token(&all.kept.client(), &all.gateway.public(), &scope).await,
        _ => deregister(&all.gateway.internal(), &scope).await,
    }
    let left = usize::from(mode == "key");
    assert_eq!(keys(&all.gateway).await, left);
    let thief = Phone::new(&all.gateway, "jeff");
    assert_eq!(begun.used(&all.gateway, &thief).await, [1401, 1404, 1404], "what it began");
    assert_eq!(taken_for(&all.lost).await, "none", "the session, which does not fall back");
    all.lost.client().uaf("/nevisfido/uaf/1.1/request/registration", &json!({"context": "{}"})).await.problem(401);
    let others = (taken_for(&all.kept).await, taken_for(&all.by_password).await);
    assert_eq!(others, (if left == 1 { "by key" } else { "none" }, "by password"));
    assert_eq!(keys(&all.gateway).await, left, "none came, none went");
}

#[tokio::test]
async fn a_successor_knows_the_key_too() {
    let mut all = Lost::new().await;
    let (begun, scope) = (Begun::by(&all.lost.client()).await, all.scope("key").await);
    assert_eq!(all.gateway.upgrade().await, Some(0));
    assert_eq!((taken_for(&all.lost).await, taken_for(&all.kept).await), ("by key", "by key"));
    deregister(&all.kept.client(), &scope).await;
    let thief = Phone::new(&all.gateway, "jeff");
    assert_eq!(begun.used(&all.gateway, &thief).await, [1401, 1404, 1404]);
    assert_eq!((taken_for(&all.lost).await, taken_for(&all.kept).await), ("none", "by key"));
}

#[tokio::test]
async fn a_key_of_a_server_behind_is_one_too() {
    let behind = Setup::sample("hybrid-upstream.yml").start().await;
    let front = samples::before(&behind).start().await;
    let token = std::fs::read_to_string(front.data().join("internal.token")).unwrap();
    let (internal, lost) = (front.internal_tls().bearer(token.trim()), Phone::enrolled(&front, "jeff").await);
    let mut by_password = Phone::new(&front, "jeff");
    by_password.login_password().await;
    let begun = request(&lost.client()).await;
    assert_eq!(taken_for(&lost).await, "by key");
    deregister(&internal, &json!({"username": "jeff"})).await;
    assert_eq!((taken_for(&lost).await, taken_for(&by_password).await), ("none", "by password"));
    Phone::new(&front, "jeff").answer_registration(&begun).await.uaf_code(1401);
}
