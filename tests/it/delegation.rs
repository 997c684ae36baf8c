//! What an upstream learns, and what it must not (`gateway.md` 2.3 and 3.3).

mod own_keys;
mod pass_on;
mod values;

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::Client;
use crate::support::independent_jose::verify;
use crate::support::phone::Phone;
use crate::support::ports;
use crate::support::upstream::Upstream;

/// A shop behind the gateway: `/shop` for customers, `/open` for everybody.
struct Shop {
    gateway: Gateway,
    upstream: Upstream,
}

impl Shop {
    async fn open() -> Self {
        let upstream = Upstream::start().await;
        let gateway = Setup::default()
            .append(format!(
                "upstreams:\n  shop:\n    url: http://{}\n\
                 filters:\n  customers: {{type: identity-creation, domain: main}}\n  tell-who:\n    type: delegation\n    rules:\n\
                 \x20     - AUTH:user.auth.SecToken:Authorization\n      - AUTH:user.auth.UserId:X-User\n\
                 routes:\n  - {{name: shop, path: /shop/*, methods: [GET], filters: [customers, tell-who], upstream: shop}}\n\
                 \x20 - {{name: open, path: /open/*, methods: [GET], filters: [], upstream: shop}}\n",
                upstream.address
            ))
            .user("jeff")
            .start()
            .await;
        Self { gateway, upstream }
    }

    /// Calls with everything a client may try, and gives the header fields that arrive.
    async fn arrives(&self, client: &Client, path: &str) -> Vec<(String, String)> {
        let request = client.get(path).header("x-user", "eve").header("x_user", "eve").header("X.User", "eve");
        request.header("accept", "application/json").header("x-harmless", "kept").send().await.expect(200);
        let heads = self.upstream.heads();
        let lines = heads.last().unwrap().lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect()
    }
}

fn values<'a>(fields: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect()
}

#[tokio::test]
async fn the_upstream_learns_who_it_is_from_us_alone() {
    let shop = Shop::open().await;
    let mut phone = Phone::new(&shop.gateway, "jeff");
    phone.login_password().await;
    let cookie = format!("theme=dark; {}; lang=de", phone.session());
    for client in [shop.gateway.public(), shop.gateway.public_http2()] {
        let fields = shop.arrives(&client.cookie(&cookie), "/shop/cart").await;
        assert_eq!(values(&fields, "x-user"), [phone.ext_id()]);
        assert!(!fields.iter().any(|(name, value)| name != "authorization" && value == "eve"), "{fields:?}");
        assert_eq!(values(&fields, "x-harmless"), ["kept"]);
        assert_eq!(values(&fields, "cookie"), ["theme=dark; lang=de"]);

        let [authorization] = values(&fields, "authorization")[..] else { panic!("one Authorization: {fields:?}") };
        let jws = authorization.strip_prefix("Bearer ").unwrap();
        shop.gateway.secrets().add("SecToken", jws.rsplit('.').next().unwrap());
        let keys = client.get("/.well-known/jwks.json").send().await.expect(200).json();
        assert!(!keys.to_string().contains("\"d\""), "{keys}");
        let (header, claims) = verify(&keys, jws);
        assert_eq!(header["alg"], "ES256");
        assert!(header["kid"].is_string());
        assert_sec_token(&claims, &phone, shop.gateway.public().base());
    }
}

fn assert_sec_token(claims: &Value, phone: &Phone, issuer: &str) {
    assert_eq!(claims["iss"], issuer);
    assert_eq!(claims["sub"], phone.ext_id());
    assert_eq!(claims["aud"], "shop");
    assert_eq!((&claims["auth_level"], &claims["realm"]), (&json!(1), &json!("password")));
    assert!(claims["roles"].is_array() && claims["jti"].is_string(), "{claims}");
    assert!(!phone.session().contains(claims["sid"].as_str().unwrap()), "sid is not the cookie");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
}

#[tokio::test]
async fn a_backend_that_knows_basic_alone_gets_the_sec_token_as_a_password() {
    let upstream = Upstream::start().await;
    let gateway = Setup::default()
        .append(format!(
            "upstreams:\n  shop: {{url: \"http://{}\"}}\n\
             filters:\n  customers: {{type: identity-creation, domain: main}}\n\
             \x20 tell-who: {{type: delegation, rules: [\"AUTH:user.auth.SecToken:Authorization:basic\"]}}\n\
             routes:\n  - {{name: shop, path: /shop/*, methods: [GET], filters: [customers, tell-who], upstream: shop}}\n",
            upstream.address
        ))
        .user("jeff")
        .start()
        .await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    phone.client().get("/shop/cart").header("authorization", "Basic ZXZlOmV2ZQ==").send().await.expect(200);
    let received = upstream.received();
    let [credentials] = received[0].values("authorization")[..] else { panic!("one Authorization: {received:?}") };
    let credentials = STANDARD.decode(credentials.strip_prefix("Basic ").unwrap()).unwrap();
    let credentials = String::from_utf8(credentials).unwrap();
    let jws = credentials.strip_prefix("jeff:").unwrap();
    gateway.secrets().add("SecToken", jws.rsplit('.').next().unwrap());
    let keys = gateway.public().get("/.well-known/jwks.json").send().await.expect(200).json();
    assert_sec_token(&verify(&keys, jws).1, &phone, gateway.public().base());
}

#[tokio::test]
async fn an_open_route_to_the_same_upstream_is_no_way_around() {
    let shop = Shop::open().await;
    for client in [shop.gateway.public(), shop.gateway.public_http2()] {
        let fields = shop.arrives(&client, "/open/page").await;
        assert!(!fields.iter().any(|(_, value)| value == "eve"), "{fields:?}");
        assert_eq!(values(&fields, "x-harmless"), ["kept"]);
    }
}

#[tokio::test]
async fn another_name_for_the_same_server_is_no_way_around() {
    let upstream = Upstream::start().await;
    let row = |name: &str, filters: &str| {
        format!("  - {{name: {name}, path: /{name}/*, methods: [GET], filters: [{filters}], upstream: {name}}}\n")
    };
    let gateway = Setup::default()
        .append(format!(
            "upstreams:\n  shop: {{url: \"http://{0}\"}}\n  uploads: {{url: \"http://{0}\", read-timeout: 10m}}\n\
             filters:\n  customers: {{type: identity-creation, domain: main}}\n\
             \x20 tell-who: {{type: delegation, rules: [\"AUTH:user.auth.UserId:X-User\"]}}\n\
             routes:\n{1}{2}",
            upstream.address,
            row("shop", "customers, tell-who"),
            row("uploads", "")
        ))
        .start()
        .await;
    let shop = Shop { gateway, upstream };
    for client in [shop.gateway.public(), shop.gateway.public_http2()] {
        let fields = shop.arrives(&client, "/uploads/a").await;
        assert!(!fields.iter().any(|(_, value)| value == "eve"), "{fields:?}");
        assert_eq!(values(&fields, "x-harmless"), ["kept"]);
    }
}

#[tokio::test]
async fn a_header_that_an_upstream_names_comes_from_no_client_and_on_no_row_to_that_server() {
    let upstream = Upstream::start().await;
    let row =
        |name: &str| format!("  - {{name: {name}, path: /{name}/*, methods: [GET], filters: [], upstream: {name}}}\n");
    let gateway = Setup::default()
        .append(format!(
            "upstreams:\n  shop: {{url: \"http://{0}\", remove-headers: [X-User]}}\n  uploads: {{url: \"http://{0}\"}}\n\
             routes:\n{1}{2}",
            upstream.address,
            row("shop"),
            row("uploads")
        ))
        .start()
        .await;
    let shop = Shop { gateway, upstream };
    for client in [shop.gateway.public(), shop.gateway.public_http2()] {
        for path in ["/shop/a", "/uploads/a"] {
            let fields = shop.arrives(&client, path).await;
            assert!(!fields.iter().any(|(_, value)| value == "eve"), "{fields:?}");
            assert_eq!(values(&fields, "x-harmless"), ["kept"]);
        }
    }
}

#[tokio::test]
async fn the_bearer_of_an_internal_caller_reaches_no_upstream() {
    let upstream = Upstream::start().await;
    let gateway = Setup::default()
        .append(format!(
            "upstreams:\n  shop:\n    url: http://{}\n\
             filters:\n  services: {{type: identity-creation, domain: main, internal-callers: anybody}}\n\
             routes:\n  - {{name: open, path: /open/*, methods: [GET], on: [internal], filters: [], upstream: shop}}\n\
             \x20 - {{name: shop, path: /shop/*, methods: [GET], on: [internal], filters: [services], upstream: shop}}\n",
            upstream.address
        ))
        .start()
        .await;
    for path in ["/open/page", "/shop/cart"] {
        gateway.internal().get(path).send().await.expect(200);
        let head = upstream.heads().last().unwrap().to_ascii_lowercase();
        assert!(head.starts_with(&format!("get {path}")) && !head.contains("authorization"), "{head}");
    }
}

#[tokio::test]
async fn a_dead_upstream_is_a_problem_and_not_an_empty_answer() {
    let gone = SocketAddr::from(([127, 0, 0, 1], ports::free()));
    let setup = Setup::default().append(format!(
        "upstreams:\n  gone:\n    url: http://{gone}\nroutes:\n  - {{name: gone, path: /gone, methods: [GET], filters: [], upstream: gone}}\n"
    ));
    let gateway = setup.start().await;
    for client in [gateway.public(), gateway.public_http2()] {
        client.get("/gone").send().await.problem(502);
    }
}
