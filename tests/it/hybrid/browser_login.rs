//! A browser's login that a phone approves before an upstream that takes everything for good.

use super::{registered, setup};
use crate::support::approvals::{Visitor, approve, open_link};
use crate::support::gateway::Gateway;
use crate::support::scripted_upstream::ScriptedUpstream;

async fn gateway(upstream: &ScriptedUpstream) -> Gateway {
    setup(upstream, "read-timeout: 5s", "lease: 30s").under("realms", "  oob: {type: oob, domain: main}").start().await
}

async fn asked(gateway: &Gateway) -> (Visitor, String) {
    let mut browser = Visitor::of(gateway);
    browser.post("/auth/oob", &[("isiwebuserid", "jeff")]).await.expect(303);
    let link = browser.link().await;
    (browser, link)
}

#[tokio::test]
async fn the_phone_logs_its_user_in() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = gateway(&upstream).await;
    let phone = registered(&gateway, "jeff").await;
    let (mut browser, link) = asked(&gateway).await;
    approve(&gateway, &phone, &link).await;
    assert_eq!(browser.get("/auth/oob").await.expect(303).header("location"), Some("/auth/login"));
    let page = browser.get("/auth/login").await.expect(200).text();
    assert!(page.contains("logged in as <strong>jeff</strong>"), "{page}");
}

#[tokio::test]
async fn a_key_that_the_request_does_not_name_logs_nobody_in() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = gateway(&upstream).await;
    registered(&gateway, "jeff").await;
    let eve = registered(&gateway, "eve").await;
    let (mut browser, link) = asked(&gateway).await;
    let handed_out = open_link(&gateway, &link).await;
    let refused = eve.post_authentication(&eve.assertion_under_any_policy(&handed_out)).await.json();
    assert_ne!(refused["statusCode"], 1200, "{refused}");
    let page = browser.get("/auth/oob").await.expect(401).text();
    assert!(page.contains("was not approved on the phone") && browser.session_cookie().is_none(), "{page}");
}
