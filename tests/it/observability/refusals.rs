//! Why a request was refused, and who sent it, is in its line: what refused it, and a word of a closed set.

use http::Method;
use serde_json::{Value, json};
use sidegate_filters::Reason;

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, HTML};
use crate::support::logs::access_line;
use crate::support::phone::Phone;
use crate::support::upstream::Upstream;

const FILTERS: &str = "  known: {type: identity-creation, domain: main}
  strong: {type: identity-creation, domain: main, level: 2}
  by-key: {type: identity-creation, domain: main, realms: [fido-uaf]}
  near: {type: ip-list, deny: [127.0.0.2/32]}
  far: {type: ip-list, deny: [127.0.0.1/32]}
  slow: {type: rate-limit, per: address, burst: 1, every: 1h}
";
const ROWS: [(&str, &str); 5] =
    [("known", "known"), ("strong", "strong"), ("by-key", "by-key"), ("listed", "near, far"), ("slow", "slow")];

/// A shop with a row for each chain.
async fn shop(upstream: &Upstream) -> Gateway {
    let row = |(name, chain): (&str, &str)| {
        format!("  - {{name: {name}, path: '/{name}/*', methods: [GET], filters: [{chain}], upstream: shop}}\n")
    };
    let rows = ROWS.map(row).concat();
    let upstreams = format!("upstreams:\n  shop: {{url: \"http://{}\"}}\n", upstream.address);
    Setup::default().append(format!("{upstreams}filters:\n{FILTERS}routes:\n{rows}")).user("jeff").start().await
}

/// `refused_by`, `reason`, `caller` and `user` of an answer's line.
async fn told(gateway: &Gateway, answer: &Answer) -> [Value; 4] {
    let line = access_line(gateway, answer).await;
    ["refused_by", "reason", "caller", "user"].map(|member| line[member].clone())
}

fn by(filter: &str, reason: &str) -> [Value; 4] {
    [json!(filter), json!(reason), json!("anonymous"), Value::Null]
}

#[tokio::test]
async fn the_line_of_a_refusal_names_the_filter_or_the_stage_and_the_reason() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream).await;
    let public = gateway.public();
    for (answer, status, expected) in [
        (public.get("/known/a").send().await, 401, by("known", "no-credential")),
        (public.get("/known/a").header(HTML.0, HTML.1).send().await, 401, by("known", "no-credential")),
        (public.get("/listed/a").send().await, 403, by("far", "address")),
        (public.elsewhere().get("/listed/a").send().await, 403, by("near", "address")),
        (public.get("/slow/a").send().await, 200, [Value::Null, Value::Null, json!("anonymous"), Value::Null]),
        (public.get("/slow/a").send().await, 429, by("slow", "too-many")),
    ] {
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(told(&gateway, &answer).await, expected, "{}", answer.text());
    }
    for (answer, status, stage, reason) in [
        (public.get("/nowhere").send().await, 404, "route", "not-found"),
        (public.get("/nowhere").header(HTML.0, HTML.1).send().await, 404, "route", "not-found"),
        (public.call(Method::DELETE, "/known/a").send().await, 405, "route", "method"),
        (public.get("/known//a").send().await, 400, "route", "path-spelling"),
        (public.get("/known/%2").send().await, 400, "head", "path-spelling"),
        (public.get("/known/a").header("expect", "a-wonder").send().await, 417, "head", "expectation"),
        (public.get("/known/a").header("connection", "cookie").send().await, 400, "head", "malformed"),
    ] {
        assert_eq!(answer.status, status, "{}", answer.text());
        let expected = [json!(stage), json!(reason), json!("-"), Value::Null];
        assert_eq!(told(&gateway, &answer).await, expected, "{}", answer.text());
    }
}

#[tokio::test]
async fn what_stops_a_request_behind_its_filters_is_told_as_well() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream).await;
    let public = gateway.public();
    let elsewhere = public.elsewhere().get("/slow/a").body("a body").send().await.expect(400);
    assert_eq!(told(&gateway, &elsewhere).await, by("body", "body"));
    let text = public.post("/nevisfido/status").header("content-type", "text/plain").body("x").send().await;
    assert_eq!(told(&gateway, &text.expect(415)).await, by("media", "media-type"));
    let broken = public.post("/nevisfido/status").header("content-type", "application/json").body("{").send().await;
    assert_eq!(told(&gateway, &broken.expect(400)).await, by("service", "malformed"));
    let good = public.json("/nevisfido/status", &json!({"sessionId": "x"})).await.expect(200);
    assert_eq!(told(&gateway, &good).await, [Value::Null, Value::Null, json!("anonymous"), Value::Null]);
}

#[tokio::test]
async fn a_session_that_does_not_do_is_its_users_and_one_that_has_ended_is_nobodys() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream).await;
    let mut jeff = Phone::new(&gateway, "jeff");
    jeff.login_password().await;
    let client = jeff.client();
    let user = json!(jeff.ext_id());
    for (path, reason) in [("/strong/a", "level"), ("/by-key/a", "realm")] {
        let weak = client.get(path).send().await.expect(401);
        let expected = [json!(path[1..].split('/').next()), json!(reason), json!("user"), user.clone()];
        assert_eq!(told(&gateway, &weak).await, expected);
    }
    let good = client.get("/known/a").send().await.expect(200);
    let line = access_line(&gateway, &good).await;
    assert_eq!((&line["upstream"], &line["server"]), (&json!("shop"), &json!(upstream.address.to_string())));
    assert!(line["upstream_micros"].as_u64().is_some_and(|took| Some(took) <= line["micros"].as_u64()), "{line}");
    assert_eq!(line["address"], gateway.address("public").to_string());
    assert_eq!(told(&gateway, &good).await, [Value::Null, Value::Null, json!("user"), user]);
    client.post("/auth/logout").send().await;
    let over = client.get("/known/a").send().await.expect(401);
    assert_eq!(told(&gateway, &over).await, by("known", "session-ended"));
}

#[test]
fn every_word_is_in_the_handbook() {
    let handbook = include_str!("../../../docs/operations.md");
    let missing: Vec<_> = Reason::ALL
        .iter()
        .map(|reason| reason.word())
        .filter(|word| !handbook.contains(&format!("`{word}`")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
