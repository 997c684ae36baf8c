//! What an answer may be used for is fixed when its request goes out (`http-api.md` 0.5).

use rstest::rstest;
use sidegate_filters::Caller;

use super::{JEFF, PAY, login, redeemed, registration};
use crate::fido::AnswerAt;
use crate::oob::testing::{House, Phone, asker};
use crate::store::operation::OperationKind;

#[rstest]
#[case(JEFF)]
#[case(PAY)]
#[tokio::test]
async fn an_approval_elsewhere_is_no_login(#[case] context: &str) {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let (request, session_id) = redeemed(&house, context).await;
    let response = phone.authenticate(&request);
    assert_eq!(house.answer(AnswerAt::Login, &response).await, Err(1491));
    assert_eq!(house.status(&session_id).await["status"], "clientAuthenticating", "nothing moved");
    house.answer(AnswerAt::Authentication, &response).await.unwrap();
}

#[tokio::test]
async fn a_login_is_answered_at_the_login_endpoints_only() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let response = phone.authenticate(&login(&house).await);
    assert_eq!(house.answer(AnswerAt::Authentication, &response).await, Err(1491));
    assert_eq!(house.answer(AnswerAt::Registration, &response).await, Err(1400));
    assert_eq!(house.answer(AnswerAt::Login, &response).await.unwrap().user.unwrap().name, "jeff");
}

#[tokio::test]
async fn a_request_without_token_is_no_login_either() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let request = house.requests.request(&asker(&Caller::Anonymous), OperationKind::Auth, Some(JEFF)).await.unwrap();
    let response = phone.authenticate(&request);
    assert_eq!(house.answer(AnswerAt::Login, &response).await, Err(1491));
    house.answer(AnswerAt::Authentication, &response).await.unwrap();
}

#[tokio::test]
async fn a_registration_is_answered_as_one() {
    let house = House::new();
    let request = registration(&house).await;
    let response = Phone::new().register(&request);
    assert_eq!(house.answer(AnswerAt::Authentication, &response).await, Err(1400));
    assert_eq!(house.answer(AnswerAt::Login, &response).await, Err(1400));
    house.answer(AnswerAt::Registration, &response).await.unwrap();
}
