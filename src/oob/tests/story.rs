//! What the services are for, from registration to a status that says `succeeded`.

use serde_json::json;
use sidegate_filters::Caller;

use super::super::testing::{House, asker, by_link, data};
use super::super::{DispatchAnswer, DispatchRequest};
use crate::fido::AnswerAt;
use crate::store::operation::OperationKind;

#[tokio::test]
async fn a_phone_approves_by_an_encrypted_link() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let device = house.target("jeff", "link").await;
    let jeff = house.user("jeff").await;

    let request = DispatchRequest {
        dispatcher: None,
        target: Some(device.id.clone()),
        data: data(json!({"amount": "42"})),
        ..by_link(r#"{"username":"jeff"}"#)
    };
    let DispatchAnswer::Dispatched { token, session_id, dispatcher, response } =
        house.dispatch(&asker(&jeff), request).await
    else {
        panic!("not dispatched")
    };
    assert_eq!(dispatcher, "link");
    let session_id = session_id.to_string();
    assert_eq!(house.status(&session_id).await["status"], "tokenCreated");

    let read = device.read(&response.unwrap());
    assert_eq!(read["amount"], "42");
    assert_eq!(read["token"], token.expose().as_str());
    assert_eq!(read["redeem_url"], "https://gate.example/nevisfido/token/redeem/authentication");

    let (code, request) = house.redeem(OperationKind::Auth, read["token"].as_str().unwrap()).await;
    assert_eq!(code, 1200);
    assert_eq!(house.status(&session_id).await["status"], "clientAuthenticating");

    let answered = house.answer(AnswerAt::Authentication, &phone.authenticate(&request.unwrap())).await.unwrap();
    assert_eq!(answered.user.unwrap().name, "jeff");
    let status = house.status(&session_id).await;
    assert_eq!(status["status"], "succeeded");
    assert_eq!(status["uafStatusCode"], 1200);
    assert_eq!(status["userId"], "ext-jeff");
    assert_eq!(status["timestamp"], "1970-01-12T13:46:40.000Z");
    assert_eq!(status["authenticators"][0]["aaid"], "D0D0#0001");
    assert_eq!(status["authenticators"][0]["keyId"], phone.keys[0].key_ref().key_id.to_base64url());
    assert_eq!(
        status["tokenInformation"],
        json!({
            "dispatchTargetExtId": device.id,
            "tokenResult": "tokenRedeemed",
            "dispatcherInformation": {"name": "link"},
        })
    );
}

#[tokio::test]
async fn a_registration_and_a_deregistration_by_token() {
    let house = House::new();
    let jeff = house.user("jeff").await;
    let mut phone = super::super::testing::Phone::new();

    let (token, session_id) = house.token_of(&jeff, OperationKind::Reg, "{}").await;
    let (_, request) = house.redeem(OperationKind::Reg, &token.expose()).await;
    assert_eq!(house.status(&session_id).await["status"], "clientRegistering");
    house.answer(AnswerAt::Registration, &phone.register(&request.unwrap())).await.unwrap();
    assert_eq!(house.status(&session_id).await["status"], "succeeded");
    assert_eq!(house.credentials.list(&"ext-jeff".into()).await.unwrap().len(), 1);

    let (token, session_id) = house.token_of(&jeff, OperationKind::Dereg, "{}").await;
    let (code, request) = house.redeem(OperationKind::Dereg, &token.expose()).await;
    let request = request.unwrap();
    assert_eq!((code, request.lifetime_millis), (1200, None));
    assert_eq!(house.status(&session_id).await["status"], "succeeded");
    assert!(house.credentials.list(&"ext-jeff".into()).await.unwrap().is_empty());
    phone.deregister(&request);
    assert!(phone.keys.is_empty());
}

#[tokio::test]
async fn a_user_less_approval_learns_its_user_from_the_key() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let (token, session_id) = house.token_of(&Caller::Anonymous, OperationKind::Auth, "{}").await;
    let (_, request) = house.redeem(OperationKind::Auth, &token.expose()).await;
    assert_eq!(house.status(&session_id).await.get("userId"), None);
    house.answer(AnswerAt::Authentication, &phone.authenticate(&request.unwrap())).await.unwrap();
    assert_eq!(house.status(&session_id).await["userId"], "ext-jeff");
}

#[tokio::test]
async fn any_text_may_be_asked_for_as_a_session_id() {
    let house = House::new();
    for text in ["", "x", "00000000-0000-4000-8000-000000000000"] {
        assert_eq!(house.status(text).await["status"], "unknown", "{text}");
    }
    let (token, session_id) = house.token().await;
    assert_eq!(house.status(&token.expose()).await["status"], "unknown");
    house.clock.advance(std::time::Duration::from_secs(301));
    let status = house.status(&session_id).await;
    assert_eq!(
        (status["status"].as_str(), status["tokenInformation"]["tokenResult"].as_str()),
        (Some("failed"), Some("tokenTimedOut"))
    );
    assert_eq!(status.get("uafStatusCode"), None);
    house.clock.advance(std::time::Duration::from_secs(600));
    assert_eq!(house.status(&session_id).await["status"], "unknown");
}
