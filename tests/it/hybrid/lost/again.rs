//! What is registered after a verdict was lost: the same key once more, or a new one of the same authenticator.

use serde_json::json;

use super::{audited, lost, redeemed};
use crate::hybrid::{before, registered, token};
use crate::support::gateway::Gateway;
use crate::support::oob::{redeem, status};
use crate::support::phone::{Device, Phone};
use crate::support::scripted_upstream::{Act, ScriptedUpstream};

/// A key of jeff's whose registration failed, and what an answer by it is told.
struct Failed {
    phone: Phone,
    code: u64,
}

/// One that the server behind has no more, and one that it kept. jeff has another key there, so that its requests name
/// keys.
async fn failed(gateway: &Gateway, upstream: &ScriptedUpstream) -> [Failed; 2] {
    registered(gateway, "jeff").await;
    let lose = async |then| lost(gateway, upstream, Act::Say(200, "<html>".into()), then).await;
    let gone = Failed { phone: lose(None).await, code: 1492 };
    audited(gateway, r#""change":"removed""#, 1).await;
    let kept = Failed { phone: lose(Some(Act::Say(503, String::new()))).await, code: 1481 };
    audited(gateway, r#""change":"doubted""#, 1).await;
    assert_eq!(upstream.keys("jeff"), 2, "the other one, and the one that was kept");
    [gone, kept]
}

/// Whatever is tried with this authenticator's first key is refused before anybody behind is asked.
async fn refused(gateway: &Gateway, upstream: &ScriptedUpstream, device: &Device, code: u64) {
    let (shop, answers) = (gateway.public(), upstream.answers());
    let begun = shop.json("/auth/fidouaf", &json!({"username": "jeff"})).await.uaf_code(1200);
    let login = json!({"uafResponse": device.answer_under_any_policy(&begun)});
    let login = shop.uaf("/auth/fidouaf/authenticationresponse", &login).await;
    assert_eq!(login.set_cookie(), None);
    login.uaf_code(code);

    let operation = token(gateway).await;
    let handed_out = redeem(&shop, "authentication", &operation.token).await.uaf_code(1200);
    let approval = json!({"uafResponse": device.answer_under_any_policy(&handed_out)});
    shop.uaf("/nevisfido/uaf/1.1/authentication", &approval).await.uaf_code(code);
    let seen = status(&shop, &operation.session_id).await;
    assert_eq!((&seen["status"], seen.get("userId")), (&json!("failed"), None), "{seen}");
    assert_eq!(upstream.answers(), answers, "nobody was asked");
}

#[tokio::test]
async fn a_key_whose_verdict_was_lost_counts_once_it_is_registered_for_good() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = before(&upstream).await;
    for Failed { mut phone, code } in failed(&gateway, &upstream).await {
        refused(&gateway, &upstream, &phone.clone_authenticator(), code).await;

        let (handed_out, _) = redeemed(&phone.client()).await;
        upstream.then(Act::code(1498));
        phone.answer_registration_again(&handed_out).await.uaf_code(1498);
        refused(&gateway, &upstream, &phone.clone_authenticator(), code).await;

        let (handed_out, session_id) = redeemed(&phone.client()).await;
        phone.answer_registration_again(&handed_out).await.uaf_code(1200);
        let seen = status(&gateway.public(), &session_id).await;
        assert_eq!((&seen["status"], &seen["userId"]), (&json!("succeeded"), &json!(phone.ext_id())), "{seen}");
        phone.login_uaf().await;
    }
}

#[tokio::test]
async fn a_new_key_of_the_same_authenticator_counts_and_the_lost_one_never() {
    let upstream = ScriptedUpstream::start().await;
    let mut gateway = before(&upstream).await;
    let mut phones = Vec::new();
    for Failed { mut phone, code } in failed(&gateway, &upstream).await {
        let lost = phone.clone_authenticator();
        phone.forget_keys();
        phone.register().await;
        phone.login_uaf().await;
        refused(&gateway, &upstream, &lost, code).await;
        phones.push((phone, lost, code));
    }
    gateway.stop();
    gateway.restart().await;
    for (phone, lost, code) in &mut phones {
        phone.forget_session();
        refused(&gateway, &upstream, lost, *code).await;
        phone.login_uaf().await;
        refused(&gateway, &upstream, lost, *code).await;
    }
}
