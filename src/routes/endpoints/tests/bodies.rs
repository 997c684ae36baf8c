//! The outer body of every endpoint that takes one (`http-api.md` 0.1): what is wrong is 400 and named.

use std::sync::Arc;

use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use sidegate_filters::Caller;

use super::super::{
    CreateEndpoint, CreateTargetEndpoint, DispatchEndpoint, FidoLoginRequestEndpoint, FidoLoginResponseEndpoint,
    RedeemEndpoint, StatusEndpoint, UafRequestEndpoint, UafResponseEndpoint,
};
use super::{problem, request, send};
use crate::oob::testing::House;
use crate::routes::Endpoint;
use crate::store::operation::OperationKind::Auth;

/// Every endpoint with a JSON body, and a body that it takes.
fn endpoint(house: &House, name: &str) -> (Arc<dyn Endpoint>, Value) {
    let uaf = json!({"context": "{\"username\":\"jeff\"}", "op": "Auth"});
    match name {
        "dispatch" => (
            Arc::new(DispatchEndpoint::new(Arc::clone(&house.tokens), Auth, false)),
            json!({"dispatcher": "link", "getUafRequest": uaf}),
        ),
        "create" => (Arc::new(CreateEndpoint::new(Arc::clone(&house.tokens), Auth, false)), uaf),
        "redeem" => (Arc::new(RedeemEndpoint::new(Arc::clone(&house.redeem), Auth)), json!({"token": "any"})),
        "status" => (Arc::new(StatusEndpoint::new(Arc::clone(&house.statuses))), json!({"sessionId": "any"})),
        "uaf-request" => (Arc::new(UafRequestEndpoint::new(Arc::clone(&house.requests), Auth, false)), uaf),
        "uaf-registration" => {
            (Arc::new(UafResponseEndpoint::registration(Arc::clone(&house.fido))), json!({"uafResponse": "any"}))
        }
        "uaf-authentication" => {
            (Arc::new(UafResponseEndpoint::authentication(Arc::clone(&house.fido))), json!({"uafResponse": "any"}))
        }
        "login" => (
            Arc::new(FidoLoginRequestEndpoint::new(Arc::clone(&house.requests), house.domain.throttle(9))),
            json!({"username": "jeff"}),
        ),
        "login-response" => {
            let realm = house.fido_uaf(false, house.domain.throttle(9));
            (Arc::new(FidoLoginResponseEndpoint::new(Arc::new(realm))), json!({"uafResponse": "any"}))
        }
        other => panic!("{other}"),
    }
}

#[rstest]
#[tokio::test]
async fn what_is_no_object_is_refused_everywhere(
    #[values(
        "dispatch",
        "create",
        "redeem",
        "status",
        "uaf-request",
        "uaf-registration",
        "uaf-authentication",
        "login",
        "login-response"
    )]
    name: &str,
) {
    let house = House::new();
    let (endpoint, good) = endpoint(&house, name);
    let good = good.to_string();
    let inside = good.strip_prefix('{').unwrap();
    let (first, _) = inside.split_once(':').unwrap();
    assert_eq!(send(&*endpoint, request(&Caller::Anonymous, good.clone())).await.status(), StatusCode::OK, "{good}");
    for (bad, detail) in [
        (String::new(), "not JSON"),
        ("no json".to_owned(), "not JSON"),
        ("[]".to_owned(), "must be a JSON object"),
        ("null".to_owned(), "must be a JSON object"),
        (format!("{good} x"), "not JSON"),
        (format!("{good}{good}"), "not JSON"),
        (format!("{{{first}:1,{inside}"), "twice"),
        (format!(r#"{{"unknown":{{"a":1,"a":2}},{inside}"#), "twice"),
    ] {
        let (status, found) = problem(&*endpoint, request(&Caller::Anonymous, bad.clone())).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{bad}");
        assert!(found.contains(detail), "{bad}: {found}");
    }
    let more = format!(r#"{{"unknown":[null,{{}}],{inside}"#);
    assert_eq!(send(&*endpoint, request(&Caller::Anonymous, more)).await.status(), StatusCode::OK);
}

#[rstest]
#[case("dispatch", json!({"dispatcher": "link"}), "getUafRequest")]
#[case("dispatch", json!({"dispatcher": "link", "getUafRequest": "x"}), "getUafRequest")]
#[case("dispatch", json!({"dispatcher": 1, "getUafRequest": {}}), "dispatcher")]
#[case("dispatch", json!({"dispatcher": ["link"], "getUafRequest": {}}), "dispatcher")]
#[case("dispatch", json!({"dispatchTargetId": {}, "getUafRequest": {}}), "dispatchTargetId")]
#[case("dispatch", json!({"dispatcher": "link", "dispatchInformation": [], "getUafRequest": {}}), "dispatchInformation")]
#[case(
    "dispatch",
    json!({"dispatcher": "link", "dispatchInformation": {"data": "x"}, "getUafRequest": {}}),
    "dispatchInformation.data"
)]
#[case(
    "dispatch",
    json!({"dispatcher": "link", "dispatchInformation": {"data": {"token": "x"}}, "getUafRequest": {}}),
    "dispatchInformation.data"
)]
#[case("dispatch", json!({"dispatcher": "link", "getUafRequest": {"op": "Reg"}}), "getUafRequest.op")]
#[case("dispatch", json!({"dispatcher": "link", "getUafRequest": {"op": "auth"}}), "getUafRequest.op")]
#[case("dispatch", json!({"dispatcher": "link", "getUafRequest": {"context": {}}}), "getUafRequest.context")]
#[case("dispatch", json!({"dispatcher": "link", "getUafRequest": {"context": "x"}}), "context")]
#[case("dispatch", json!({"getUafRequest": {}}), "dispatcher")]
#[case("dispatch", json!({"dispatcher": "link", "numberMatching": true, "getUafRequest": {}}), "numberMatching")]
#[case("create", json!({"op": "Dereg"}), "op")]
#[case("create", json!({"context": "{\"policy\":\"x\"}"}), "context.policy")]
#[case("redeem", json!({}), "token")]
#[case("redeem", json!({"token": 7}), "token")]
#[case("redeem", json!({"token": null}), "token")]
#[case("status", json!({}), "sessionId")]
#[case("status", json!({"sessionId": []}), "sessionId")]
#[case("uaf-request", json!({"op": 1}), "op")]
#[case("uaf-request", json!({"op": "Reg"}), "op")]
#[case("uaf-request", json!({"context": 1}), "context")]
#[case("uaf-request", json!({"context": "{\"transaction\":[{\"contentType\":\"image/gif\",\"content\":\"AA\"}]}"}), "context.transaction.contentType")]
#[case("uaf-registration", json!({}), "uafResponse")]
#[case("uaf-authentication", json!({"uafResponse": []}), "uafResponse")]
#[case("uaf-authentication", json!({"uafResponse": "x", "context": {}}), "context")]
#[case("login", json!({"username": 1}), "username")]
#[case("login-response", json!({"context": "{}"}), "uafResponse")]
#[tokio::test]
async fn the_member_at_fault_is_named(#[case] name: &str, #[case] bad: Value, #[case] member: &str) {
    let house = House::new();
    let (endpoint, _) = endpoint(&house, name);
    let (status, detail) = problem(&*endpoint, request(&Caller::Anonymous, bad.to_string())).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(detail.starts_with(&format!("{member}:")), "{detail}");
}

#[rstest]
#[case(json!({"dispatcher": "link", "signatureKey": {}, "encryptionKey": {}}), "name: missing")]
#[case(json!({"name": "a", "signatureKey": {}, "encryptionKey": {}}), "dispatcher: missing")]
#[case(json!({"name": "a", "dispatcher": "link", "encryptionKey": {}}), "signatureKey: missing")]
#[case(json!({"name": "a", "dispatcher": "link", "signatureKey": {}}), "encryptionKey: missing")]
#[case(json!({"name": 1, "dispatcher": "link", "signatureKey": {}, "encryptionKey": {}}), "name: of the wrong type")]
#[tokio::test]
async fn a_target_needs_its_members(#[case] bad: Value, #[case] expected: &str) {
    let house = House::new();
    let endpoint = CreateTargetEndpoint::new(Arc::clone(&house.targets));
    let (status, detail) = problem(&endpoint, request(&house.user("jeff").await, bad.to_string())).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(detail.starts_with(expected), "{detail}");
}

#[tokio::test]
async fn no_value_of_a_body_is_repeated() {
    let house = House::new();
    let (endpoint, _) = endpoint(&house, "redeem");
    for bad in [r#"{"token":["s3cret"]}"#, r#"{"token":"s3cret","token":"s3cret"}"#, r#"{"token":"s3cret""#] {
        let (_, detail) = problem(&*endpoint, request(&Caller::Anonymous, bad)).await;
        assert!(!detail.contains("s3cret"), "{detail}");
    }
}

#[tokio::test]
async fn an_absent_optional_member_may_be_null() {
    let house = House::new();
    let (endpoint, _) = endpoint(&house, "dispatch");
    let nulls = json!({
        "dispatcher": "link", "dispatchTargetId": null, "dispatchInformation": null,
        "getUafRequest": {"op": null, "context": null, "previousRequest": null},
    });
    assert_eq!(send(&*endpoint, request(&Caller::Anonymous, nulls.to_string())).await.status(), StatusCode::OK);
}
