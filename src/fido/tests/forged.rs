//! Answers that don't belong to their operation move nothing.

use sidegate_uaf::encoding::Text;
use sidegate_uaf::wire::AuthenticationRequest;

use super::{JEFF, login, redeemed, registration};
use crate::fido::{AnswerAt, Arrival};
use crate::oob::testing::{House, Phone};

#[tokio::test]
async fn what_is_no_uaf_message() {
    let house = House::new();
    for text in ["", "no json", "{}", "[]", "[{}]", "[1]"] {
        let fault = house
            .fido
            .open(&Arrival { at: AnswerAt::Authentication, uaf_response: text, context: None, from: None })
            .take()
            .await
            .unwrap_err();
        let code = if text == "[{}]" || text == "[1]" { "1498" } else { "1400" };
        assert!(fault.to_string().ends_with(code), "{text}: {fault}");
    }
}

#[tokio::test]
async fn a_context_that_is_broken_moves_nothing() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let (request, session_id) = redeemed(&house, JEFF).await;
    let response = phone.authenticate(&request).to_message();
    for context in ["no json", r#"{"asmStatusCode":"3"}"#, r#"{"deviceId":"a","deviceId":"b"}"#] {
        let fault = house
            .fido
            .open(&Arrival {
                at: AnswerAt::Authentication,
                uaf_response: &response,
                context: Some(context),
                from: None,
            })
            .take()
            .await
            .unwrap_err();
        assert!(fault.to_string().ends_with("1498"), "{context}: {fault}");
    }
    assert_eq!(house.status(&session_id).await["status"], "clientAuthenticating");
}

#[tokio::test]
async fn server_data_of_nobody_or_of_another_operation_moves_nothing() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let (one, one_id) = redeemed(&house, JEFF).await;
    let (two, two_id) = redeemed(&house, JEFF).await;
    let right = phone.authenticate(&one);

    let mut forged = right.clone();
    forged.header.server_data = Some(Text::new("Zm9yZ2Vk").unwrap());
    assert_eq!(house.answer(AnswerAt::Authentication, &forged).await, Err(1498));

    let mut swapped = right.clone();
    swapped.header.server_data = phone.authenticate(&two).header.server_data;
    assert_eq!(house.answer(AnswerAt::Authentication, &swapped).await, Err(1491));

    let mut denial = phone.deny(&one);
    denial.header.server_data = swapped.header.server_data.clone();
    assert_eq!(house.answer(AnswerAt::Authentication, &denial).await, Err(1491), "no stranger denies for jeff");

    for id in [&one_id, &two_id] {
        assert_eq!(house.status(id).await["status"], "clientAuthenticating");
    }
    house.answer(AnswerAt::Authentication, &right).await.unwrap();
}

#[tokio::test]
async fn eves_key_is_not_jeffs() {
    let house = House::new();
    house.phone("jeff").await;
    let eve = house.phone("eve").await;
    let request = AuthenticationRequest::from_message(&login(&house).await.message).unwrap();
    let key = &eve.keys[0];
    let draft = eve.authenticator.draft_authentication(&request, key, &[9; 16]).unwrap();
    let response = draft.sign(key.private_key()).unwrap();
    assert_eq!(house.answer(AnswerAt::Login, &response).await, Err(1492));
}

#[tokio::test]
async fn another_app_is_not_trusted() {
    let house = House::new();
    let mut phone = Phone::new();
    phone.authenticator = phone.authenticator.with_facet(Text::new("ios:bundle-id:evil").unwrap());
    let response = phone.register(&registration(&house).await);
    assert_eq!(house.answer(AnswerAt::Registration, &response).await, Err(1498));
}
