//! The documented shapes of answers, and which refusal is which status.

use std::sync::Arc;

use http::{StatusCode, header};
use rstest::rstest;
use serde_json::{Value, json};
use sidegate_filters::{Caller, Exchange, Role};

use super::super::{
    CreateEndpoint, CreateTargetEndpoint, DeleteTargetEndpoint, DispatchEndpoint, FacetsEndpoint, ListTargetsEndpoint,
    ModifyTargetEndpoint, RedeemEndpoint, StatusEndpoint, UafRequestEndpoint, UafResponseEndpoint,
};
use super::{body, for_target, problem, request, send};
use crate::oob::testing::{Device, House, Plan, asker, internal, payload, relying_party};
use crate::store::operation::OperationKind::{self, Auth, Dereg, Reg};

const JEFF: &str = "{\"username\":\"jeff\"}";

fn members(value: &Value) -> Vec<&str> {
    let mut names: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// The examples of seed `link-dispatcher.txt`, as they stand there.
#[tokio::test]
async fn the_documented_dispatches() {
    let house = House::new();
    let jeff = house.user("jeff").await;
    let device = house.target("jeff", "link").await;
    let plain = r#"{
"dispatcher" : "link",
"dispatchInformation" : {
"data" : {
"attributeName" : "some additional data to be included in the link contents"
}
},
"getUafRequest" : {
"context" : "{\"username\":\"jeff\"}",
"op" : "Reg"
}
}"#;
    let endpoint = DispatchEndpoint::new(Arc::clone(&house.tokens), Reg, false);
    let response = send(&endpoint, request(&jeff, plain)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let answer = body(&response);
    assert_eq!(members(&answer), ["dispatchResult", "dispatcherInformation", "sessionId", "token"]);
    assert_eq!(answer["dispatchResult"], "dispatched");
    assert_eq!(answer["dispatcherInformation"]["name"], "link");
    let link = answer["dispatcherInformation"]["response"].as_str().unwrap();
    assert_eq!(payload(link)["nma_data"]["token"], answer["token"]);

    let encrypted = plain
        .replace(r#""op" : "Reg""#, r#""op" : "Auth""#)
        .replace(r#""dispatcher" :"#, &format!(r#""dispatchTargetId" : "{}", "dispatcher" :"#, device.id));
    let endpoint = DispatchEndpoint::new(Arc::clone(&house.tokens), Auth, false);
    let answer = body(&send(&endpoint, request(&jeff, encrypted)).await);
    let read = device.read(answer["dispatcherInformation"]["response"].as_str().unwrap());
    assert_eq!(read["attributeName"], "some additional data to be included in the link contents");
    assert_eq!(read["token"], answer["token"]);
}

#[tokio::test]
async fn what_was_not_dispatched_has_no_token() {
    let house = House::new();
    let endpoint = DispatchEndpoint::new(Arc::clone(&house.tokens), Auth, false);
    let response = send(&endpoint, request(&Caller::Anonymous, r#"{"dispatcher":"x","getUafRequest":{}}"#)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(body(&response), json!({"dispatchResult": "dispatcherNotFound"}));
}

#[tokio::test]
async fn create_redeem_and_status() {
    let house = House::new();
    house.phone("jeff").await;
    let create = CreateEndpoint::new(Arc::clone(&house.tokens), Auth, false);
    let created = body(&send(&create, request(&Caller::Anonymous, json!({"context": JEFF}).to_string())).await);
    assert_eq!(members(&created), ["sessionId", "token"]);
    assert_ne!(created["sessionId"], created["token"]);

    let status = StatusEndpoint::new(Arc::clone(&house.statuses));
    let asked = json!({"sessionId": created["sessionId"]}).to_string();
    let answer = body(&send(&status, request(&Caller::Anonymous, asked)).await);
    assert_eq!(members(&answer), ["status", "timestamp", "tokenInformation", "userId"]);

    let redeem = RedeemEndpoint::new(Arc::clone(&house.redeem), Auth);
    let token = json!({"token": created["token"]}).to_string();
    let response = send(&redeem, request(&Caller::Anonymous, token.clone())).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/fido+uaf;charset=UTF-8");
    let answer = body(&response);
    assert_eq!(members(&answer), ["lifetimeMillis", "op", "statusCode", "uafRequest"]);
    assert_eq!((answer["statusCode"].as_u64(), answer["op"].as_str()), (Some(1200), Some("Auth")));
    let again = send(&redeem, request(&Caller::Anonymous, token)).await;
    assert_eq!((again.status(), body(&again)), (StatusCode::OK, json!({"statusCode": 1403})));
}

#[rstest]
#[case(Reg)]
#[case(Dereg)]
#[tokio::test]
async fn nobody_gets_401_and_eve_403_for_what_is_jeffs(#[case] kind: OperationKind) {
    let house = House::new();
    house.phone("jeff").await;
    let eve = house.user("eve").await;
    let (tokens, requests) = (Arc::clone(&house.tokens), Arc::clone(&house.requests));
    let uaf = json!({"context": JEFF});
    let dispatch = json!({"dispatcher": "link", "getUafRequest": uaf}).to_string();
    for (endpoint, asked) in [
        (&DispatchEndpoint::new(Arc::clone(&tokens), kind, true) as &dyn crate::routes::Endpoint, dispatch),
        (&CreateEndpoint::new(tokens, kind, true), uaf.to_string()),
        (&UafRequestEndpoint::new(requests, kind, true), uaf.to_string()),
    ] {
        let nobody = send(endpoint, request(&Caller::Anonymous, asked.clone())).await;
        assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(nobody.headers()[header::WWW_AUTHENTICATE], "Bearer realm=\"main\"");
        assert_eq!(problem(endpoint, request(&eve, asked.clone())).await.0, StatusCode::FORBIDDEN);
        let bank = internal(&[]);
        assert_eq!(problem(endpoint, request(&bank, asked)).await.0, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn a_user_who_does_not_exist_is_a_result_of_uaf_or_a_403() {
    let house = House::new();
    let asked = json!({"context": "{\"username\":\"ghost\"}"}).to_string();
    let uaf = UafRequestEndpoint::new(Arc::clone(&house.requests), Auth, false);
    let response = send(&uaf, request(&Caller::Anonymous, asked.clone())).await;
    assert_eq!((response.status(), body(&response)), (StatusCode::OK, json!({"statusCode": 1404})));
    let create = CreateEndpoint::new(Arc::clone(&house.tokens), Auth, false);
    assert_eq!(problem(&create, request(&Caller::Anonymous, asked)).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_refused_uaf_answer_is_http_200() {
    let house = House::new();
    let endpoint = UafResponseEndpoint::authentication(Arc::clone(&house.fido));
    let response = send(&endpoint, request(&Caller::Anonymous, json!({"uafResponse": "no message"}).to_string())).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/fido+uaf;charset=UTF-8");
    assert_eq!(body(&response), json!({"statusCode": 1400}));
}

#[tokio::test]
async fn no_room_and_no_store_are_503() {
    let house = House::with(Plan { budget: 2_000, ..Plan::default() });
    let endpoint = CreateEndpoint::new(Arc::clone(&house.tokens), Auth, false);
    let asked = || request(&Caller::Anonymous, json!({"context": JEFF}).to_string());
    let full = send(&endpoint, asked()).await;
    assert_eq!(full.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(full.headers().contains_key(header::RETRY_AFTER));
    *house.users.up.lock().unwrap() = false;
    assert_eq!(problem(&endpoint, asked()).await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_target_from_creation_to_deletion() {
    let house = House::new();
    let (jeff, eve) = (house.user("jeff").await, house.user("eve").await);
    let device = Device::new();
    let new = json!({
        "name": "phone", "dispatcher": "link", "deviceId": "d", "target": "push-token",
        "signatureKey": device.signing.public_jwk(), "encryptionKey": device.decryption.public_jwk().to_string(),
    });
    let create = CreateTargetEndpoint::new(Arc::clone(&house.targets));
    let response = send(&create, request(&jeff, new.to_string())).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let created = body(&response);
    let id = created["id"].as_str().unwrap();
    assert_eq!(created, json!({"id": id, "extId": id}));
    assert_eq!(response.headers()[header::LOCATION], format!("/nevisfido/token/dispatch/targets/{id}"));
    let again = problem(&create, request(&jeff, new.to_string())).await;
    assert_eq!(again.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem(&create, request(&Caller::Anonymous, new.to_string())).await.0, StatusCode::UNAUTHORIZED);

    let list = ListTargetsEndpoint::new(Arc::clone(&house.targets));
    let bank = internal(&[Role::ActFor]);
    let query = |text: &str| Exchange { query: Some(text.to_owned()), ..request(&bank, "") };
    let listed = body(&send(&list, query("username=jeff")).await);
    assert_eq!(listed, json!({"dispatchTargets": [{"name": "phone", "id": id, "dispatcher": "link"}]}));
    for (text, status) in [
        ("", StatusCode::BAD_REQUEST),
        ("username=jeff&username=eve", StatusCode::BAD_REQUEST),
        ("username=eve", StatusCode::NOT_FOUND),
        ("username=jeff&appId=x", StatusCode::NOT_FOUND),
        ("username=ghost", StatusCode::FORBIDDEN),
    ] {
        assert_eq!(problem(&list, query(text)).await.0, status, "{text}");
    }

    let delete = DeleteTargetEndpoint::new(Arc::clone(&house.targets));
    assert_eq!(problem(&delete, for_target(&eve, id)).await.0, StatusCode::NOT_FOUND);
    assert_eq!(problem(&delete, for_target(&Caller::Anonymous, id)).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(send(&delete, for_target(&jeff, id)).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(problem(&delete, for_target(&jeff, id)).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_bad_key_is_422_and_says_which() {
    let house = House::new();
    let device = Device::new();
    let new = json!({
        "name": "phone", "dispatcher": "link",
        "signatureKey": device.signing.public_jwk(), "encryptionKey": device.decryption,
    });
    let create = CreateTargetEndpoint::new(Arc::clone(&house.targets));
    let (status, detail) = problem(&create, request(&house.user("jeff").await, new.to_string())).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(detail.starts_with("encryptionKey: "), "{detail}");
    assert!(!detail.contains(serde_json::to_value(&device.decryption).unwrap()["d"].as_str().unwrap()));
}

#[tokio::test]
async fn without_the_bypass_nothing_is_changed() {
    let house = House::new();
    let id = house.target("jeff", "link").await.id;
    let modify = ModifyTargetEndpoint::new(Arc::clone(&house.targets));
    let (status, _) = problem(&modify, for_target(&house.user("jeff").await, &id)).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn the_facets_are_published_for_both_versions() {
    let response = send(&FacetsEndpoint::new(relying_party().facets()), request(&Caller::Anonymous, "")).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/fido.trusted-apps+json");
    let ids = json!([sidegate_uaf::facets::SOFTWARE_FACET]);
    assert_eq!(
        body(&response),
        json!({"trustedFacets": [
            {"version": {"major": 1, "minor": 1}, "ids": ids},
            {"version": {"major": 1, "minor": 0}, "ids": ids},
        ]})
    );
}

#[tokio::test]
async fn an_in_band_registration_over_http() {
    let house = House::new();
    let jeff = house.user("jeff").await;
    let ask = UafRequestEndpoint::new(Arc::clone(&house.requests), Reg, false);
    let answer = body(&send(&ask, request(&jeff, "{}")).await);
    assert_eq!((answer["statusCode"].as_u64(), answer["op"].as_str()), (Some(1200), Some("Reg")));
    let request_message = answer["uafRequest"].as_str().unwrap();
    let registration = sidegate_uaf::wire::RegistrationRequest::from_message(request_message).unwrap();
    let phone = crate::oob::testing::Phone::new();
    let (response, _) = phone.authenticator.register(&registration, &[]).unwrap();
    let take = UafResponseEndpoint::registration(Arc::clone(&house.fido));
    let sent = json!({"uafResponse": response.to_message()}).to_string();
    assert_eq!(body(&send(&take, request(&Caller::Anonymous, sent)).await), json!({"statusCode": 1200}));
    assert!(house.requests.login(&asker(&Caller::Anonymous), Some("jeff")).await.is_ok());
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_stop_what_it_began() {
    let house = House::new();
    house.phone("jeff").await;
    let jeff = house.user("jeff").await;
    let (token, session_id) = house.token_of(&jeff, Dereg, "{}").await;
    let redeem = RedeemEndpoint::new(Arc::clone(&house.redeem), Dereg);
    let mut answer = Box::pin(send(&redeem, request(&jeff, json!({"token": *token.expose()}).to_string())));
    assert!(futures::poll!(&mut answer).is_pending());
    drop(answer);
    let done = async {
        while house.status(&session_id).await["status"] != "succeeded" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), done).await.unwrap();
    assert!(house.credentials.list(&"ext-jeff".into()).await.unwrap().is_empty());
}
