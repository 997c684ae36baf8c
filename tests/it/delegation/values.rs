//! The values that rules pass on, from each source in each encoding, and how long a SecToken stays the same
//! (`gateway.md` 3.3).

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::support::gateway::{Gateway, Setup};
use crate::support::issuer::now;
use crate::support::phone::Phone;
use crate::support::raw::Socket;
use crate::support::upstream::{Received, Upstream};
use crate::support::wait;

/// A rule, its header, and what the server behind gets of it.
const TABLE: [(&str, &str, &str); 13] = [
    ("ENV:SHOP_KEY:X-Env", "x-env", "Söhne & Co/50%"),
    ("ENV:SHOP_KEY:X-Env-B:base64", "x-env-b", "U8O2aG5lICYgQ28vNTAl"),
    ("ENV:SHOP_KEY:X-Env-U:urlencode", "x-env-u", "S%C3%B6hne%20%26%20Co%2F50%25"),
    ("CONST:a b+c=d:X-Const", "x-const", "a b+c=d"),
    ("CONST:a b+c=d:X-Const-B:base64", "x-const-b", "YSBiK2M9ZA=="),
    ("CONST:a b+c=d:X-Const-U:urlencode", "x-const-u", "a%20b%2Bc%3Dd"),
    ("HEADER:X-Tenant:X-Told", "x-told", "north ~ 1.2?"),
    ("HEADER:X-Tenant:X-Told-B:base64", "x-told-b", "bm9ydGggfiAxLjI/"),
    ("HEADER:X-Tenant:X-Told-U:urlencode", "x-told-u", "north%20~%201.2%3F"),
    ("SESSION:domain:X-Domain", "x-domain", "main"),
    ("SESSION:domain:X-Domain-B:base64", "x-domain-b", "bWFpbg=="),
    ("AUTH:user.auth.LoginId:X-Login:urlencode", "x-login", "jeff"),
    ("AUTH:user.auth.Realm:X-Realm:base64", "x-realm", "cGFzc3dvcmQ="),
];

/// Rules whose values no table can hold.
const MORE: &str = "SESSION:sid:X-Sid, SESSION:authenticated-at:X-At, AUTH:user.auth.SecToken:X-Token";

/// A shop and a bank, whose servers are told the same by the same rules.
struct Street {
    gateway: Gateway,
    upstream: Upstream,
    phone: Phone,
}

impl Street {
    async fn open(more: &str) -> Self {
        let upstream = Upstream::start().await;
        let rules: String = TABLE.iter().map(|(rule, ..)| format!("{}, ", Value::from(*rule))).collect();
        let row = |name: &str| {
            format!(
                "  - {{name: {name}, path: /{name}/*, methods: [GET], filters: [customers, told], upstream: {name}}}\n"
            )
        };
        let setup = Setup::default().user("jeff").env("SHOP_KEY", TABLE[0].2).append(format!(
            "{more}upstreams:\n  shop: {{url: \"http://{0}\"}}\n  bank: {{url: \"http://{0}\"}}\n\
             filters:\n  customers: {{type: identity-creation, domain: main}}\n\
             \x20 told: {{type: delegation, rules: [{rules}{MORE}]}}\nroutes:\n{1}{2}",
            upstream.address,
            row("shop"),
            row("bank")
        ));
        let gateway = setup.start().await;
        let mut phone = Phone::new(&gateway, "jeff");
        phone.login_password().await;
        Self { gateway, upstream, phone }
    }

    /// What the server behind gets of a request.
    async fn arrives(&self, path: &str) -> Received {
        self.phone.client().get(path).header("x-tenant", TABLE[6].2).send().await.expect(200);
        self.upstream.received().pop().unwrap()
    }

    /// The claims of the SecToken that arrives.
    async fn claims(&self, path: &str) -> Value {
        claims(&self.gateway, &self.arrives(path).await)
    }
}

fn claims(gateway: &Gateway, received: &Received) -> Value {
    let jws = received.values("x-token")[0];
    let [_, payload, signature] = jws.split('.').collect::<Vec<_>>()[..] else { panic!("bare: {jws}") };
    gateway.secrets().add("SecToken", signature);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn each_source_is_passed_on_in_each_encoding() {
    let before = now();
    let street = Street::open("").await;
    for client in [street.gateway.public(), street.gateway.public_http2()] {
        let request = client.cookie(street.phone.session()).get("/shop/a").header("x-tenant", TABLE[6].2);
        request.header("x-env", "eve").header("x_sid", "eve").send().await.expect(200);
        let received = street.upstream.received().pop().unwrap();
        for (rule, header, value) in TABLE {
            assert_eq!(received.values(header), [value], "{rule}");
        }
        assert_eq!(received.values("x-sid"), [claims(&street.gateway, &received)["sid"].as_str().unwrap()]);
        let at: u64 = received.values("x-at")[0].parse().unwrap();
        assert!((before * 1000..=(now() + 1) * 1000).contains(&at), "milliseconds of the login: {at}");
        assert!(!received.head.contains("eve"), "{}", received.head);
    }
}

#[tokio::test]
async fn without_its_header_a_rule_says_nothing() {
    let street = Street::open("").await;
    street.phone.client().get("/shop/a").header("x-told", "eve").send().await.expect(200);
    let received = street.upstream.received().pop().unwrap();
    assert!(received.values("x-told").is_empty() && received.values("x-told-b").is_empty(), "{}", received.head);
}

#[tokio::test]
async fn a_value_with_control_characters_refuses_the_request() {
    let street = Street::open("").await;
    for client in [street.gateway.public(), street.gateway.public_http2()] {
        let client = client.cookie(street.phone.session());
        client.get("/shop/a").header("x-tenant", "no\trth").send().await.problem(400);
        client.get("/shop/a").header("x-tenant", "north").header("x-tenant", "south").send().await.problem(400);
    }
    // A client library sends none of these: NEL, the first of the C1 set, and half of a letter.
    for value in [b"no\xc2\x85rth".as_slice(), b"no\xc2\x80rth", b"no\xc3rth", b"no\trth"] {
        let mut socket = Socket::plain(street.gateway.address("public"));
        let head = format!("GET /shop/a HTTP/1.1\r\nHost: gate\r\nCookie: {}\r\n", street.phone.session());
        let request = [head.as_bytes(), b"Connection: close\r\nX-Tenant: ", value, b"\r\n\r\n"].concat();
        socket.write_all(&request).unwrap();
        let mut said = String::new();
        socket.read_to_string(&mut said).unwrap();
        assert!(said.starts_with("HTTP/1.1 400 "), "{value:?}: {said}");
    }
    assert!(street.upstream.received().is_empty(), "{:?}", street.upstream.heads());
    street.arrives("/shop/a").await;
}

#[tokio::test]
async fn a_sec_token_is_signed_once_for_a_session_a_level_and_an_audience() {
    let mut street = Street::open("").await;
    let first = street.claims("/shop/a").await;
    assert_eq!(street.claims("/shop/b").await, first);
    let other_audience = street.claims("/bank/a").await;
    assert_eq!((&other_audience["aud"], &other_audience["sid"]), (&"bank".into(), &first["sid"]));
    assert_ne!(other_audience["jti"], first["jti"]);
    assert_eq!(street.claims("/shop/a").await, first, "another audience takes nothing from it");

    street.phone.register().await;
    street.phone.login_uaf().await;
    let raised = street.claims("/shop/a").await;
    assert_eq!((&raised["sid"], &raised["auth_level"]), (&first["sid"], &2.into()));
    assert_ne!(raised["jti"], first["jti"]);
    assert_eq!(street.claims("/shop/b").await, raised);

    street.phone.login_password().await;
    let other_session = street.claims("/shop/a").await;
    assert!(other_session["jti"] != first["jti"] && other_session["sid"] != first["sid"], "{other_session}");
}

#[tokio::test]
async fn a_sec_token_is_used_for_three_quarters_of_its_life() {
    let street = Street::open("sec-token: {lifetime: 10s}\n").await;
    let first = street.claims("/shop/a").await;
    let next = wait::until("another one", wait::BOUND, async || {
        let claims = street.claims("/shop/a").await;
        (claims["jti"] != first["jti"]).then_some(claims)
    })
    .await;
    let time = |claims: &Value, name: &str| claims[name].as_u64().unwrap();
    assert_eq!(time(&first, "exp") - time(&first, "iat"), 10);
    assert!(time(&next, "iat") >= time(&first, "iat") + 7, "{first} {next}");
}
