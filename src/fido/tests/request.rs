//! What goes out to a phone.

use sidegate_filters::Caller;
use sidegate_uaf::StatusCode;
use sidegate_uaf::wire::{AuthenticationRequest, RegistrationRequest};

use super::{JEFF, PAY, login, redeemed, registration};
use crate::fido::{AnswerAt, Arrival, Ask, Claimed, Counted, FidoError};
use crate::oob::testing::{House, asker};
use crate::oob::{NotPermitted, NotRequested, Requests, TokenFault};
use crate::store::operation::OperationKind;

#[tokio::test]
async fn a_named_user_is_asked_for_their_keys_only() {
    let house = House::new();
    let phone = house.phone("jeff").await;
    house.phone("eve").await;
    let request = AuthenticationRequest::from_message(&login(&house).await.message).unwrap();
    let [[criterion]] = &request.policy.accepted.iter().map(Vec::as_slice).collect::<Vec<_>>()[..] else {
        panic!("{:?}", request.policy)
    };
    assert_eq!(criterion.key_ids, [phone.keys[0].key_ref().key_id]);
    let (userless, _) = redeemed(&house, "{}").await;
    let userless = AuthenticationRequest::from_message(&userless.message).unwrap();
    assert!(userless.policy.accepted[0][0].key_ids.is_empty());
}

#[tokio::test]
async fn every_request_has_its_own_challenge() {
    let house = House::new();
    let challenge = async || RegistrationRequest::from_message(&registration(&house).await.message).unwrap().challenge;
    let (one, two) = (challenge().await, challenge().await);
    assert_ne!(one, two);
    assert_eq!(one.as_bytes().len(), 32);
}

#[tokio::test]
async fn a_transaction_reaches_the_phone_byte_for_byte() {
    let house = House::new();
    house.phone("jeff").await;
    let (request, _) = redeemed(&house, PAY).await;
    let request = AuthenticationRequest::from_message(&request.message).unwrap();
    assert_eq!(request.transaction[0].content.as_bytes(), b"Pay 1");
}

#[tokio::test]
async fn a_user_without_a_key_has_nothing_to_answer_with() {
    let house = House::new();
    let refused = house.requests.login(&asker(&Caller::Anonymous), Some("jeff")).await.unwrap_err();
    assert!(matches!(refused, NotRequested::Fido(FidoError::Refused(StatusCode::NOT_FOUND))));
    let refused = house.requests.login(&asker(&Caller::Anonymous), Some("ghost")).await.unwrap_err();
    assert!(matches!(refused, NotRequested::Token(TokenFault::NotPermitted(NotPermitted::UnknownUser))));
    assert_eq!(house.budget.used(), 0);
}

#[tokio::test]
async fn an_unknown_policy_is_refused_before_anything_is_made() {
    let house = House::new();
    let named = |policy: &str| Ask::Registration { policy: policy.to_owned() };
    assert!(house.fido.check(&named("default")).is_ok());
    assert_eq!(house.fido.check(&named("strict")).unwrap_err().member, "context.policy");
    let requests: &Requests = &house.requests;
    let context = Some(r#"{"username":"jeff","policy":"strict"}"#);
    assert!(requests.request(&asker(&Caller::Anonymous), OperationKind::Auth, context).await.is_err());
    assert_eq!(house.budget.used(), 0);
}

#[tokio::test]
async fn whoever_owns_the_key_seems_to_answer() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let response = phone.authenticate(&login(&house).await).to_message();
    let owner = Claimed { ext_id: "ext-jeff".into(), counted: Counted::User };
    assert_eq!(house.claimant(AnswerAt::Login, &response).await, Some(owner));
    assert_eq!(house.claimant(AnswerAt::Login, "no message").await, None);
    let (request, _) = redeemed(&house, JEFF).await;
    let denial = phone.deny(&request).to_message();
    assert_eq!(house.claimant(AnswerAt::Login, &denial).await, None);
}

/// The message is gone when the answer is taken.
#[tokio::test]
async fn an_answer_is_read_once() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let message = phone.authenticate(&login(&house).await).to_message();
    let received = house.fido.open(&Arrival { at: AnswerAt::Login, uaf_response: &message, context: None, from: None });
    drop(message);
    let claimed = received.claimant().await.unwrap().unwrap();
    assert_eq!(received.take().await.unwrap().user.unwrap().ext_id, claimed.ext_id);
}
