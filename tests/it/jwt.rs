//! The realm `jwt` (`gateway.md` 3.1): API clients with the tokens of an issuer.

mod callers;
mod gone;
mod issuers;
mod refused;
mod sample;

use serde_json::json;

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, HTML};
use crate::support::independent_jose;
use crate::support::issuer::{Issuer, KID, listed};
use crate::support::jose::SigningKey;
use crate::support::logs::audited;
use crate::support::secrets::Secrets;
use crate::support::upstream::Upstream;
use crate::support::wait;

/// A shop behind the gateway, whose API takes tokens of an issuer.
struct Shop {
    gateway: Gateway,
    upstream: Upstream,
    issuer: Issuer,
}

/// The realm, with more keys of it, and of its issuer.
pub(crate) fn realm(issuer: &Issuer, more: &str, of_issuer: &str) -> String {
    format!(
        "  partners:\n    type: jwt\n    domain: main\n{more}    issuers:\n      - issuer: {0}\n        audience: gate\n        \
         algorithms: [ES256]\n        jwks: {0}\n{of_issuer}",
        issuer.url()
    )
}

/// `/api` for whoever has a token or a session, `/staff` for those with a role, `/fresh` with a limit of age, `/open` for
/// everybody.
fn rows(upstream: &Upstream) -> String {
    let row = |name: &str| {
        let filters = format!("filters: [{name}, tell-who], upstream: shop");
        format!("  - {{name: {name}, path: /{name}/*, methods: [GET, POST], {filters}, on: [public, internal]}}\n")
    };
    let rows = ["api", "staff", "fresh", "open"].map(row).concat();
    format!(
        "upstreams:\n  shop: {{url: \"http://{}\"}}\nfilters:\n\
         \x20 api: {{type: identity-creation, domain: main}}\n\
         \x20 staff: {{type: identity-creation, domain: main, roles: [staff, boss]}}\n\
         \x20 fresh: {{type: identity-creation, domain: main, max-age: 5m}}\n\
         \x20 open: {{type: identity-creation, domain: main, open: true}}\n\
         \x20 tell-who: {{type: delegation, rules: [\"AUTH:user.auth.SecToken:X-Token\", \
         \"AUTH:user.auth.UserId:X-User\", \"AUTH:user.auth.Roles:X-Roles\", \"SESSION:sid:X-Sid\"]}}\nroutes:\n{rows}",
        upstream.address
    )
}

impl Shop {
    async fn open() -> Self {
        Self::with("", "").await
    }

    async fn with(more: &str, of_issuer: &str) -> Self {
        let upstream = Upstream::start().await;
        let issuer = Issuer::start(SigningKey::p256(&Secrets::default()), &[]).await;
        let setup = Setup::default().under("realms", realm(&issuer, more, of_issuer)).append(rows(&upstream));
        Self { gateway: setup.user("jeff").start().await, upstream, issuer }
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.gateway.public().bearer(token).get(path).send().await
    }

    /// The values of a header field of the latest request that arrived.
    fn arrived(&self, name: &str) -> Vec<String> {
        self.upstream.received().last().unwrap().values(name).into_iter().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn a_token_of_the_issuer_opens_a_row_and_stays_with_the_gateway() {
    let shop = Shop::open().await;
    let token = shop.issuer.token(&json!({"roles": ["staff"], "aud": ["other", "gate"]}));
    for client in [shop.gateway.public(), shop.gateway.public_http2()] {
        let answer = client.bearer(&token).get("/api/a").header("x-user", "eve").send().await.expect(200);
        assert_eq!(answer.set_cookie(), None, "there is no session to keep");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!((shop.arrived("x-user"), shop.arrived("x-roles")), (vec!["e-1".into()], vec!["staff".into()]));
        assert!(shop.arrived("authorization").is_empty(), "the token goes no further");
        let sec_token = shop.arrived("x-token").remove(0);
        shop.gateway.secrets().add("SecToken", sec_token.rsplit('.').next().unwrap());
        let keys = client.get("/.well-known/jwks.json").send().await.expect(200).json();
        let (_, claims) = independent_jose::verify(&keys, &sec_token);
        assert_eq!(
            (&claims["sub"], &claims["realm"], &claims["roles"]),
            (&json!("e-1"), &json!("partners"), &json!(["staff"]))
        );
        assert!(!token.contains(claims["sid"].as_str().unwrap()));
    }
    assert_eq!(shop.issuer.asked(), 1, "its keys were read once");
    let of_sessions = "/nevisfido/uaf/1.1/request/registration";
    shop.gateway.public().bearer(&token).uaf(of_sessions, &json!({"context": "{}"})).await.expect(401);
}

#[tokio::test]
async fn without_a_token_an_api_client_is_told_and_a_browser_logs_in() {
    let shop = Shop::open().await;
    let told = shop.gateway.public().get("/api/a").send().await.expect(401);
    assert_eq!(told.header("www-authenticate"), Some("Bearer realm=\"main\""));
    let page = shop.gateway.public().get("/api/a").header(HTML.0, HTML.1).send().await.expect(401);
    assert!(page.text().contains("isiwebpasswd"), "{}", page.text());
    assert!(shop.upstream.heads().is_empty());
    let login = [("isiwebuserid", "jeff"), ("isiwebpasswd", shop.gateway.password("jeff"))];
    let cookie = shop.gateway.public().post("/auth/pwd").form(&login).send().await.expect(200).session();
    shop.gateway.public().cookie(&cookie).get("/api/a").send().await.expect(200);
}

#[tokio::test]
async fn a_bad_token_is_never_taken_for_nobody() {
    let shop = Shop::open().await;
    let over = shop.issuer.token(&json!({"exp": 1}));
    let invalid = "Bearer realm=\"main\", error=\"invalid_token\"";
    for path in ["/api/a", "/open/a"] {
        let refused = shop.get(path, &over).await;
        assert_eq!(refused.header("www-authenticate"), Some(invalid));
        assert!(refused.problem(401).contains("it is over"));
    }
    let told = wait::until("both audit lines", wait::BOUND, async || {
        Some(audited(&shop.gateway, "login-failed")).filter(|told| told.len() >= 2)
    })
    .await;
    assert_eq!(told.len(), 2, "{told:?}");
    for line in told {
        assert_eq!(
            (line["issuer"].as_str(), line["kid"].as_str()),
            (Some(shop.issuer.url().as_str()), Some(KID)),
            "{line}"
        );
    }
    shop.gateway.public().get("/open/a").send().await.expect(200);
    assert!(shop.arrived("x-user").is_empty());
    shop.get("/open/a", &shop.issuer.token(&json!({}))).await.expect(200);
    assert_eq!(shop.arrived("x-user"), ["e-1"]);
    // On an internal listener a bearer is an internal caller's.
    let inside = shop.gateway.internal_as_nobody().bearer(&shop.issuer.token(&json!({})));
    inside.get("/api/a").send().await.problem(401);
}

#[tokio::test]
async fn roles_come_from_the_token() {
    let shop = Shop::with("", "        roles: /realm_access/roles\n").await;
    let with = |roles: &[&str]| shop.issuer.token(&json!({"realm_access": {"roles": roles}}));
    shop.get("/staff/a", &with(&["guest", "boss"])).await.expect(200);
    for token in [with(&["guest", "bossy", "STAFF"]), with(&[]), shop.issuer.token(&json!({"roles": ["boss"]}))] {
        shop.get("/staff/a", &token).await.problem(403);
    }
}

#[tokio::test]
async fn keys_change_without_a_restart_and_go_on_while_the_issuer_is_gone() {
    let shop = Shop::with("    keys: {retry: 10ms, refresh: 10ms}\n", "").await;
    let (old, new) = (&shop.issuer.key, SigningKey::p256(shop.gateway.secrets()));
    let first = shop.issuer.token(&json!({}));
    shop.get("/api/a", &first).await.expect(200);
    shop.issuer.say(Some(&[listed(old, KID), listed(&new, "key-2")]));
    let second = shop.issuer.signed_by(&new, "key-2", &json!({}));
    wait::until("the new key", wait::BOUND, async || (shop.get("/api/a", &second).await.status == 200).then_some(()))
        .await;
    shop.issuer.say(Some(&[listed(&new, "key-2")]));
    wait::until("the old key is gone", wait::BOUND, async || {
        // Whatever is not known yet has the keys read again.
        shop.get("/api/a", &shop.issuer.signed_by(&new, "key-2", &json!({"n": uuid::Uuid::new_v4()})))
            .await
            .expect(200);
        (shop.get("/api/a", &first).await.status == 401).then_some(())
    })
    .await;
    shop.issuer.say(None);
    shop.get("/api/a", &second).await.expect(200);
    shop.get("/api/a", &shop.issuer.signed_by(&new, "key-2", &json!({"n": 1}))).await.expect(200);
}

#[tokio::test]
async fn without_the_issuers_keys_nobody_passes() {
    let shop = Shop::open().await;
    shop.issuer.say(None);
    shop.get("/api/a", &shop.issuer.token(&json!({}))).await.problem(503);
    shop.get("/open/a", &shop.issuer.token(&json!({}))).await.problem(503);
    assert!(shop.upstream.heads().is_empty());
    assert_eq!(shop.issuer.asked(), 1, "a failure is remembered");
}

#[tokio::test]
async fn a_typ_that_is_wanted_is_the_only_one() {
    let shop = Shop::with("", "        typ: at+jwt\n").await;
    let claims =
        json!({"iss": shop.issuer.url(), "aud": "gate", "sub": "e-1", "exp": crate::support::issuer::now() + 60});
    for (typ, status) in [("at+jwt", 200), ("AT+JWT", 200), ("application/at+jwt", 200), ("JWT", 401), ("", 401)] {
        let header = json!({"alg": "ES256", "kid": KID, "typ": typ}).to_string();
        let token = shop.issuer.key.sign_parts(&header, &claims.to_string());
        assert_eq!(shop.get("/api/a", &token).await.status, status, "{typ}");
    }
    assert_eq!(shop.get("/api/a", &shop.issuer.token(&json!({}))).await.status, 401, "none is none");
}

#[tokio::test]
async fn a_reload_keeps_the_keys_and_takes_no_token_on_trust() {
    let shop = Shop::open().await;
    let token = shop.issuer.token(&json!({}));
    shop.get("/api/a", &token).await.expect(200);
    shop.issuer.say(None);
    shop.gateway.reconfigure("audience: gate", "audience: door");
    shop.gateway.hang_up();
    shop.gateway.reloaded("done", 1).await;
    shop.get("/api/a", &token).await.problem(401);
    shop.get("/api/a", &shop.issuer.token(&json!({"aud": "door"}))).await.expect(200);
    assert_eq!(shop.issuer.asked(), 1, "the keys were known");
}

/// The token with the other signature that is good for the same text: `n - s` in place of `s`.
fn signed_otherwise(token: &str) -> String {
    use openssl::bn::{BigNum, BigNumContext};
    use openssl::ec::EcGroup;
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let bytes = crate::support::jose::from_base64url(signature);
    let (r, s) = bytes.split_at(32);
    let (mut order, mut other) = (BigNum::new().unwrap(), BigNum::new().unwrap());
    let group = EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1).unwrap();
    group.order(&mut order, &mut BigNumContext::new().unwrap()).unwrap();
    other.checked_sub(&order, &BigNum::from_slice(s).unwrap()).unwrap();
    let bytes = [r, &other.to_vec_padded(32).unwrap()].concat();
    format!("{signed}.{}", crate::support::jose::base64url(bytes))
}

#[tokio::test]
async fn another_signature_of_the_same_token_makes_no_other_session() {
    let shop = Shop::open().await;
    let token = shop.issuer.token(&json!({}));
    let mut sids = Vec::new();
    for token in [&token, &signed_otherwise(&token), &shop.issuer.token(&json!({"jti": "another"}))] {
        shop.get("/api/a", token).await.expect(200);
        sids.extend(shop.arrived("x-sid"));
    }
    assert!(sids[0] == sids[1] && sids[0] != sids[2], "{sids:?}");
}
