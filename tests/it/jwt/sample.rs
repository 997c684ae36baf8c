//! `conf/api.yml` before an application, with an issuer and a certificate that are there.

use serde_json::json;

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::HTML;
use crate::support::issuer::{Issuer, now};
use crate::support::jose::SigningKey;
use crate::support::secrets::Secrets;
use crate::support::upstream::Upstream;

async fn started(issuer: &Issuer, upstream: &Upstream) -> Gateway {
    Setup::sample("api.yml")
        .replace("issuer: https://idp.example.com ", format!("issuer: {} ", issuer.url()))
        .replace("audience: https://api.example.com ", "audience: gate ")
        .replace("jwks: https://idp.example.com/keys ", format!("jwks: {} ", issuer.url()))
        .replace("http://127.0.0.1:9000", format!("http://{}", upstream.address))
        .user("jeff")
        .start()
        .await
}

#[tokio::test]
async fn it_takes_browsers_and_tokens() {
    let (upstream, issuer) = (Upstream::start().await, Issuer::start(SigningKey::p256(&Secrets::default()), &[]).await);
    let gateway = started(&issuer, &upstream).await;
    let get = |path: &str, claims| gateway.public().bearer(&issuer.token(&claims)).get(path).send();
    get("/app/a", json!({})).await.expect(200);
    assert_eq!(upstream.received()[0].values("x-user"), ["e-1"]);
    get("/app/staff/a", json!({})).await.expect(403);
    get("/app/staff/a", json!({"roles": ["admin"]})).await.expect(200);
    assert_eq!(upstream.received()[1].values("x-roles"), ["admin"]);
    let stale = get("/app/transfers/a", json!({"auth_time": now() - 400})).await.expect(401);
    assert!(stale.header("www-authenticate").unwrap().contains("max_age=\"300\""));
    get("/app/transfers/a", json!({"auth_time": now() - 20})).await.expect(200);
    let page = gateway.public().get("/app/a").header(HTML.0, HTML.1).send().await.expect(401).text();
    assert!(page.contains("isiwebpasswd"), "{page}");
    let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", gateway.password("jeff"))];
    let cookie = gateway.public().post("/auth/pwd").form(&form).send().await.expect(200).session();
    let jeff = gateway.public().cookie(&cookie);
    jeff.get("/app/a").send().await.expect(200);
    jeff.get("/app/staff/a").send().await.expect(401);
    assert_eq!(upstream.received().len(), 4);
}
