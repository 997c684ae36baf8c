//! Requests of another server, and answers to them.

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::authentication::Claimant;
use crate::authenticator::{Authenticator, DeviceKey, black_png};
use crate::deregistration::Deregistration;
use crate::policy::Policy;
use crate::registration::NewRegistration;
use crate::relying_party::Start;
use crate::testing::{key_ref, relying_party};
use crate::wire::{DeregisterAuthenticator, DeregistrationRequest, Reply, Response};

fn phone() -> Authenticator {
    Authenticator::new("D0D0#0001".parse().unwrap())
}

fn start(byte: u8) -> Start<'static> {
    let challenge = Challenge::new([byte; 32]).unwrap();
    Start { operation_id: "operation", purpose: "test", challenge, expires_at: 1_000 }
}

fn registration(registered: &[KeyRef]) -> RegistrationRequest {
    let policy = Policy::any();
    let new = NewRegistration { start: start(1), user: "jeff", username: "jeff", policy, registered };
    relying_party().start_registration(new).unwrap().0.into_request()
}

fn authentication(byte: u8, policy: Policy, transaction: Vec<Transaction>) -> AuthenticationRequest {
    let server = relying_party();
    let asking = server.asking(&policy, Claimant::Anyone, &transaction).unwrap();
    server.start_authentication(start(byte), asking).unwrap().0.into_request()
}

fn registered() -> (DeviceKey, Response) {
    let (response, key) = phone().register(&registration(&[]), &[]).unwrap();
    (key, response)
}

/// Answers with the key whatever the policy says.
fn answered(request: &AuthenticationRequest, key: &DeviceKey) -> Response {
    phone().draft_authentication(request, key, &[9; 16]).unwrap().sign(key.private_key()).unwrap()
}

fn incoming(operation: Operation, response: &Response) -> Incoming {
    Incoming::parse(operation, &response.to_message(), None).unwrap()
}

#[test]
fn an_answer_belongs_to_the_request_with_its_challenge_and_server_data() {
    let (key, _) = registered();
    let policy = Policy::of_keys(&[key.key_ref()]);
    let (own, other) = (authentication(1, policy.clone(), vec![]), authentication(2, policy, vec![]));
    let issue = Issue::authentication(&own.to_message(), &[]).unwrap();
    assert_eq!(issue.check(&incoming(Operation::Auth, &answered(&own, &key))), Ok(()));
    let foreign = answered(&other, &key);
    assert_eq!(issue.check(&incoming(Operation::Auth, &foreign)), Err(Error::ChallengeMismatch));
    let mut swapped = answered(&own, &key);
    swapped.header.server_data = other.header.server_data;
    let swapped = incoming(Operation::Auth, &swapped);
    assert_eq!(issue.check(&swapped), Err(Error::ServerDataOfAnotherOperation));
    let kept = serde_json::to_string(&issue).unwrap();
    assert_eq!(serde_json::from_str::<Issue>(&kept).unwrap(), issue);
}

#[test]
fn only_keys_that_the_request_names_are_allowed() {
    let (key, _) = registered();
    for (policy, names_keys, allowed) in [
        (Policy::of_keys(&[key_ref("D0D0#0001", 1), key.key_ref()]), true, true),
        (Policy::of_keys(&[key_ref("D0D0#0001", 1)]), true, false),
        (Policy::any(), false, false),
    ] {
        let request = authentication(1, policy, vec![]);
        let issue = Issue::authentication(&request.to_message(), &[]).unwrap();
        assert_eq!(issue.names_keys(), names_keys);
        assert_eq!(issue.named_keys().any(|named| named == key.key_ref()), allowed);
        let claim = issue.claim(&incoming(Operation::Auth, &answered(&request, &key))).unwrap();
        assert_eq!(claim, Claim::Keys { keys: vec![key.key_ref()], allowed });
    }
}

#[test]
fn a_registration_allows_what_it_does_not_refuse() {
    let (key, response) = registered();
    for (known, allowed) in [(key_ref("D0D0#0001", 1), true), (key.key_ref(), false)] {
        let issue = Issue::registration(&registration(&[known]).to_message()).unwrap();
        let claim = issue.claim(&incoming(Operation::Reg, &response)).unwrap();
        assert_eq!(claim, Claim::Keys { keys: vec![key.key_ref()], allowed });
    }
}

#[rstest]
#[case(json!({"aaid": ["D0D0#0001"]}), false)]
#[case(json!({"aaid": ["D0D0#0001"], "authenticatorVersion": 5}), true)]
#[case(json!({"aaid": ["D0D0#0001"], "authenticatorVersion": 1}), false)]
#[case(json!({"aaid": ["D0D0#0001"], "attachmentHint": 2}), true)]
#[case(json!({"aaid": ["D0D0#0002"], "authenticatorVersion": 1}), true)]
#[case(json!({"authenticationAlgorithms": [1], "assertionSchemes": ["UAFV1TLV"], "vendorID": ["d0d0"]}), false)]
#[case(json!({"authenticationAlgorithms": [2], "assertionSchemes": ["UAFV1TLV"], "vendorID": ["D0D0"]}), true)]
#[case(json!({"authenticationAlgorithms": [1], "assertionSchemes": ["WAV1CBOR"], "vendorID": ["D0D0"]}), true)]
#[case(json!({"authenticationAlgorithms": [1], "assertionSchemes": ["UAFV1TLV"], "keyProtection": 1}), true)]
#[case(json!({"aaid": ["D0D0#0001"], "exts": [{"id": "x", "data": "", "fail_if_unknown": false}]}), true)]
fn a_key_is_refused_by_what_its_assertion_tells(#[case] disallowed: serde_json::Value, #[case] allowed: bool) {
    let (key, _) = registered();
    let mut request = authentication(1, Policy::of_keys(&[key.key_ref()]), vec![]);
    request.policy.disallowed.push(serde_json::from_value(disallowed).unwrap());
    let issue = Issue::authentication(&request.to_message(), &[]).unwrap();
    let claim = issue.claim(&incoming(Operation::Auth, &answered(&request, &key))).unwrap();
    assert_eq!(claim, Claim::Keys { keys: vec![key.key_ref()], allowed });
}

#[test]
fn a_denial_says_why() {
    let request = authentication(1, Policy::any(), vec![]);
    let issue = Issue::authentication(&request.to_message(), &[]).unwrap();
    let message = phone().deny(&request).unwrap().to_message();
    let silent = Incoming::parse(Operation::Auth, &message, None).unwrap();
    assert_eq!(issue.claim(&silent), Err(Error::NoAssertions));
    let reply = Reply { client_error_code: Some(3), ..Reply::default() };
    let context = serde_json::to_string(&reply).unwrap();
    let said = Incoming::parse(Operation::Auth, &message, Some(&context)).unwrap();
    let denial = Denial { asm_status_code: None, client_error_code: Some(3) };
    assert_eq!(issue.claim(&said), Ok(Claim::Denial(denial)));
    assert_eq!(said.to_transport().context.as_deref(), Some(r#"{"clientErrorCode":3}"#));
}

#[test]
fn a_request_is_one_dictionary_with_server_data_and_the_transaction_that_was_asked_for() {
    let pay = Transaction::text("Pay 1").unwrap();
    let picture = Transaction::png(&black_png(2, 2).unwrap()).unwrap();
    let request = authentication(1, Policy::any(), vec![pay.clone()]);
    let message = request.to_message();
    assert!(Issue::authentication(&message, std::slice::from_ref(&pay)).is_ok());
    for other in [vec![], vec![Transaction::text("Pay 2").unwrap()], vec![picture.clone()]] {
        assert_eq!(Issue::authentication(&message, &other), Err(Error::TransactionHash));
    }
    assert!(Issue::authentication(&message, &[picture.clone(), pay.clone()]).is_ok(), "one is left out");
    let twice = format!("[{0},{0}]", &message[1..message.len() - 1]);
    assert_eq!(Issue::authentication(&twice, &[pay]), Err(Error::SeveralMessages));
    assert_eq!(Issue::registration(&message), Err(Error::Member("[0]: username missing".into())));
    let mut bare = registration(&[]);
    bare.header.server_data = None;
    assert_eq!(Issue::registration(&bare.to_message()), Err(Error::ServerDataMissing));
    assert_eq!(check_deregistration("[]", &DeregisterAuthenticator::Everything), Err(Error::NotUaf("empty array")));
}

#[test]
fn a_picture_is_for_the_displays_that_its_header_says() {
    let picture = Transaction::png(&black_png(2, 2).unwrap()).unwrap();
    let sent = |transaction| authentication(1, Policy::any(), vec![transaction]).to_message();
    assert!(Issue::authentication(&sent(picture.clone()), std::slice::from_ref(&picture)).is_ok());
    for lie in ["\"width\":2,", "\"height\":2,"] {
        let lying = sent(picture.clone()).replace(lie, &lie.replace('2', "3"));
        let refused = Issue::authentication(&lying, std::slice::from_ref(&picture));
        assert_eq!(refused, Err(Error::TransactionHash), "{lie}");
    }
    let mut silent: serde_json::Value = serde_json::from_str(&sent(picture.clone())).unwrap();
    silent[0]["transaction"][0].as_object_mut().unwrap().remove("tcDisplayPNGCharacteristics").unwrap();
    let refused = Issue::authentication(&silent.to_string(), std::slice::from_ref(&picture));
    assert_eq!(refused, Err(Error::TransactionHash));
}

#[test]
fn a_phone_is_told_in_the_servers_place() {
    let (phone, request) = (phone(), registration(&[]));
    let (_, key) = phone.register(&request, &[]).unwrap();
    let issue = Issue::registration(&request.to_message()).unwrap();
    let message = deregistration(issue.app_id().unwrap().clone(), &Deregistration::Keys(key.key_ref(), vec![]));
    check_deregistration(&message, &DeregisterAuthenticator::Key(key.key_ref())).unwrap();
    let mut keys = vec![key];
    phone.deregister(&DeregistrationRequest::from_message(&message).unwrap(), &mut keys);
    assert!(keys.is_empty());
}
