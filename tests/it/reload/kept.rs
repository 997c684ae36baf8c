//! What a reload must not forget.

use serde_json::Value;

use super::shop;
use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::independent_jose::verify;
use crate::support::oob::{by_link_to, dispatched, redeem};
use crate::support::phone::Phone;
use crate::support::upstream::Upstream;
use crate::support::wait;

async fn login(client: &Client, name: &str, password: &str) -> u16 {
    client.post("/auth/pwd").form(&[("isiwebuserid", name), ("isiwebpasswd", password)]).send().await.status
}

/// Reloads by SIGHUP until it has been done once more.
async fn reload(gateway: &Gateway) {
    let done = gateway.reloads("done").await;
    gateway.hang_up();
    gateway.reloaded("done", done + 1).await;
}

#[tokio::test]
async fn whoever_failed_too_often_is_given_no_new_guesses() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let client = gateway.public();
    let mut failed = 0;
    while login(&client, "jeff", "a guess of a stranger").await == 401 {
        failed += 1;
        assert!(failed < 50, "nothing slows a stranger");
    }
    for _ in 0..3 {
        reload(&gateway).await;
        // The time to wait may be over for one of them.
        let guesses = futures::future::join_all((0..8).map(|_| login(&client, "jeff", "another guess of one"))).await;
        assert!(guesses.iter().filter(|status| **status == 429).count() >= 6, "{guesses:?}");
    }
    assert_eq!(login(&client.elsewhere(), "jeff", gateway.password("jeff")).await, 200);
}

#[tokio::test]
async fn sessions_operations_keys_and_counters_are_there_after_it() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let operation = dispatched(&gateway.public(), "authentication", &by_link_to("jeff", phone.target())).await;
    let logins = gateway.metric("sidegate_events_total{event=\"login\"}").await;
    assert!(logins > 0);
    reload(&gateway).await;
    assert_eq!(gateway.metric("sidegate_events_total{event=\"login\"}").await, logins);
    let handed_out = redeem(&gateway.public(), "authentication", &operation.token).await.uaf_code(1200);
    reload(&gateway).await;
    phone.authenticate(&handed_out).await.uaf_code(1200);
    redeem(&gateway.public(), "authentication", &operation.token).await;
    let path = format!("/nevisfido/token/dispatch/targets/{}", phone.target());
    phone.client().call(http::Method::DELETE, &path).send().await.expect(204);
}

/// The SecToken that the upstream got last.
fn sec_token(gateway: &Gateway, upstream: &Upstream) -> String {
    let received = upstream.received();
    let token = received.last().unwrap().values("authorization")[0].strip_prefix("Bearer ").unwrap().to_owned();
    gateway.secrets().add("SecToken", token.rsplit('.').next().unwrap());
    token
}

#[tokio::test]
async fn a_sec_token_signed_before_the_key_was_rotated_is_verified_by_the_published_keys() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream).start().await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    let token = async || {
        phone.client().get("/shop/cart").send().await.expect(200);
        sec_token(&gateway, &upstream)
    };
    let jwks = async || gateway.public().get("/.well-known/jwks.json").send().await.expect(200).json();
    let kids = |set: &Value| set["keys"].as_array().unwrap().len();
    let before = token().await;
    assert_eq!(kids(&jwks().await), 1);
    let output = gateway.command(&["keygen", "--sectoken"], "");
    assert!(output.status.success(), "{output:?}");
    wait::until("both keys are published", wait::BOUND, async || (kids(&jwks().await) == 2).then_some(())).await;
    let set = jwks().await;
    let (signed_before, _) = verify(&set, &before);
    let (signed_after, _) = verify(&set, &token().await);
    assert_eq!(signed_before["kid"], signed_after["kid"], "upstreams may keep the set without the new key for a while");
    std::fs::remove_file(gateway.data().join("sectoken.previous.pem")).unwrap();
    wait::until("the older key is not trusted", wait::BOUND, async || (kids(&jwks().await) == 1).then_some(())).await;
    let (signed_by_new, _) = verify(&jwks().await, &token().await);
    assert_ne!(signed_by_new["kid"], signed_before["kid"]);
}
