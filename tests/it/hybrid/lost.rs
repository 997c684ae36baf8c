//! Registrations whose verdict is lost on its way from the server behind.

mod again;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{before, registered};
use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::oob::{dispatched, redeem, status};
use crate::support::phone::Phone;
use crate::support::scripted_upstream::{Act, ScriptedUpstream};
use crate::support::wait;

/// What the server behind does once it has taken a registration for good.
fn losses() -> [Act; 8] {
    [
        Act::Hang,
        Act::Reset,
        Act::Say(200, "<html>".into()),
        Act::Say(200, "{}".into()),
        Act::Say(200, " ".repeat(300 * 1024)),
        Act::Say(502, r#"{"statusCode":1200}"#.into()),
        Act::code(1202),
        Act::code(1500),
    ]
}

/// A redeemed registration by this session: what was handed out and the session id.
async fn redeemed(session: &Client) -> (Value, String) {
    let context = json!({"username": "jeff"}).to_string();
    let body = json!({"dispatcher": "link", "getUafRequest": {"context": context}});
    let operation = dispatched(session, "registration", &body).await;
    (redeem(session, "registration", &operation.token).await.uaf_code(1200), operation.session_id)
}

/// jeff's phone that failed to register a key, since the verdict was lost; then these acts.
async fn lost(gateway: &Gateway, upstream: &ScriptedUpstream, loss: Act, then: Option<Act>) -> Phone {
    let mut phone = Phone::new(gateway, "jeff");
    phone.login_password().await;
    let (handed_out, session_id) = redeemed(&phone.client()).await;
    upstream.then(Act::Done(Box::new(loss)));
    then.into_iter().for_each(|act| upstream.then(act));
    phone.answer_registration(&handed_out).await.uaf_code(1500);
    let seen = status(&gateway.public(), &session_id).await;
    assert_eq!((&seen["status"], &seen["uafStatusCode"]), (&json!("failed"), &json!(1500)));
    let taken_back = wait::until("it is taken back", wait::BOUND, async || {
        upstream.asked().last().filter(|asked| asked.path != "registration").cloned()
    });
    let taken_back = taken_back.await;
    assert_eq!((taken_back.path.as_str(), &taken_back.context()["mode"]), ("request/deregistration", &json!("key")));
    phone
}

/// Waits until the server behind has one key of jeff's.
async fn only_the_other(upstream: &ScriptedUpstream) {
    let one = async || (upstream.keys("jeff") == 1).then_some(());
    wait::until("the other one is left", wait::BOUND, one).await;
}

/// Waits for so many audit lines with this text.
async fn audited(gateway: &Gateway, text: &str, lines: usize) {
    let told = async || (gateway.log().matches(text).count() == lines).then_some(());
    wait::until("it is audited", wait::BOUND, told).await;
}

#[tokio::test]
async fn a_key_is_taken_back_and_logs_nobody_in() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let other = registered(&gateway, "jeff").await;
    let cases = losses();
    let count = cases.len();
    for loss in cases {
        let phone = lost(&gateway, &upstream, loss, None).await;
        only_the_other(&upstream).await;
        phone.try_login_uaf_under_any_policy().await.uaf_code(1492);
    }
    let mut other = other;
    other.login_uaf().await;
    audited(&gateway, r#""event":"verdict-unknown""#, count).await;
    audited(&gateway, r#""change":"removed""#, count).await;
    assert!(!gateway.log().contains(r#""change":"doubted""#));
}

#[tokio::test]
async fn a_refusal_that_was_heard_has_no_key_removed_or_doubted() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    for code in [1491, 1494, 1498] {
        let mut phone = Phone::new(&gateway, "jeff");
        phone.login_password().await;
        let (handed_out, _) = redeemed(&phone.client()).await;
        upstream.then(Act::code(code));
        phone.answer_registration(&handed_out).await.uaf_code(code.into());
    }
    // The next registration of the same user comes after whatever those left to be done.
    let mut next = Phone::new(&gateway, "jeff");
    next.login_password().await;
    next.register().await;
    assert!(upstream.asked().iter().all(|asked| asked.path != "request/deregistration"), "it might be another's key");
    let log = gateway.log();
    assert!(!log.contains(r#""event":"verdict-unknown""#) && !log.contains(r#""change":"doubted""#));
}

#[tokio::test]
async fn a_key_that_could_not_be_taken_back_logs_nobody_in() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let mut count = 0;
    for then in [Act::Reset, Act::code(1404), Act::code(1500), Act::Say(503, String::new())] {
        // The reset of a removal comes after it.
        let stays = usize::from(!matches!(then, Act::Reset));
        let phone = lost(&gateway, &upstream, Act::Say(200, "<html>".into()), Some(then)).await;
        count += 1;
        audited(&gateway, r#""change":"doubted""#, count).await;
        assert_eq!(upstream.keys("jeff"), stays, "{count}");
        if stays == 1 {
            let answers = upstream.answers();
            phone.try_login_uaf().await.uaf_code(1481);
            assert_eq!(upstream.answers(), answers, "nobody was asked");
        }
        upstream.forget("jeff");
    }
    audited(&gateway, r#""event":"verdict-unknown""#, count).await;
    assert!(gateway.log().contains("a key whose registration failed may be with the UAF upstream"));
}

#[tokio::test]
async fn a_key_that_was_called_removed_and_is_there_all_the_same_logs_nobody_in() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let mut other = registered(&gateway, "jeff").await;
    other.login_uaf().await;
    let phone = lost(&gateway, &upstream, Act::Say(200, "<html>".into()), Some(Act::Pretend)).await;
    audited(&gateway, r#""change":"removed""#, 1).await;
    assert_eq!(upstream.keys("jeff"), 2);
    let request = json!({"context": json!({"username": "jeff"}).to_string()});
    for removal in [Act::code(1404), Act::Pretend] {
        phone.try_login_uaf().await.uaf_code(1481);
        upstream.then(removal);
        // A session by the key would end with it.
        gateway.internal().uaf("/nevisfido/uaf/1.1/request/deregistration", &request).await.uaf_code(1200);
    }
    phone.try_login_uaf().await.uaf_code(1481);
    other.login_uaf().await;
}

#[tokio::test]
async fn a_client_does_not_wait_until_its_key_is_taken_back() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    let gate = Arc::new(Semaphore::new(0));
    // Asserts that the answer is there before the removal, which nothing has let through yet.
    lost(&gateway, &upstream, Act::Say(200, "<html>".into()), Some(Act::Hold(gate.clone()))).await;
    assert!(!gateway.log().contains(r#""change":"doubted""#));
    gate.add_permits(1);
    audited(&gateway, r#""change":"removed""#, 1).await;
    assert_eq!(upstream.keys("jeff"), 0);
}
