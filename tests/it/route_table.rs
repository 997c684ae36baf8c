//! The default route table (`http-api.md` 8): each row, each method, each class of listener.

use std::collections::BTreeSet;

use http::Method;

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Client, HTML};
use crate::support::phone::Phone;
use crate::support::upstream::Upstream;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Guard {
    /// Whoever comes gets past identity.
    Open,
    /// Nobody is refused with 401.
    Known,
    /// So is a session by password.
    Raised,
}
use Guard::{Known, Open, Raised};

impl Guard {
    /// What of `explain`'s words for a protection it is.
    fn of(protection: &str) -> Self {
        match protection {
            "open" | "jws-bypass" => Open,
            "fido-uaf" => Raised,
            _ => Known,
        }
    }
}

const P: &str = "public";
const I: &str = "internal";
const M: &str = "management";

/// Method, path, listeners, protection: written down once more, from the contract and not from the product.
const ROWS: &[(&str, &str, &[&str], Guard)] = &[
    ("POST", "/nevisfido/uaf/1.1/request/registration", &[P, I], Known),
    ("POST", "/nevisfido/uaf/1.1/request/deregistration", &[P, I], Raised),
    ("POST", "/nevisfido/uaf/1.1/request/authentication", &[P, I], Open),
    ("POST", "/nevisfido/uaf/1.1/registration", &[P, I], Open),
    ("POST", "/nevisfido/uaf/1.1/authentication", &[P, I], Open),
    ("GET", "/nevisfido/uaf/1.1/facets", &[P, I], Open),
    ("POST", "/nevisfido/token/dispatch/authentication", &[P, I], Open),
    ("POST", "/nevisfido/token/dispatch/registration", &[P, I], Known),
    ("POST", "/nevisfido/token/dispatch/deregistration", &[P, I], Raised),
    ("GET", "/nevisfido/token/dispatch/targets", &[I], Known),
    ("POST", "/nevisfido/token/dispatch/targets", &[P, I], Raised),
    ("GET", "/nevisfido/dispatch/targets", &[I], Known),
    ("POST", "/nevisfido/dispatch/targets", &[P, I], Raised),
    ("PATCH", "/nevisfido/token/dispatch/targets/abc", &[P, I], Open),
    ("DELETE", "/nevisfido/token/dispatch/targets/abc", &[P, I], Raised),
    ("PATCH", "/nevisfido/dispatch/targets/abc", &[P, I], Open),
    ("DELETE", "/nevisfido/dispatch/targets/abc", &[P, I], Raised),
    ("POST", "/nevisfido/token/create/registration", &[P, I], Known),
    ("POST", "/nevisfido/token/create/authentication", &[P, I], Open),
    ("POST", "/nevisfido/token/create/deregistration", &[P, I], Raised),
    ("POST", "/nevisfido/token/redeem/registration", &[P, I], Open),
    ("POST", "/nevisfido/token/redeem/authentication", &[P, I], Open),
    ("POST", "/nevisfido/token/redeem/deregistration", &[P, I], Open),
    ("POST", "/nevisfido/status", &[P, I], Open),
    ("GET", "/nevisfido/admin/users", &[I], Known),
    ("DELETE", "/nevisfido/admin/users", &[I], Known),
    ("GET", "/nevisfido/admin/credentials", &[I], Known),
    ("DELETE", "/nevisfido/admin/credentials", &[I], Known),
    ("GET", "/nevisfido/admin/targets", &[I], Known),
    ("DELETE", "/nevisfido/admin/targets", &[I], Known),
    ("GET", "/nevisfido/admin/sessions", &[I], Known),
    ("DELETE", "/nevisfido/admin/sessions", &[I], Known),
    ("GET", "/auth/login", &[P], Open),
    ("POST", "/auth/pwd", &[P], Open),
    ("POST", "/auth/fidouaf", &[P], Open),
    ("POST", "/auth/fidouaf/authenticationresponse", &[P], Open),
    ("POST", "/auth/authenticationresponse", &[P], Open),
    ("GET", "/auth/logout", &[P], Open),
    ("POST", "/auth/logout", &[P], Open),
    ("GET", "/.well-known/jwks.json", &[P, I], Open),
    ("GET", "/.well-known/jwks/shop", &[P, I], Open),
    ("GET", "/nevisfido/liveness", &[M], Open),
    ("GET", "/nevisfido/health", &[M], Open),
    ("GET", "/metrics", &[M], Open),
    ("GET", "/openapi.json", &[M], Open),
];

/// Rows whose service does not exist yet or never did, and paths beside the table.
const NOWHERE: &[&str] = &[
    "/",
    "/nevisfido",
    "/nevisfido/token/dispatch",
    "/nevisfido/token/dispatch/transaction",
    "/nevisfido/token/redeem/authentication/more",
    "/nevisfido/Status",
    "/.well-known/assetlinks.json",
    "/.well-known/apple-app-site-association",
    "/apple-app-site-association",
    "/nevisfido/devices/credentials/abc",
    "/nevisfido/devices/operations",
    "/nevisfido/admin",
    "/nevisfido/admin/users/jeff",
    "/auth/pwd/x",
];

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

fn served(method: &str, row: &str) -> bool {
    method == row || (method == "HEAD" && row == "GET")
}

async fn check(client: &Client, class: &str, path: &str, method: &str) {
    let rows: Vec<_> = ROWS.iter().filter(|row| row.1 == path && row.2.contains(&class)).collect();
    let call = |path: &str| client.call(Method::from_bytes(method.as_bytes()).unwrap(), path).send();
    let answer = call(path).await;
    let context = format!("{class}: {method} {path} -> {}", answer.status);
    match rows.iter().find(|row| served(method, row.0)) {
        Some((.., Open)) => assert!(![401, 403, 404, 405].contains(&answer.status), "{context}"),
        Some((.., Known | Raised)) => {
            assert_eq!(answer.status, 401, "{context}");
            assert!(answer.header("www-authenticate").is_some() && answer.set_cookie().is_none(), "{context}");
        }
        None if rows.is_empty() => assert_eq!(answer.status, 404, "{context}"),
        None => {
            assert_eq!(answer.status, 405, "{context}");
            let allow: BTreeSet<_> = answer.header("allow").unwrap().split(',').map(str::trim).collect();
            let expected: BTreeSet<_> = rows.iter().map(|row| row.0).collect();
            assert_eq!(
                allow.difference(&BTreeSet::from(["HEAD"])).copied().collect::<BTreeSet<_>>(),
                expected,
                "{context}"
            );
        }
    }
    let slash = call(&format!("{path}/")).await;
    if path.starts_with("/nevisfido/") || path.starts_with("/auth/") {
        assert_eq!(slash.status, answer.status, "{context}, with a slash");
    }
}

#[tokio::test]
async fn each_row_is_served_where_and_how_the_table_says() {
    // Nobody asks it for anything: it has keys.
    let gateway = Setup::default().append("upstreams:\n  shop: {url: \"http://127.0.0.1:9\"}\n").start().await;
    let clients = [(P, gateway.public()), (I, gateway.internal_as_nobody()), (M, gateway.management())];
    let paths: BTreeSet<_> = ROWS.iter().map(|row| row.1).collect();
    for (class, client) in &clients {
        for path in &paths {
            for method in METHODS {
                check(client, class, path, method).await;
            }
        }
    }
}

/// Who knows the password may begin what takes the key to end; what changes or removes keys takes the key at once.
#[tokio::test]
async fn a_session_by_password_gets_only_what_a_password_may() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    let by_password = phone.client();
    let rows = || ROWS.iter().filter(|(_, _, on, guard)| *guard != Open && on.contains(&P));
    for (method, path, _, guard) in rows() {
        let answer = by_password.call(Method::from_bytes(method.as_bytes()).unwrap(), path).send().await;
        assert_eq!(answer.status == 401, *guard == Raised, "{method} {path} -> {}", answer.status);
    }
    phone.register().await;
    phone.login_uaf().await;
    for (method, path, ..) in rows() {
        let answer = phone.client().call(Method::from_bytes(method.as_bytes()).unwrap(), path).send().await;
        assert!(![401, 403, 405].contains(&answer.status), "{method} {path} -> {}", answer.status);
    }
}

/// A row that is added has to be written down here too, or it would be tried by nobody.
#[tokio::test]
async fn each_row_of_the_product_is_written_down_here() {
    let gateway = Gateway::standalone(&[]).await;
    let served: BTreeSet<_> = gateway
        .rows()
        .into_iter()
        .map(|row| (row.method, row.path, row.listeners, Guard::of(&row.protection)))
        .collect();
    let canonical = |path: &str| {
        let path = path.replace("/nevisfido/dispatch/", "/nevisfido/token/dispatch/").replace("abc", "{id}");
        path.replace("/jwks/shop", "/jwks/{upstream}")
    };
    let written: BTreeSet<_> = ROWS
        .iter()
        .map(|(method, path, on, guard)| {
            let on = on.iter().map(ToString::to_string).collect();
            ((*method).to_owned(), canonical(path), on, *guard)
        })
        .collect();
    assert_eq!(served, written);
}

/// Methods and paths of `/openapi.json`, with who is let in: the same table once more, for programs.
#[tokio::test]
async fn the_description_of_the_interface_has_each_row() {
    let gateway = Gateway::standalone(&[]).await;
    let document = gateway.management().get("/openapi.json").send().await.expect(200).json();
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let demands = !operation["security"].as_array().unwrap().is_empty();
            described.insert((method.to_ascii_uppercase(), path.clone(), demands));
            for scheme in operation["security"].as_array().unwrap().iter().flat_map(|one| one.as_object().unwrap()) {
                assert!(document["components"]["securitySchemes"][scheme.0].is_object(), "{method} {path}: {scheme:?}");
            }
        }
    }
    let served = gateway.rows().into_iter();
    let rows = served.map(|row| {
        let demands = Guard::of(&row.protection) != Open;
        (row.method, row.path, demands)
    });
    assert_eq!(described, rows.collect());
    let target = &document["paths"]["/nevisfido/token/dispatch/targets/{id}"];
    assert_eq!(target["patch"]["requestBody"]["content"], serde_json::json!({ "application/jose": {} }));
    assert_eq!(target["patch"]["parameters"][0]["name"], "id");
    gateway.public().get("/openapi.json").send().await.problem(404);
}

#[tokio::test]
async fn nothing_else_exists() {
    let gateway = Gateway::standalone(&[]).await;
    for client in [gateway.public(), gateway.public_http2(), gateway.internal(), gateway.management()] {
        for path in NOWHERE {
            for method in [Method::GET, Method::POST] {
                client.call(method, path).send().await.problem(404);
            }
        }
    }
}

#[tokio::test]
async fn a_browser_at_an_unknown_address_gets_a_page() {
    let gateway = Setup::default().tls().start().await;
    let secure = gateway.public_tls();
    for client in [&gateway.public(), &gateway.public_http2(), &secure] {
        for path in ["/", "/nevisfido/unknown?echo", "/echo/%3Cb%3E"] {
            let answer = client.get(path).header(HTML.0, HTML.1).send().await.expect(404);
            let text = answer.text();
            assert!(text.contains("<h1>Not found</h1>") && !text.contains("echo"), "{text}");
            for (name, value) in [
                ("content-type", "text/html; charset=utf-8"),
                ("cache-control", "no-store"),
                ("x-frame-options", "DENY"),
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "same-origin"),
            ] {
                assert_eq!(answer.header(name), Some(value));
            }
            assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
            assert!(answer.header("x-request-id").is_some() && answer.set_cookie().is_none());
        }
    }
    assert!(secure.get("/").header(HTML.0, HTML.1).send().await.header("strict-transport-security").is_some());
    for other in [gateway.internal_as_nobody(), gateway.management()] {
        other.get("/").header(HTML.0, HTML.1).send().await.problem(404);
    }
    gateway.public().get("/").header("accept", "*/*").send().await.problem(404);
}

#[tokio::test]
async fn an_internal_bearer_is_nobody_on_the_public_listener() {
    let gateway = Gateway::standalone(&[]).await;
    let token = std::fs::read_to_string(gateway.data().join("internal.token")).unwrap();
    let client = gateway.public().bearer(token.trim());
    let path = "/nevisfido/token/dispatch/targets";
    client.get(&format!("{path}?username=demo")).send().await.problem(405);
    client.json(path, &serde_json::json!({"name": "n", "username": "demo"})).await.problem(401);
    gateway
        .internal_as_nobody()
        .bearer("not-the-right-bearer")
        .get(&format!("{path}?username=demo"))
        .send()
        .await
        .problem(401);
}

/// A gateway before this server with a filter for whoever is logged in, and rows to it: name, path, filters, more keys.
async fn with_rows(upstream: &Upstream, rows: &[(&str, &str, &str, &str)]) -> Gateway {
    let rows = rows.iter().map(|(name, path, filters, more)| {
        format!("  - {{name: {name}, path: '{path}', methods: [GET], filters: [{filters}], upstream: shop{more}}}\n")
    });
    let setup = format!(
        "upstreams:\n  shop: {{url: 'http://{}'}}\n\
         filters:\n  customers: {{type: identity-creation, domain: main}}\n\
         routes:\n{}",
        upstream.address,
        rows.collect::<String>()
    );
    Setup::default().append(setup).start().await
}

/// Every spelling that a row may allow.
const ALLOWING: &str = ", allow: [empty-segments, parameters, encoded-slashes, double-encoding]";

#[tokio::test]
async fn what_a_row_allows_leads_past_no_stricter_one_whoever_mends_it_behind() {
    let upstream = Upstream::start().await;
    let rows = [("pay", "/shop/pay/*", "customers", ""), ("shop", "/shop/*", "", ALLOWING)];
    let gateway = with_rows(&upstream, &rows).await;
    for path in
        ["/shop//pay/1", "/shop/pay;x/1", "/shop/pay%2F1", "/shop%5Cpay/1", "/shop/pay%252F1", "/shop/p%2561y/1"]
    {
        for client in [gateway.public(), gateway.public_http2()] {
            client.get(path).send().await.problem(400);
        }
    }
    assert!(upstream.received().is_empty());
    gateway.public().get("/shop/pay/1").send().await.problem(401);
    gateway.public().get("/shop//cart;a=b/c%2Fd").send().await.expect(200);
    assert_eq!(upstream.received().len(), 1);
}

#[tokio::test]
async fn what_a_row_allows_is_never_part_of_an_id() {
    let upstream = Upstream::start().await;
    let rows = [("item", "/shop/{id}", "", ALLOWING), ("part", "/shop/{id}/parts/{part}", "", ALLOWING)];
    let gateway = with_rows(&upstream, &rows).await;
    for client in [gateway.public(), gateway.public_http2()] {
        for id in ["a%2Fb", "a%5Cb", "a%252Fb", "a;b=c", "a%2fparts%2Fb", "%2F", ";", "%2561"] {
            for path in [format!("/shop/{id}"), format!("/shop/1/parts/{id}"), format!("/shop/{id}/parts/1")] {
                let answer = client.get(&path).send().await;
                assert!([400, 404].contains(&answer.status), "{path}: {}", answer.status);
            }
        }
        client.get("/shop//parts/1").send().await.problem(400);
        assert!(upstream.received().is_empty(), "{:?}", upstream.heads());
        client.get("/shop/a%2Db").send().await.expect(200);
        assert!(upstream.received()[0].head.starts_with("GET /shop/a-b HTTP/1.1\r\n"));
        upstream.forget();
    }
}

#[tokio::test]
async fn letters_in_any_case_lead_to_a_row_that_says_so_and_past_none_that_minds_them() {
    let upstream = Upstream::start().await;
    let any_case = ", ignore-case: true";
    let rows = [
        ("pay", "/shop/pay/*", "customers", ""),
        ("own", "/shop/own/*", "customers", any_case),
        ("over", "/shop/%C3%BCber/*", "customers", ""),
        ("account", "/shop/konto/*", "customers", ""),
        ("shop", "/shop/*", "", any_case),
        ("rest", "/rest/*", "", ""),
    ];
    let gateway = with_rows(&upstream, &rows).await;
    for client in [gateway.public(), gateway.public_http2()] {
        for (path, status) in [
            ("/shop/pay/1", 401),
            ("/SHOP/OWN/1", 401),
            ("/Shop/pay/1", 400),
            ("/shop/PAY/1", 400),
            ("/shop/p%41y/1", 400),
            ("/shop/%C3%BCber/1", 401),
            ("/shop/%C3%9Cber/1", 400),
            ("/shop/%E2%84%AAonto/1", 400),
            ("/Rest/1", 404),
        ] {
            client.get(path).send().await.problem(status);
        }
        assert!(upstream.received().is_empty());
        client.get("/SHOP/%43art").send().await.expect(200);
        assert!(upstream.received()[0].head.starts_with("GET /SHOP/Cart HTTP/1.1\r\n"));
        upstream.forget();
    }
}
