//! Every row of the server behind: whom it lets in, and what the server learns.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use super::House;
use crate::support::gateway::Row;
use crate::support::http::{Client, JOSE, UAF};
use crate::support::independent_jose::verify;
use crate::support::oob::context;
use crate::support::wait;

/// What a row of the sample demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Guard {
    Open,
    Session,
    Internal,
    Signature,
}
use Guard::{Internal, Open, Session, Signature};

const TARGET: &str = "6e4b9c0a-51c4-4e9c-a9ba-9d5f4a8a0b11";

/// Written down once more, from the contract and the sample and not from the product.
const ROWS: &[(&str, &str, Guard)] = &[
    ("POST", "uaf/1.1/request/registration", Session),
    ("POST", "uaf/1.1/request/deregistration", Session),
    ("POST", "uaf/1.1/request/authentication", Open),
    ("POST", "uaf/1.1/registration", Open),
    ("POST", "uaf/1.1/authentication", Open),
    ("GET", "uaf/1.1/facets", Open),
    ("POST", "token/dispatch/authentication", Open),
    ("POST", "token/dispatch/registration", Session),
    ("POST", "token/dispatch/deregistration", Session),
    ("GET", "token/dispatch/targets?username=jeff", Internal),
    ("POST", "token/dispatch/targets", Session),
    ("POST", "dispatch/targets", Session),
    ("PATCH", "token/dispatch/targets/6e4b9c0a-51c4-4e9c-a9ba-9d5f4a8a0b11", Signature),
    ("DELETE", "token/dispatch/targets/6e4b9c0a-51c4-4e9c-a9ba-9d5f4a8a0b11", Session),
    ("POST", "token/create/registration", Session),
    ("POST", "token/create/authentication", Open),
    ("POST", "token/create/deregistration", Session),
    ("POST", "token/redeem/registration", Open),
    ("POST", "token/redeem/authentication", Open),
    ("POST", "token/redeem/deregistration", Open),
    ("POST", "status", Open),
];

/// The path as `explain` spells it.
fn pattern(path: &str) -> String {
    let path = path.split('?').next().unwrap().replace(TARGET, "{id}");
    format!(
        "/nevisfido/{}",
        path.strip_prefix("dispatch/").map_or(path.clone(), |rest| format!("token/dispatch/{rest}"))
    )
}

/// A row that is added has to be written down here too, or it would be tried by nobody.
#[tokio::test]
async fn each_row_of_the_server_is_written_down_here() {
    let house = House::open().await;
    let fronted = house.gateway.rows().into_iter().filter(|row| row.leads_to == "upstream fido-server");
    let guard = |row: &Row| match row.protection.as_str() {
        "open" => Open,
        "session" => Session,
        "internal" => Internal,
        "jws-bypass" => Signature,
        other => panic!("{other} on {}", row.path),
    };
    let served: BTreeSet<_> = fronted.map(|row| (row.method.clone(), row.path.clone(), guard(&row))).collect();
    let written = ROWS.iter().map(|(method, path, guard)| ((*method).to_owned(), pattern(path), *guard)).collect();
    assert_eq!(served, written);
}

/// An answer, or a body that names jeff wherever a row may look for the name.
fn body(path: &str) -> Value {
    let jeff = context(&json!({"username": "jeff"}));
    let answer = |op: &str| json!({"uafResponse": json!([{"header": {"op": op}}]).to_string(), "context": jeff});
    match path {
        "uaf/1.1/registration" => answer("Reg"),
        "uaf/1.1/authentication" => answer("Auth"),
        _ => json!({"username": "jeff", "context": jeff, "getUafRequest": {"context": jeff}}),
    }
}

async fn call(client: &Client, method: &str, path: &str, eve: bool) -> u16 {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = client.call(method.clone(), &format!("/nevisfido/{path}"));
    if eve {
        request = request.header("x-user", "eve").header("x_user", "eve").header("x-caller", "eve");
    }
    let request = match method {
        Method::POST => request.header("content-type", UAF).body(body(path).to_string()),
        Method::PATCH => request.header("content-type", JOSE).body("no.signature.there"),
        _ => request,
    };
    request.send().await.status
}

#[tokio::test]
async fn nothing_arrives_on_a_protected_row_without_a_session() {
    let house = House::open().await;
    let public = house.gateway.public();
    let made_up = public.cookie("sidegate-main=bWFkZS11cC1zZXNzaW9uLXdpdGgtZW5vdWdoLWxldHRlcnM");
    for (method, path, guard) in ROWS.iter().filter(|row| row.2 != Open) {
        let clients = [
            public.clone(),
            house.gateway.public_http2(),
            made_up.clone(),
            public.bearer("the-bearer-of-nobody-at-all"),
        ];
        for client in clients {
            for eve in [false, true] {
                let status = call(&client, method, path, eve).await;
                let expected = match guard {
                    Signature => 400,
                    Internal => 405,
                    _ => 401,
                };
                assert_eq!(status, expected, "{method} {path}");
            }
        }
        let status = call(&house.gateway.internal_as_nobody(), method, path, true).await;
        assert_eq!(status, if *guard == Signature { 400 } else { 401 }, "{method} {path}");
    }
    assert!(house.upstream.received().is_empty(), "{:#?}", house.upstream.received());
}

#[tokio::test]
async fn the_server_learns_who_it_is_on_every_row_and_nothing_of_strangers() {
    let house = House::open().await;
    let jeff = house.jeff().await;
    let mut tokens = Vec::new();
    for (method, path, guard) in ROWS.iter().filter(|row| matches!(row.2, Open | Session)) {
        for client in [Some(jeff.client()), (*guard == Open).then(|| house.gateway.public())].into_iter().flatten() {
            let (before, is_jeff) = (house.upstream.received().len(), tokens.len());
            assert_eq!(call(&client, method, path, true).await, 200, "{method} {path}");
            let arrived = house.arrived_since(before).unwrap_or_else(|| panic!("{method} {path} did not arrive"));
            let canonical = path.replace("dispatch/targets", "token/dispatch/targets").replace("token/token", "token");
            assert!(arrived.head.starts_with(&format!("{method} /nevisfido/{canonical} ")), "{}", arrived.head);
            assert!(!arrived.head.contains("eve") && !arrived.head.contains("sidegate-main"), "{}", arrived.head);
            tokens.extend(arrived.values("authorization").first().map(ToString::to_string));
            // Facets are the same for everybody, so nobody is asked who they are.
            let named = is_jeff < tokens.len();
            let expected: &[&str] = if named { &[jeff.ext_id()] } else { &[] };
            assert_eq!(arrived.values("x-user"), expected, "{method} {path}");
            assert!(arrived.values("x-caller").is_empty(), "{}", arrived.head);
            assert!(named || *guard == Open, "{method} {path}");
            if *method == "POST" {
                assert_eq!(arrived.body, body(path).to_string().into_bytes());
            }
        }
    }
    // The facets alone ask nobody.
    assert_eq!(tokens.len(), ROWS.iter().filter(|row| matches!(row.2, Open | Session)).count() - 1);
    let keys = house.gateway.public().get("/.well-known/jwks.json").send().await.expect(200).json();
    for token in tokens.iter().map(|token| token.strip_prefix("Bearer ").unwrap()).collect::<BTreeSet<_>>() {
        house.gateway.secrets().add("SecToken", token.rsplit('.').next().unwrap());
        let (_, claims) = verify(&keys, token);
        assert_eq!((&claims["aud"], &claims["sub"]), (&json!("fido-server"), &json!(jeff.ext_id())));
    }
}

#[tokio::test]
async fn an_internal_caller_acts_for_a_user_by_its_name_and_its_bearer_stays_here() {
    let house = House::open().await;
    let shop = house.gateway.internal();
    for (method, path, guard) in ROWS.iter().filter(|row| row.2 != Signature) {
        let before = house.upstream.received().len();
        assert_eq!(call(&shop, method, path, true).await, 200, "{method} {path}");
        let arrived = house.arrived_since(before).unwrap();
        assert!(arrived.values("authorization").is_empty() && arrived.values("x-user").is_empty(), "{}", arrived.head);
        // Facets are the same for everybody, so nobody is asked who they are.
        let told: &[&str] = if path.ends_with("facets") { &[] } else { &["internal"] };
        assert_eq!(arrived.values("x-caller"), told, "{method} {path}");
        assert!(*guard != Internal || arrived.head.contains("?username=jeff"), "{}", arrived.head);
    }
    // Seven rows name a user, one of them by two paths.
    let told = async || (house.gateway.log().matches(r#""event":"act-for""#).count() == 8).then_some(());
    wait::until("each act for a user is in the log", wait::BOUND, told).await;
}

#[tokio::test]
async fn where_nothing_gives_a_level_only_internal_callers_pass() {
    let routes = "routes: [{name: target-delete, protection: session}]";
    let house = House::with(|setup| setup.append(routes)).await;
    let jeff = house.jeff().await;
    let path = "token/dispatch/targets";
    assert_eq!(call(&jeff.client(), "POST", path, false).await, 401);
    assert!(house.upstream.received().is_empty());
    assert_eq!(call(&house.gateway.internal(), "POST", path, false).await, 200);
    assert_eq!(call(&jeff.client(), "DELETE", &format!("{path}/{TARGET}"), false).await, 200);
}
