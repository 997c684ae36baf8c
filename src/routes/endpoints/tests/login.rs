//! The login endpoints of the mobile SDK (`http-api.md` 7).

use std::sync::Arc;

use http::{StatusCode, header};
use serde_json::json;
use sidegate_filters::Caller;
use sidegate_uaf::wire::AuthenticationRequest;

use super::super::{FidoLoginRequestEndpoint, FidoLoginResponseEndpoint};
use super::{body, request, send};
use crate::identity::Throttle;
use crate::identity::testing::{pair, realm};
use crate::oob::testing::{House, Phone};

fn response_endpoint(house: &House) -> FidoLoginResponseEndpoint {
    slowed_response_endpoint(house, house.domain.throttle(9))
}

fn slowed_response_endpoint(house: &House, throttle: Arc<Throttle>) -> FidoLoginResponseEndpoint {
    FidoLoginResponseEndpoint::new(Arc::new(house.fido_uaf(false, throttle)))
}

async fn answer(house: &House, phone: &mut Phone, asked: serde_json::Value) -> String {
    let endpoint = FidoLoginRequestEndpoint::new(Arc::clone(&house.requests), house.domain.throttle(9));
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
        assert_eq!((session.name.as_str(), session.level()), ("jeff", 2));
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
    assert_eq!(house.domain.session(&cookie).await.unwrap().level(), 2);
}

#[tokio::test]
async fn a_user_who_does_not_exist_has_nothing_to_answer() {
    let house = House::new();
    let endpoint = FidoLoginRequestEndpoint::new(Arc::clone(&house.requests), house.domain.throttle(9));
    let response = send(&endpoint, request(&Caller::Anonymous, r#"{"username":"ghost"}"#)).await;
    assert_eq!((response.status(), body(&response)), (StatusCode::OK, json!({"statusCode": 1404})));
}

#[tokio::test]
async fn what_fails_again_and_again_is_told_to_wait() {
    let house = House::new();
    let throttle = house.domain.throttle(2);
    let asks = FidoLoginRequestEndpoint::new(Arc::clone(&house.requests), Arc::clone(&throttle));
    let answers = slowed_response_endpoint(&house, throttle);
    let ask = |name: &str| request(&Caller::Anonymous, json!({"username": name}).to_string());
    let answer = || request(&Caller::Anonymous, r#"{"uafResponse":"[]"}"#);
    house.phone("jeff").await;
    for _ in 0..5 {
        assert_eq!(body(&send(&asks, ask("jeff")).await)["statusCode"], 1200, "a good question is no failure");
    }
    assert_eq!(body(&send(&asks, ask("ghost")).await)["statusCode"], 1404);
    assert_eq!(send(&answers, answer()).await.status(), StatusCode::OK);
    for response in [send(&asks, ask("jeff")).await, send(&answers, answer()).await] {
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    }
    let nobody = send(&asks, request(&Caller::Anonymous, "{}")).await;
    assert_eq!(body(&nobody)["statusCode"], 1200, "who names nobody finds nothing out");
}

#[tokio::test]
async fn who_logged_in_lately_is_not_held_up_by_others_of_the_network() {
    let house = House::new();
    let throttle = house.domain.throttle(2);
    let asks = FidoLoginRequestEndpoint::new(Arc::clone(&house.requests), Arc::clone(&throttle));
    let answers = slowed_response_endpoint(&house, throttle);
    let mut phone = house.phone("jeff").await;
    let login = async |phone: &mut Phone, asked| {
        let asked = body(&send(&asks, request(&Caller::Anonymous, asked)).await);
        let Some(message) = asked["uafRequest"].as_str() else { panic!("{asked}") };
        let asked = AuthenticationRequest::from_message(message).unwrap();
        let answer = phone.authenticator.authenticate(&asked, &mut phone.keys, &[9; 16]).unwrap();
        let answer = json!({"uafResponse": answer.to_message()}).to_string();
        body(&send(&answers, request(&Caller::Anonymous, answer)).await)["statusCode"].clone()
    };
    assert_eq!(login(&mut phone, r#"{"username":"jeff"}"#).await, 1200);
    let guess = || request(&Caller::Anonymous, r#"{"uafResponse":"[]"}"#);
    for status in [StatusCode::OK, StatusCode::OK, StatusCode::TOO_MANY_REQUESTS] {
        assert_eq!(send(&answers, guess()).await.status(), status);
    }
    for asked in [r#"{"username":"jeff"}"#, "{}"] {
        assert_eq!(login(&mut phone, asked).await, 1200);
    }
}
