//! Redeem before an upstream: the last rows of the table in `http-api.md` 3.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{before, message, registered, token, with};
use crate::support::gateway::Setup;
use crate::support::oob::{by_link, dispatched, redeem, status};
use crate::support::phone::Phone;
use crate::support::scripted_upstream::{Act, ScriptedUpstream};
use crate::support::{ports, wait};

const AUTH: &str = "authentication";
const REG: &str = "registration";

fn handed_out(message: &Value) -> Act {
    Act::Say(200, json!({"statusCode": 1200, "op": "Auth", "uafRequest": message.to_string()}).to_string())
}

/// An authentication request without what a test leaves out or spoils.
fn request(change: impl FnOnce(&mut Value)) -> Value {
    let header = json!({"upv": {"major": 1, "minor": 1}, "op": "Auth", "appID": "https://a", "serverData": "s"});
    let policy = json!({"accepted": [[{"aaid": ["5347#0001"], "keyIDs": ["A".repeat(43)]}]]});
    let mut request = json!([{"header": header, "challenge": "AAAAAAAAAAAAAAAAAAAAAA", "policy": policy}]);
    change(&mut request);
    request
}

/// Waits until the upstream has got another request.
pub(super) async fn asked_again(upstream: &ScriptedUpstream, before: usize) {
    let again = async || (upstream.asked().len() > before).then_some(());
    wait::until("the upstream is asked", wait::BOUND, again).await;
}

#[tokio::test]
async fn a_token_is_free_again_when_the_upstream_fails() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let shop = gateway.public();
    registered(&gateway, "jeff").await;
    for (code, act) in [
        (1404, Act::code(1404)),
        (1500, Act::code(1202)),
        (1498, Act::code(1498)),
        (1500, Act::code(200)),
        (1500, Act::Say(200, "<html>".into())),
        (1500, Act::Say(200, r#"{"statusCode":1200}"#.into())),
        (1500, Act::Say(200, r#"{"statusCode":1200,"statusCode":1200,"uafRequest":"[]"}"#.into())),
        (1500, Act::Say(200, " ".repeat(300 * 1024))),
        (1500, Act::Say(302, "{}".into())),
        (1500, Act::Say(400, "{}".into())),
        (1500, Act::Say(503, json!({"statusCode": 1404}).to_string())),
        (1500, Act::Hang),
        (1500, Act::Reset),
        (1500, handed_out(&json!([]))),
        (1500, handed_out(&request(|all| all[0]["header"]["op"] = json!("Reg")))),
        (1500, handed_out(&request(|all| drop(all[0]["header"].as_object_mut().unwrap().remove("serverData"))))),
        (1500, handed_out(&request(|all| all[0]["policy"]["accepted"][0][0]["keyIDs"] = json!([])))),
        (1500, handed_out(&request(|all| all[0]["policy"]["accepted"][0][0] = json!({"aaid": ["5347#0001"]})))),
        (
            1500,
            handed_out(&request(|all| {
                all[0]["transaction"] = json!([{"contentType": "text/plain", "content": "UGF5"}])
            })),
        ),
        (1500, handed_out(&request(|all| *all = json!([all[0], all[0]])))),
    ] {
        let operation = token(&gateway).await;
        upstream.then(act);
        let answer = redeem(&shop, AUTH, &operation.token).await.uaf_code(code);
        assert!(answer.get("uafRequest").is_none());
        let seen = status(&shop, &operation.session_id).await;
        assert_eq!((&seen["status"], &seen["userId"]), (&json!("tokenCreated"), &Value::Null));
        redeem(&shop, AUTH, &operation.token).await.uaf_code(1200);
        assert_eq!(status(&shop, &operation.session_id).await["status"], "clientAuthenticating");
        redeem(&shop, AUTH, &operation.token).await.uaf_code(1403);
    }
}

#[tokio::test]
async fn a_token_for_a_registration_is_free_again_too() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let (shop, mut phone) = (gateway.public(), Phone::new(&gateway, "jeff"));
    phone.login_password().await;
    for (code, act) in [
        (1404, Act::code(1404)),
        (1500, Act::Say(200, "<html>".into())),
        (1500, Act::Say(200, " ".repeat(300 * 1024))),
        (1500, Act::Say(503, json!({"statusCode": 1404}).to_string())),
        (1500, Act::Reset),
        (1500, handed_out(&request(|_| {}))),
        (1500, handed_out(&request(|all| all[0]["header"] = json!({"upv": {"major": 1, "minor": 1}, "op": "Reg"})))),
    ] {
        let operation = dispatched(&phone.client(), REG, &by_link("jeff")).await;
        upstream.then(act);
        redeem(&shop, REG, &operation.token).await.uaf_code(code);
        assert_eq!(status(&shop, &operation.session_id).await["status"], "tokenCreated");
        redeem(&shop, REG, &operation.token).await.uaf_code(1200);
        assert_eq!(status(&shop, &operation.session_id).await["status"], "clientRegistering");
    }
}

#[tokio::test]
async fn an_upstream_that_is_not_there_leaves_the_token_free() {
    let port = ports::free();
    let gateway = Setup::default()
        .user("jeff")
        .replace("  wildcards-for-testing: false\n", "")
        .replace("  metadata:\n    unknown-models: surrogate               # default refuse\n", "")
        .under("fido-uaf", "  upstream: uaf")
        .append(format!("upstreams:\n  uaf:\n    url: http://127.0.0.1:{port}"))
        .start()
        .await;
    let (shop, operation) = (gateway.public(), token(&gateway).await);
    for _ in 0..2 {
        redeem(&shop, AUTH, &operation.token).await.uaf_code(1500);
        assert_eq!(status(&shop, &operation.session_id).await["status"], "tokenCreated");
    }
    let counted = r#"sidegate_uaf_upstream_failures_total{kind="unreachable",upstream="uaf"} 2"#;
    let metrics = gateway.management().get("/metrics").send().await.text();
    assert!(metrics.contains(counted), "{metrics}");
    let server = format!("127.0.0.1:{port}");
    let told = async || {
        let log = gateway.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let failed = lines.filter(|line| line["message"] == "an upstream failed").collect::<Vec<_>>();
        (failed.len() == 2).then_some(failed)
    };
    for line in wait::until("both failures are logged", wait::BOUND, told).await {
        assert_eq!((&line["upstream"], &line["server"]), (&json!("uaf"), &json!(server)), "{line}");
        assert_eq!(
            (&line["kind"], &line["question"]),
            (&json!("unreachable"), &json!("request/authentication")),
            "{line}"
        );
    }
}

#[tokio::test]
async fn while_the_upstream_is_asked_the_token_is_claimed() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = with(&upstream, "read-timeout: 60s", "lease: 62s").await;
    let shop = gateway.public();
    registered(&gateway, "jeff").await;
    let (operation, gate) = (token(&gateway).await, Arc::new(Semaphore::new(0)));
    let before = upstream.asked().len();
    upstream.then(Act::Hold(gate.clone()));
    let first = redeem(&shop, AUTH, &operation.token);
    let others = async {
        asked_again(&upstream, before).await;
        for _ in 0..3 {
            redeem(&shop, AUTH, &operation.token).await.uaf_code(1403);
        }
        assert_eq!(status(&shop, &operation.session_id).await["status"], "tokenCreated");
        gate.add_permits(1);
    };
    let (first, ()) = tokio::join!(first, others);
    first.uaf_code(1200);
    assert_eq!(upstream.asked().len(), before + 1, "nobody else got as far as the upstream");
}

#[tokio::test]
async fn nobody_waits_for_an_answer_longer_than_the_lease() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = with(&upstream, "idle-timeout: 60s", "lease: 5s").await;
    let shop = gateway.public();
    let phone = registered(&gateway, "jeff").await;
    let operation = token(&gateway).await;
    upstream.then(Act::Hang);
    redeem(&shop, AUTH, &operation.token).await.uaf_code(1500);
    let second = wait::until("the lease ends", wait::BOUND, async || {
        let answer = redeem(&shop, AUTH, &operation.token).await;
        (answer.json()["statusCode"] != 1403).then_some(answer)
    })
    .await;
    phone.authenticate(&second.uaf_code(1200)).await.uaf_code(1200);
    assert_eq!(status(&shop, &operation.session_id).await["status"], "succeeded");
}

#[tokio::test]
async fn the_context_is_ours_and_so_is_the_transaction() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let shop = gateway.public();
    registered(&gateway, "jeff").await;
    let transaction = json!([{"contentType": "text/plain", "content": "UGF5IDE"}]);
    let context = json!({"username": "jeff", "extra": 1, "mode": "aaid", "transaction": transaction});
    let body = json!({"dispatcher": "link", "getUafRequest": {"context": context.to_string(), "previousRequest": "x"}});
    let operation = dispatched(&shop, AUTH, &body).await;
    let handed_out = redeem(&shop, AUTH, &operation.token).await.uaf_code(1200);
    assert_eq!(message(&handed_out)["transaction"], transaction);
    let asked = upstream.asked().last().unwrap().clone();
    assert_eq!(asked.path, "request/authentication");
    assert_eq!(asked.context(), json!({"username": "jeff", "transaction": transaction}));
    assert_eq!(asked.body, json!({"op": "Auth", "context": asked.body["context"]}));
}

#[tokio::test]
async fn a_challenge_of_another_operation_is_not_handed_out() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let shop = gateway.public();
    let phone = registered(&gateway, "jeff").await;
    let (first, second) = (token(&gateway).await, token(&gateway).await);
    let handed_out = redeem(&shop, AUTH, &first.token).await.uaf_code(1200);
    upstream.then(Act::Challenge(message(&handed_out)["challenge"].as_str().unwrap().to_owned()));
    redeem(&shop, AUTH, &second.token).await.uaf_code(1500);
    assert_eq!(status(&shop, &second.session_id).await["status"], "tokenCreated");
    phone.authenticate(&handed_out).await.uaf_code(1200);
    assert_eq!(status(&shop, &first.session_id).await["status"], "succeeded");
    assert_eq!(status(&shop, &second.session_id).await["status"], "tokenCreated");
}

#[tokio::test]
async fn keys_are_removed_by_token_once_the_upstream_has_removed_them() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let shop = gateway.public();
    let mut phone = registered(&gateway, "jeff").await;
    phone.login_uaf().await;
    let body = by_link("jeff");
    let operation = dispatched(&phone.client(), "deregistration", &body).await;
    upstream.then(Act::code(1500));
    redeem(&shop, "deregistration", &operation.token).await.uaf_code(1500);
    assert_eq!(status(&shop, &operation.session_id).await["status"], "tokenCreated");
    let handed_out = redeem(&shop, "deregistration", &operation.token).await.uaf_code(1200);
    assert_eq!(message(&handed_out)["authenticators"].as_array().unwrap().len(), 1);
    assert_eq!(status(&shop, &operation.session_id).await["status"], "succeeded");
    redeem(&shop, "deregistration", &operation.token).await.uaf_code(1403);
}
