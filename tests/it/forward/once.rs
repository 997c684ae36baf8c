//! Who is asked before the service, where that judges bodies: each once.

use serde_json::json;

use super::Shop;
use crate::jwt::realm;
use crate::support::issuer::{Issuer, KID};
use crate::support::jose::SigningKey;
use crate::support::logs::{access_line, audited};
use crate::support::secrets::Secrets;

#[tokio::test]
async fn a_token_before_it_is_judged_and_told_once() {
    let issuer = Issuer::start(SigningKey::p256(&Secrets::default()), &[]).await;
    let shop = Shop::after(&realm(&issuer, "", ""), "    body: 1KiB\n").await;
    let post = |token: &str, body: &str| {
        shop.gateway.public().bearer(token).post("/any/a").header("x-ticket", "t-eve").body(body.to_owned()).send()
    };
    let strangers = SigningKey::p256(&Secrets::default());
    for (count, bad) in
        [issuer.token(&json!({"exp": 1})), issuer.signed_by(&strangers, KID, &json!({}))].iter().enumerate()
    {
        let refused = post(bad, "a body").await.expect(401);
        access_line(&shop.gateway, &refused).await;
        assert_eq!(audited(&shop.gateway, "login-failed").len(), count + 1);
    }
    let passed = post(&issuer.token(&json!({})), &"x".repeat(20_000)).await.expect(200);
    access_line(&shop.gateway, &passed).await;
    assert_eq!((shop.told("x-user"), audited(&shop.gateway, "login").len()), (vec!["e-1".to_owned()], 1));
    assert!(shop.service.asked().is_empty(), "a token decides before it");
}
