//! What registrations and deregistrations do to the credentials.

use serde_json::json;
use sidegate_filters::Role;
use sidegate_uaf::Error;
use sidegate_uaf::wire::{DeregisterAuthenticator, DeregistrationRequest, RegistrationRequest, Reply};

use super::registration;
use crate::fido::AnswerAt;
use crate::oob::testing::{House, Phone, asker, internal};
use crate::oob::{NotPermitted, NotRequested, TokenFault};
use crate::store::operation::OperationKind;

#[tokio::test]
async fn a_credential_is_kept_with_what_the_phone_says_of_itself() {
    let house = House::new();
    let mut phone = Phone::new();
    let response = phone.register(&registration(&house).await);
    let reply =
        Reply { device_id: Some("device-1".into()), device_name: Some("jeff's phone".into()), ..Reply::default() };
    let answered = house.answer_with(AnswerAt::Registration, &response, Some(&reply)).await.unwrap();
    let kept = house.credentials.list(&"ext-jeff".into()).await.unwrap();
    let [kept] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!(kept.device_id.as_deref(), Some("device-1"));
    assert_eq!(kept.device_name.as_deref(), Some("jeff's phone"));
    assert_eq!(kept.key.key_id(), phone.keys[0].key_ref().key_id.as_bytes());
    assert_eq!(answered.authenticators[0].ext_id, kept.ext_id);
}

#[tokio::test]
async fn what_a_user_has_is_disallowed_and_refused() {
    let house = House::new();
    let (one, two) = (registration(&house).await, registration(&house).await);
    let mut phone = Phone::new();
    house.answer(AnswerAt::Registration, &phone.register(&one)).await.unwrap();
    let key = &phone.keys[0];
    let request = RegistrationRequest::from_message(&two.message).unwrap();
    let response = phone.authenticator.draft_registration(&request, key).unwrap().sign(key.private_key()).unwrap();
    let code = Error::AlreadyRegistered.status().0;
    assert_eq!(house.answer(AnswerAt::Registration, &response).await, Err(code));
    let third = RegistrationRequest::from_message(&registration(&house).await.message).unwrap();
    assert_eq!(third.policy.disallowed[0].key_ids, [key.key_ref().key_id]);
}

#[tokio::test]
async fn a_deregistration_names_each_key_and_ends_it() {
    let house = House::new();
    let (mut jeffs, eves) = (house.phone("jeff").await, house.phone("eve").await);
    let jeff = house.user("jeff").await;
    let key = jeffs.keys[0].key_ref();
    let other = eves.keys[0].key_ref();
    let deregister =
        async |context: String| house.requests.request(&asker(&jeff), OperationKind::Dereg, Some(&context)).await;
    let by_key = |key_id: String| json!({"mode": "key", "aaid": "D0D0#0001", "keyId": key_id}).to_string();
    let refused = deregister(by_key(other.key_id.to_base64url())).await.unwrap_err();
    assert!(matches!(refused, NotRequested::Fido(error) if error.to_string().ends_with("1404")), "eve's key");
    assert!(deregister(json!({"mode": "aaid", "aaid": "D0D0#0002"}).to_string()).await.is_err(), "a model not there");

    let request = deregister(by_key(key.key_id.to_base64url())).await.unwrap();
    let message = DeregistrationRequest::from_message(&request.message).unwrap();
    assert_eq!(message.authenticators, [DeregisterAuthenticator::Key(key)]);
    jeffs.deregister(&request);
    assert!(jeffs.keys.is_empty());
    assert!(house.credentials.list(&"ext-jeff".into()).await.unwrap().is_empty());
    assert_eq!(house.credentials.list(&"ext-eve".into()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn all_of_a_model_and_all_of_a_user() {
    for context in [r#"{"mode":"aaid","aaid":"d0d0#0001"}"#, r#"{"mode":"username"}"#, "{}"] {
        let house = House::new();
        house.phone("jeff").await;
        let mut second = Phone::new();
        second.register(&registration(&house).await);
        let jeff = house.user("jeff").await;
        house.requests.request(&asker(&jeff), OperationKind::Dereg, Some(context)).await.unwrap();
        assert!(house.credentials.list(&"ext-jeff".into()).await.unwrap().is_empty(), "{context}");
    }
}

#[tokio::test]
async fn of_two_deregistrations_at_once_one_names_the_key() {
    let house = House::new();
    house.phone("jeff").await;
    let jeff = house.user("jeff").await;
    let deregister = async || house.requests.request(&asker(&jeff), OperationKind::Dereg, None).await;
    let (one, two) = tokio::join!(deregister(), deregister());
    assert!(one.is_ok() != two.is_ok(), "what a request names is what it ended: {one:?}, {two:?}");
}

#[tokio::test]
async fn nobody_registers_or_deregisters_for_somebody_else() {
    let house = House::new();
    house.phone("jeff").await;
    let eve = house.user("eve").await;
    let jeff = Some(r#"{"username":"jeff"}"#);
    for kind in [OperationKind::Reg, OperationKind::Dereg] {
        let refused = house.requests.request(&asker(&eve), kind, jeff).await.unwrap_err();
        let NotRequested::Token(TokenFault::NotPermitted(refusal)) = refused else { panic!("{refused}") };
        assert!(matches!(refusal, NotPermitted::OtherUser));
    }
    assert_eq!(house.credentials.list(&"ext-jeff".into()).await.unwrap().len(), 1);
    let bank = internal(&[Role::ActFor]);
    house.requests.request(&asker(&bank), OperationKind::Dereg, jeff).await.unwrap();
    assert!(house.credentials.list(&"ext-jeff".into()).await.unwrap().is_empty());
}
