//! Where the keys of issuers come from: of several, each has its own; they are fetched once for a crowd; and no token says
//! where from.

use std::io::ErrorKind;
use std::net::TcpListener;

use serde_json::{Value, json};

use super::{Shop, realm, rows};
use crate::support::gateway::Setup;
use crate::support::issuer::{Issuer, KID, listed, now};
use crate::support::jose::SigningKey;
use crate::support::phone::Phone;
use crate::support::secrets::Secrets;
use crate::support::upstream::Upstream;
use crate::support::wait;

const OF_FILE: &str = "https://by-file.example";

#[tokio::test]
async fn each_of_several_issuers_vouches_with_its_own_keys() {
    let (upstream, secrets) = (Upstream::start().await, Secrets::default());
    let [first, second] =
        [Issuer::start(SigningKey::p256(&secrets), &[]).await, Issuer::start(SigningKey::p256(&secrets), &[]).await];
    let (third, folder) = (SigningKey::p256(&secrets), tempfile::tempdir().unwrap());
    let file = folder.path().join("keys.json");
    std::fs::write(&file, json!({"keys": [listed(&third, KID)]}).to_string()).unwrap();
    let entry = |issuer: &str, keys: &str| {
        format!("      - {{issuer: \"{issuer}\", audience: gate, algorithms: [ES256], jwks: \"{keys}\"}}\n")
    };
    let more = [entry(&second.url(), &second.url()), entry(OF_FILE, &file.display().to_string())].concat();
    let setup = Setup::default().under("realms", realm(&first, "", &more)).append(rows(&upstream)).user("jeff");
    let gateway = setup.start().await;
    let names = [first.url(), second.url(), OF_FILE.to_owned()];
    let keys = [&first.key, &second.key, &third];
    for (signed, key) in keys.into_iter().enumerate() {
        for (named, name) in names.iter().enumerate() {
            let token = first.signed_by(key, KID, &json!({"iss": name, "sub": format!("e-{named}")}));
            let answer = gateway.public().bearer(&token).get("/api/a").send().await;
            if signed == named {
                answer.expect(200);
                assert_eq!(upstream.received().pop().unwrap().values("x-user"), [format!("e-{named}")]);
            } else {
                answer.problem(401);
            }
        }
    }
    assert_eq!(upstream.received().len(), 3);
    assert_eq!([first.asked(), second.asked()], [1, 1]);
}

#[tokio::test]
async fn fifty_first_tokens_at_once_have_the_keys_fetched_once() {
    let shop = Shop::open().await;
    let held = shop.issuer.hold();
    let tokens: Vec<_> = (0..50).map(|number| shop.issuer.token(&json!({"sub": format!("e-{number}")}))).collect();
    let requests =
        tokens.iter().map(|token| tokio::spawn(shop.gateway.public().bearer(token).get("/api/a").try_send()));
    let requests: Vec<_> = requests.collect();
    wait::until("all of them wait", wait::BOUND, async || {
        (shop.gateway.metric("sidegate_open_requests").await >= 50).then_some(())
    })
    .await;
    assert!(shop.upstream.received().is_empty());
    drop(held);
    for request in requests {
        request.await.unwrap().unwrap().expect(200);
    }
    assert_eq!((shop.issuer.asked(), shop.upstream.received().len()), (1, 50));
}

/// What a token may say of where its key is; `URL` stands for an address of whoever made it up.
const ELSEWHERE: [&str; 7] = [
    r#""jku":"URL""#,
    r#""jku":"URL","kid":"key-1""#,
    r#""x5u":"URL""#,
    r#""x5u":"URL","kid":"key-1""#,
    r#""x5c":["URL"]"#,
    r#""jwk":{"kty":"EC","x5u":"URL","jku":"URL"}"#,
    r#""crit":["jku"],"jku":"URL","kid":"key-1""#,
];

/// A token with the header of each that this key signs.
fn pointing(url: &str, key: &SigningKey, claims: impl Fn() -> Value) -> Vec<String> {
    let header = |members: &str| format!("{{\"alg\":\"ES256\",{}}}", members.replace("URL", url));
    ELSEWHERE.iter().map(|members| key.sign_parts(&header(members), &claims().to_string())).collect()
}

#[tokio::test]
async fn what_a_token_points_at_is_never_fetched() {
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let url = format!("http://{}/keys", trap.local_addr().unwrap());
    let mut shop = Shop::open().await;
    let phone = Phone::enrolled(&shop.gateway, "jeff").await;
    let stranger = SigningKey::p256(&Secrets::default());
    let of = |issuer: &str| json!({"iss": issuer, "aud": "gate", "sub": "e-1", "exp": now() + 600, "jku": url});
    let ours = shop.issuer.url();
    let mut tokens = pointing(&url, &shop.issuer.key, || of(&ours));
    tokens.extend([&ours, &url].iter().flat_map(|issuer| pointing(&url, &stranger, || of(issuer))));
    tokens.push(shop.issuer.signed_by(&shop.issuer.key, &url, &json!({})));
    tokens.push(shop.issuer.signed_by(&stranger, KID, &json!({"iss": url})));
    for token in &tokens {
        for path in ["/api/a", "/open/a"] {
            shop.get(path, token).await.problem(401);
        }
    }
    let change =
        || json!({"requestId": uuid::Uuid::new_v4(), "creationTimeInEpochMillis": now() * 1000, "name": "new"});
    let path = format!("/nevisfido/token/dispatch/targets/{}", phone.target());
    for jws in [&phone.signing, &stranger].into_iter().flat_map(|key| pointing(&url, key, change)) {
        shop.gateway.public().call(http::Method::PATCH, &path).jose(&jws).send().await.problem(401);
    }
    assert!(shop.upstream.received().is_empty());
    // After its end it fetches nothing more.
    shop.gateway.stop();
    assert_eq!(trap.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "somebody came");
}
