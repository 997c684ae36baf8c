//! The login endpoints of the mobile SDK (`http-api.md` 7).

use std::sync::Arc;

use http::{StatusCode, header};
use serde_json::json;
use sidegate_filters::Caller;
use sidegate_uaf::wire::AuthenticationRequest;

use super::super::{FidoLoginRequestEndpoint, FidoLoginResponseEndpoint};
use super::{body, request, send};
use crate::identity::FidoUafRealm;
use crate::identity::testing::{pair, realm};
use crate::oob::testing::{House, Phone};
use crate::store::Users;

fn response_endpoint(house: &House) -> FidoLoginResponseEndpoint {
    let (sessions, users) = (Arc::clone(&house.domain.sessions), Arc::clone(&house.users) as Arc<dyn Users>);
    let realm = FidoUafRealm::new(realm("fido-uaf", 2, false), sessions, users, Arc::clone(&house.fido));
    FidoLoginResponseEndpoint::new(Arc::new(realm))
}

async fn answer(house: &House, phone: &mut Phone, asked: serde_json::Value) -> String {
    let endpoint = FidoLoginRequestEndpoint::new(Arc::clone(&house.requests));
    let response = send(&endpoint, request(&Caller::Anonymous, asked.to_string())).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/fido+uaf;charset=UTF-8");
    assert!(!response.headers().contains_key(header::SET_COOKIE), "no session before success");
    let message = body(&response)["uafRequest"].as_str().unwrap().to_owned();
    let asked = AuthenticationRequest::from_message(&message).unwrap();
    let answer = phone.authenticator.authenticate(&asked, &mut phone.keys, &[9; 16]).unwrap();
    json!({"uafResponse": answer.to_message()}).to_string()
}

#[tokio::test]
async fn a_login_sets_the_cookie_once() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    for asked in [json!({"username": "jeff"}), json!({})] {
        let answer = answer(&house, &mut phone, asked).await;
        let response = send(&response_endpoint(&house), request(&Caller::Anonymous, answer.clone())).await;
        assert_eq!((response.status(), body(&response)), (StatusCode::OK, json!({"statusCode": 1200})));
        let session = house.domain.session(&pair(&response.headers()[header::SET_COOKIE])).await.unwrap();
        assert_eq!((session.name.as_str(), session.level), ("jeff", 2));
        let replayed = send(&response_endpoint(&house), request(&Caller::Anonymous, answer)).await;
        assert_eq!((replayed.status(), body(&replayed)), (StatusCode::OK, json!({"statusCode": 1491})));
        assert!(!replayed.headers().contains_key(header::SET_COOKIE));
    }
}

#[tokio::test]
async fn a_step_up_keeps_the_cookie() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let cookie = house.domain.login("jeff", &realm("password", 1, true), None).await.unwrap();
    let caller = Caller::User(house.domain.session(&cookie).await.unwrap());
    let answer = answer(&house, &mut phone, json!({"username": "jeff"})).await;
    let response = send(&response_endpoint(&house), request(&caller, answer)).await;
    assert_eq!(body(&response), json!({"statusCode": 1200}));
    assert!(!response.headers().contains_key(header::SET_COOKIE));
    assert_eq!(house.domain.session(&cookie).await.unwrap().level, 2);
}

#[tokio::test]
async fn a_user_who_does_not_exist_has_nothing_to_answer() {
    let house = House::new();
    let endpoint = FidoLoginRequestEndpoint::new(Arc::clone(&house.requests));
    let response = send(&endpoint, request(&Caller::Anonymous, r#"{"username":"ghost"}"#)).await;
    assert_eq!((response.status(), body(&response)), (StatusCode::OK, json!({"statusCode": 1404})));
}
