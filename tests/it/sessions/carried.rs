//! Session tokens: what a client without cookies carries (`http-api.md` 7).

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client};
use crate::support::jose::{es256_verifies, from_base64url};
use crate::support::phone::Phone;
use crate::support::upstream::Upstream;

const OWN: &str = "/nevisfido/uaf/1.1/request/registration";

/// The token of a login by key.
async fn token(phone: &Phone) -> String {
    let answer = phone.try_login_uaf().await.uaf_code(1200);
    let tokens = answer["additionalTokens"].as_array().unwrap();
    assert_eq!((tokens.len(), &tokens[0]["type"]), (1, &json!("JWT")), "{answer}");
    tokens[0]["value"].as_str().unwrap().to_owned()
}

/// Asks for what only a user's session gets.
async fn asks(client: &Client) -> Answer {
    client.uaf(OWN, &json!({"context": "{}"})).await
}

#[tokio::test]
async fn it_opens_what_the_cookie_opens_and_ends_with_the_session() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let carried = gateway.public().bearer(&token(&phone).await);
    let answer = asks(&carried).await;
    assert!(answer.set_cookie().is_none());
    answer.uaf_code(1200);
    asks(&gateway.public().cookie(phone.session())).await.expect(200);
    carried.post("/auth/logout").send().await.expect(200);
    for ended in [carried, gateway.public().cookie(phone.session())] {
        asks(&ended).await.problem(401);
    }
}

#[tokio::test]
async fn it_goes_when_all_sessions_of_its_user_end() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let carried = gateway.public().bearer(&token(&phone).await);
    let end = gateway.internal().call(Method::DELETE, "/nevisfido/admin/sessions?username=jeff");
    end.send().await.expect(204);
    asks(&carried).await.problem(401);
}

#[tokio::test]
async fn only_what_was_signed_for_it_is_one() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let token = token(&phone).await;
    let parts: Vec<&str> = token.split('.').collect();
    let cookie = phone.session().split_once('=').unwrap().1;
    let last = if token.ends_with('A') { "Q" } else { "A" };
    for bad in [
        format!("{}.{}.{}", parts[0], parts[1], parts[1]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}{last}", &token[..token.len() - 1]),
        format!("{}.e30.{}", parts[0], parts[2]),
        format!("{token}."),
        cookie.to_owned(),
    ] {
        asks(&gateway.public().bearer(&bad)).await.problem(401);
    }
    let twice = gateway.public().bearer(&token).post(OWN).uaf(&json!({"context": "{}"}));
    twice.header("authorization", &format!("Bearer {token}")).send().await.problem(401);
    asks(&gateway.public().bearer(&token)).await.expect(200);
    asks(&gateway.public().cookie(&format!("sidegate-main={token}"))).await.problem(401);
}

#[tokio::test]
async fn no_upstream_learns_it_living_or_dead() {
    let upstream = Upstream::start().await;
    let rows = "routes:\n  - {name: shop, path: /shop/*, methods: [GET], filters: [customers], upstream: shop}\n\
                \x20 - {name: open, path: /open/*, methods: [GET], filters: [], upstream: shop}\n";
    let filters = "filters:\n  customers: {type: identity-creation, domain: main, level: 2}\n";
    let gateway = Setup::default()
        .user("jeff")
        .append(format!("upstreams:\n  shop: {{url: \"http://{}\"}}\n{filters}{rows}", upstream.address))
        .start()
        .await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let carried = gateway.public().bearer(&token(&phone).await);
    carried.get("/shop/a").send().await.expect(200);
    carried.get("/open/a").send().await.expect(200);
    carried.post("/auth/logout").send().await.expect(200);
    carried.get("/open/b").send().await.expect(200);
    carried.get("/shop/b").send().await.problem(401);
    gateway.public().bearer("another.bearer.token").get("/open/c").send().await.expect(200);
    let seen: Vec<_> = upstream.received().iter().map(|request| request.values("authorization").join(",")).collect();
    assert_eq!(seen, ["", "", "", "Bearer another.bearer.token"]);
}

#[tokio::test]
async fn it_is_no_sec_token_and_a_sec_token_is_none() {
    let upstream = Upstream::start().await;
    let setup = Setup::default().user("jeff").append(format!(
        "upstreams:\n  shop: {{url: \"http://{}\"}}\nfilters:\n  customers: {{type: identity-creation, domain: main}}\n\
         \x20 told: {{type: delegation, rules: [\"AUTH:user.auth.SecToken:Authorization\"]}}\n\
         routes:\n  - {{name: shop, path: /shop/*, methods: [GET], filters: [customers, told], upstream: shop}}\n",
        upstream.address
    ));
    let gateway = setup.start().await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let token = token(&phone).await;
    gateway.public().bearer(&token).get("/shop/a").send().await.expect(200);
    let sec_token = upstream.received()[0].values("authorization")[0].strip_prefix("Bearer ").unwrap().to_owned();
    let published = gateway.public().get("/.well-known/jwks/shop").send().await.expect(200).json();
    let keys = published["keys"].as_array().unwrap();
    assert!(keys.iter().any(|key| es256_verifies(key, &sec_token)));
    assert!(!keys.iter().any(|key| es256_verifies(key, &token)), "its key is its own, and published nowhere");
    asks(&gateway.public().bearer(&sec_token)).await.problem(401);
    let claims: Value = serde_json::from_slice(&from_base64url(token.split('.').nth(1).unwrap())).unwrap();
    assert_eq!(claims["aud"], "main");
    assert!(claims["sid"].is_string() && claims["exp"].as_u64() > claims["iat"].as_u64(), "{claims}");
}

#[tokio::test]
async fn a_password_gives_none() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", gateway.password("jeff"))];
    let answer = gateway.public().post("/auth/pwd").form(&form).send().await.expect(200).json();
    let members: BTreeSet<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, BTreeSet::from(["extId", "status"]));
}
