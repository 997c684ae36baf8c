//! Good answers, refused ones, denials, late ones: `uaf.md` A8 and A13, as far as only operation and store can tell.

use std::sync::Arc;
use std::time::Duration;

use sidegate_uaf::Folding;
use sidegate_uaf::authenticator::ASM_USER_CANCELLED;
use sidegate_uaf::wire::Reply;

use super::{JEFF, PAY, login, redeemed, registration};
use crate::fido::{AnswerAt, Arrival};
use crate::oob::testing::{House, Phone, Plan};
use crate::store::contract::race;
use crate::store::operation::Event;
use crate::store::{OperationId, Removal, Users};

#[tokio::test]
async fn an_answer_works_once() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let (request, session_id) = redeemed(&house, JEFF).await;
    let response = phone.authenticate(&request);
    house.answer(AnswerAt::Authentication, &response).await.unwrap();
    assert_eq!(house.answer(AnswerAt::Authentication, &response).await, Err(1491));
    assert_eq!(house.answer(AnswerAt::Authentication, &phone.authenticate(&request)).await, Err(1491));
    assert_eq!(house.status(&session_id).await["status"], "succeeded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_equal_answers_one_counts() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let (request, _) = redeemed(&house, JEFF).await;
    let (house, response) = (Arc::new(house), Arc::new(phone.authenticate(&request)));
    let results = race(100, |_| {
        let (house, response) = (Arc::clone(&house), Arc::clone(&response));
        async move { house.answer(AnswerAt::Authentication, &response).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(results.iter().filter(|result| **result == Err(1491)).count(), 99);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_answers_with_one_counter_one_counts() {
    let house = House::new();
    let phone = house.phone("jeff").await;
    let mut responses = Vec::new();
    for _ in 0..20 {
        let mut copy = Phone { authenticator: phone.authenticator.clone(), keys: phone.keys.clone() };
        responses.push(copy.authenticate(&login(&house).await));
    }
    let (house, responses) = (Arc::new(house), Arc::new(responses));
    let results = race(20, |number| {
        let (house, responses) = (Arc::clone(&house), Arc::clone(&responses));
        async move { house.answer(AnswerAt::Login, &responses[number]).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(results.iter().filter(|result| **result == Err(1498)).count(), 19);
}

#[tokio::test]
async fn a_refused_answer_ends_its_operation() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let (request, session_id) = redeemed(&house, PAY).await;
    let mut plain = sidegate_uaf::wire::AuthenticationRequest::from_message(&request.message).unwrap();
    plain.transaction.clear();
    let response = phone.authenticator.authenticate(&plain, &mut phone.keys, &[9; 16]).unwrap();
    assert_eq!(house.answer(AnswerAt::Authentication, &response).await, Err(1498), "a transaction answered plain");
    let status = house.status(&session_id).await;
    assert_eq!((status["status"].as_str(), status["uafStatusCode"].as_u64()), (Some("failed"), Some(1498)));
    let right = phone.authenticate(&request);
    assert_eq!(house.answer(AnswerAt::Authentication, &right).await, Err(1491), "the challenge was used up");
}

#[tokio::test]
async fn a_transaction_is_confirmed() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let (request, session_id) = redeemed(&house, PAY).await;
    let answered = house.answer(AnswerAt::Authentication, &phone.authenticate(&request)).await.unwrap();
    assert_eq!(answered.confirmed, [crate::jose::sha256(b"Pay 1")].into(), "an auditor learns what");
    assert_eq!(house.status(&session_id).await["status"], "succeeded");
}

#[tokio::test]
async fn a_denial_fails_with_its_codes() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let (request, session_id) = redeemed(&house, JEFF).await;
    let reply = Reply { asm_status_code: Some(ASM_USER_CANCELLED), client_error_code: Some(3), ..Reply::default() };
    let denied = house.answer_with(AnswerAt::Authentication, &phone.deny(&request), Some(&reply)).await;
    assert_eq!(denied, Err(1498));
    let status = house.status(&session_id).await;
    assert_eq!(status["status"], "failed");
    assert_eq!(status["uafStatusCode"], 1498);
    assert_eq!(status["asmStatusCode"], ASM_USER_CANCELLED);
    assert_eq!(status["clientErrorCode"], 3);
    assert_eq!(house.answer(AnswerAt::Authentication, &phone.authenticate(&request)).await, Err(1491));
}

#[tokio::test]
async fn no_answer_in_time_and_an_answer_too_late() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let (request, session_id) = redeemed(&house, JEFF).await;
    house.clock.advance(Duration::from_secs(300));
    assert_eq!(house.status(&session_id).await["uafStatusCode"], 1408);
    assert_eq!(house.answer(AnswerAt::Authentication, &phone.authenticate(&request)).await, Err(1408));
    house.clock.advance(Duration::from_secs(600));
    assert_eq!(house.answer(AnswerAt::Authentication, &phone.authenticate(&request)).await, Err(1491));
}

#[tokio::test]
async fn a_cancelled_operation_takes_no_answer() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let (request, session_id) = redeemed(&house, JEFF).await;
    house.operations.transition(OperationId(session_id.parse().unwrap()), Event::Cancel).await.unwrap();
    assert_eq!(house.answer(AnswerAt::Authentication, &phone.authenticate(&request)).await, Err(1491));
    assert_eq!(house.status(&session_id).await["uafStatusCode"], 1403);
}

#[tokio::test]
async fn a_key_that_was_removed_meanwhile() {
    for (folding, code) in [(Folding::Specific, 1481), (Folding::Content, 1498)] {
        let house = House::with(Plan { folding, ..Plan::default() });
        let mut phone = house.phone("jeff").await;
        let (request, _) = redeemed(&house, JEFF).await;
        let (userless, _) = redeemed(&house, "{}").await;
        house.credentials.remove(&"ext-jeff".into(), &Removal::All).await.unwrap();
        assert_eq!(house.answer(AnswerAt::Authentication, &phone.authenticate(&request)).await, Err(code));
        let answered = house.answer(AnswerAt::Authentication, &phone.authenticate(&userless)).await;
        assert_eq!(answered, Err(1498), "nobody is told to delete a key that was nobody's");
    }
}

#[tokio::test]
async fn a_removed_user_neither_logs_in_nor_registers() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let (request, new) = (login(&house).await, registration(&house).await);
    house.users.remove("jeff").await.unwrap();
    assert_eq!(house.answer(AnswerAt::Login, &phone.authenticate(&request)).await, Err(1498));
    assert_eq!(house.answer(AnswerAt::Registration, &Phone::new().register(&new)).await, Err(1401));
    assert_eq!(house.credentials.list(&"ext-jeff".into()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_store_that_fails_ends_the_operation_badly() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let (request, session_id) = redeemed(&house, JEFF).await;
    let response = phone.authenticate(&request);
    *house.users.up.lock().unwrap() = false;
    let fault = house
        .fido
        .open(&Arrival {
            at: AnswerAt::Authentication,
            uaf_response: &response.to_message(),
            context: None,
            from: None,
        })
        .take()
        .await
        .unwrap_err();
    assert!(matches!(fault, crate::fido::FidoError::Store(_)), "{fault}");
    assert_eq!(house.status(&session_id).await["uafStatusCode"], 1500);
}
