//! The server of the issuer's keys is gone for a while.

use serde_json::json;

use super::Shop;
use crate::support::issuer::{KID, listed, now};
use crate::support::jose::SigningKey;
use crate::support::logs::lines;
use crate::support::wait;

/// What an operator waits for.
const RECOVERED: &str = "the key set of a token issuer can be read again";

#[tokio::test]
async fn tokens_that_were_verified_go_on_until_they_expire_and_no_other_passes() {
    let mut shop = Shop::with("    clock-skew: 1s\n    keys: {refresh: 10ms, keep: 1s, retry: 10ms}\n", "").await;
    let (short, long) = (shop.issuer.token(&json!({"exp": now() + 4})), shop.issuer.token(&json!({})));
    for token in [&short, &long] {
        shop.get("/api/a", token).await.expect(200);
    }
    shop.issuer.stop().await;
    shop.get("/api/a", &long).await.expect(200);
    let new = async |shop: &Shop, number: u32| shop.get("/api/a", &shop.issuer.token(&json!({"n": number}))).await;
    wait::until("nobody new passes", wait::BOUND, async || (new(&shop, 0).await.status == 503).then_some(())).await;
    let told = lines(&shop.gateway);
    let line = told.iter().find(|line| line["message"] == "the key set of a token issuer could not be read").unwrap();
    let url = shop.issuer.url();
    assert_eq!((line["issuer"].as_str(), line["at"].as_str()), (Some(&*url), Some(&*url)), "{line}");
    let refused = format!("realm partners: the key set of the token issuer {url} is unavailable");
    assert!(line["reason"].is_string() && told.iter().any(|line| line["error"] == *refused), "{told:#?}");
    let arrived = shop.upstream.received().len();
    for number in 1..20 {
        new(&shop, number).await.problem(503);
        shop.get("/open/a", &shop.issuer.token(&json!({"n": number}))).await.problem(503);
    }
    assert_eq!(shop.upstream.received().len(), arrived);
    assert!(!shop.gateway.log().contains(RECOVERED));
    wait::until("one has expired", wait::BOUND, async || {
        shop.get("/api/a", &long).await.expect(200);
        (shop.get("/api/a", &short).await.status != 200).then_some(())
    })
    .await;
    shop.issuer.again().await;
    wait::until("it recovers", wait::BOUND, async || (new(&shop, 99).await.status == 200).then_some(())).await;
    shop.get("/api/a", &short).await.problem(401);
    wait::until(RECOVERED, wait::BOUND, async || shop.gateway.log().contains(RECOVERED).then_some(())).await;
    // It is read again and again, and an operator told once.
    assert_eq!(shop.gateway.log().matches(RECOVERED).count(), 1);
}

#[tokio::test]
async fn a_key_that_nobody_can_ask_about_is_not_told_to_be_wrong() {
    let mut shop = Shop::with("    keys: {retry: 10ms}\n", "").await;
    shop.get("/api/a", &shop.issuer.token(&json!({}))).await.expect(200);
    let new = SigningKey::p256(shop.gateway.secrets());
    let rotated = shop.issuer.signed_by(&new, "key-2", &json!({}));
    shop.issuer.say(Some(&[listed(&shop.issuer.key, KID), listed(&new, "key-2")]));
    shop.issuer.stop().await;
    wait::until("it was seen to be gone", wait::BOUND, async || {
        (shop.get("/api/a", &rotated).await.status == 503).then_some(())
    })
    .await;
    for path in ["/api/a", "/open/a"] {
        assert_eq!(shop.get(path, &rotated).await.header("www-authenticate"), None);
        shop.get(path, &rotated).await.problem(503);
    }
    shop.get("/api/a", &shop.issuer.token(&json!({"n": 1}))).await.expect(200);
    shop.issuer.again().await;
    let passes = async || (shop.get("/api/a", &rotated).await.status == 200).then_some(());
    wait::until("the new key is known", wait::BOUND, passes).await;
    let strange = shop.issuer.signed_by(&SigningKey::p256(shop.gateway.secrets()), "key-3", &json!({}));
    shop.get("/api/a", &strange).await.problem(401);
}
