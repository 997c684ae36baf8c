//! Media types and the order of checks (`http-api.md` 0.1).

use http::Method;
use serde_json::json;

use crate::support::gateway::Gateway;
use crate::support::http::{JSON, Request, UAF};

const STATUS: &str = "/nevisfido/status";
const TARGETS: &str = "/nevisfido/token/dispatch/targets";

fn large() -> Vec<u8> {
    vec![b'{'; 65 * 1024]
}

/// Each request is wrong in everything that comes later, so each answer shows which check came first.
#[tokio::test]
async fn the_first_failure_answers() {
    let gateway = Gateway::standalone(&[]).await;
    let client = gateway.public();
    let wrong = |method, path| {
        let request = client.call(method, path).header("content-type", "text/plain").header("accept", "image/png");
        request.body(large())
    };
    wrong(Method::PUT, "/nevisfido/nothing/here").send().await.problem(404);
    let answer = wrong(Method::PUT, TARGETS).send().await;
    assert!(answer.header("allow").is_some_and(|allow| allow.contains("POST")), "{:?}", answer.headers);
    answer.problem(405);
    wrong(Method::POST, TARGETS).send().await.problem(401);
    wrong(Method::POST, STATUS).send().await.problem(415);
    let json = |accept| client.post(STATUS).header("content-type", JSON).header("accept", accept);
    json("image/png").body(large()).send().await.problem(406);
    json(JSON).body(large()).send().await.problem(413);
    json(JSON).body("{").send().await.problem(400);
    json(JSON).body(r#"{"sessionId":"x"}"#).send().await.expect(200);
}

#[tokio::test]
async fn web_pages_of_others_get_no_message_of_uaf() {
    let gateway = Gateway::standalone(&[]).await;
    let client = gateway.public();
    let path = "/nevisfido/uaf/1.1/request/authentication";
    let foreign = |method| client.call(method, path).header("origin", "https://elsewhere.example");
    let asking = |request: Request| request.header("access-control-request-method", "POST");
    let simple = foreign(Method::POST).header("content-type", "text/plain").body("{}").send().await;
    let forbidden = asking(foreign(Method::POST).uaf(&json!({}))).send().await;
    let preflight = asking(foreign(Method::OPTIONS)).send().await;
    let plain = foreign(Method::POST).uaf(&json!({})).send().await.expect(200);
    for (answer, status) in [(&simple, 415), (&forbidden, 403), (&preflight, 405), (&plain, 200)] {
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn outer_bodies_are_strict_and_unknown_members_are_ignored() {
    let gateway = Gateway::standalone(&[]).await;
    let client = gateway.public();
    let status = |body: &'static str| client.post(STATUS).header("content-type", JSON).body(body);
    for bad in [
        "",
        "null",
        "[]",
        "\"x\"",
        "{}",
        r#"{"sessionId":7}"#,
        r#"{"sessionId":"x","sessionId":"x"}"#,
        r#"{"sessionId":"x"} {}"#,
        r#"{"sessionId":"x""#,
        r#"{'sessionId':'x'}"#,
    ] {
        let detail = status(bad).send().await.problem(400);
        assert!(!detail.is_empty(), "{bad}");
    }
    status(r#"{"sessionId":"x","else":{"deep":[1]}}"#).send().await.expect(200);
    client
        .post(STATUS)
        .header("content-type", JSON)
        .body(b"{\"sessionId\":\"\xff\"}".to_vec())
        .send()
        .await
        .problem(400);
}

#[tokio::test]
async fn charset_and_accept_may_be_left_out() {
    let gateway = Gateway::standalone(&[]).await;
    let client = gateway.public();
    for content_type in [JSON, "application/json;charset=UTF-8", "application/json; charset=utf-8", "Application/JSON"]
    {
        for accept in [None, Some("*/*"), Some("application/*"), Some(JSON), Some("text/html, application/json;q=0.5")]
        {
            let request = client.post(STATUS).header("content-type", content_type).body(r#"{"sessionId":"x"}"#);
            let request = accept.into_iter().fold(request, |request, accept| request.header("accept", accept));
            let answer = request.send().await.expect(200);
            assert_eq!(answer.media_type(), JSON);
        }
    }
    client.post(STATUS).body(r#"{"sessionId":"x"}"#).send().await.problem(415);
    let refused = client.post(STATUS).header("content-type", JSON).header("accept", "application/json;q=0");
    refused.body(r#"{"sessionId":"x"}"#).send().await.problem(406);
}

#[tokio::test]
async fn each_endpoint_has_its_media_types() {
    let gateway = Gateway::standalone(&[]).await;
    let client = gateway.public();
    let redeem = "/nevisfido/token/redeem/authentication";
    let answer = client.json(redeem, &json!({"token": "x"})).await;
    assert_eq!(answer.expect(200).media_type(), "application/fido+uaf;charset=UTF-8");
    let json_only = client.post(redeem).json(&json!({"token": "x"})).header("accept", JSON);
    json_only.send().await.problem(406);
    client.uaf(redeem, &json!({"token": "x"})).await.problem(415);

    for path in ["/nevisfido/uaf/1.1/request/authentication", "/nevisfido/uaf/1.1/authentication"] {
        client.json(path, &json!({})).await.problem(415);
    }
    let create = "/nevisfido/token/create/authentication";
    client.json(create, &json!({"context": "{}"})).await.problem(415);
    let created = client.post(create).header("content-type", UAF).body(r#"{"context":"{}"}"#).send().await;
    assert_eq!(created.expect(200).media_type(), JSON);
    client.uaf(create, &json!({"context": "{}"})).await.problem(406);

    for accept in [JSON, UAF] {
        let request = client.post("/auth/fidouaf").json(&json!({})).header("accept", accept);
        let answer = request.send().await.expect(200);
        assert_eq!(answer.media_type(), "application/fido+uaf;charset=UTF-8");
    }
    let facets = client.get("/nevisfido/uaf/1.1/facets").send().await.expect(200);
    assert_eq!(facets.media_type(), "application/fido.trusted-apps+json");
    let lists = facets.json();
    let versions: Vec<_> = lists["trustedFacets"].as_array().unwrap().iter().map(|list| &list["version"]).collect();
    assert_eq!(versions, [&json!({"major": 1, "minor": 1}), &json!({"major": 1, "minor": 0})]);
    assert!(lists["trustedFacets"][0]["ids"].as_array().unwrap().contains(&json!(client.base())), "{lists}");
}

#[tokio::test]
async fn inner_uaf_text_is_answered_in_uaf() {
    let gateway = Gateway::standalone(&[]).await;
    let client = gateway.public();
    for path in ["/nevisfido/uaf/1.1/authentication", "/nevisfido/uaf/1.1/registration"] {
        for inner in ["", "no json", "{}", "[]", "[1]", "[{}]"] {
            let answer = client.uaf(path, &json!({"uafResponse": inner})).await;
            let code = answer.expect(200).json()["statusCode"].as_u64().unwrap();
            assert!([1400, 1498].contains(&code), "{path} {inner}: {code}");
        }
        client.uaf(path, &json!({"uafResponse": "no json"})).await.uaf_code(1400);
        client.uaf(path, &json!({})).await.problem(400);
        client.uaf(path, &json!({"uafResponse": []})).await.problem(400);
    }
}
