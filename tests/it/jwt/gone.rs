//! The server of the issuer's keys is gone for a while.

use serde_json::json;

use super::Shop;
use crate::support::issuer::now;
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
