//! What the server behind did, and nobody was told of.

use std::time::Duration;

use sidegate_filters::Caller;
use sidegate_filters::clock::{Clock, Millis};
use sidegate_uaf::wire::Response;

use super::behind::{Behind, Fate};
use super::{both, during, keys, standings};
use crate::fido::tests::JEFF;
use crate::fido::{AnswerAt, Arrival, credential};
use crate::oob::testing::{House, Phone, asker};
use crate::store::contract::keys_behind::key;
use crate::store::credentials::CREDENTIALS_PER_OWNER;
use crate::store::operation::OperationKind;
use crate::store::{CredentialKey, ExtId, KeyBehind, Removal, SourceNetwork, Standing};

/// A registration of jeff's phone that waits for its answer, by token.
async fn registration(front: &House, phone: &mut Phone) -> (Response, String) {
    let jeff = front.user("jeff").await;
    let (token, session_id) = front.token_of(&jeff, OperationKind::Reg, JEFF).await;
    let (_, request) = front.redeem(OperationKind::Reg, &token.expose()).await;
    (phone.register(&request.unwrap()), session_id)
}

/// A phone with a key that the server behind has, that failed to register here, and that could not be taken back.
async fn doubted(front: &House, behind: &Behind, answer_to_removal: Fate) -> Phone {
    let mut phone = Phone::new();
    let (response, session_id) = registration(front, &mut phone).await;
    behind.then([Fate::Lost, answer_to_removal]);
    let before = behind.questions();
    assert_eq!(front.answer(AnswerAt::Registration, &response).await, Err(1500));
    assert_eq!(front.status(&session_id).await["uafStatusCode"], 1500);
    behind.asked_again(before + 1).await;
    phone
}

#[tokio::test]
async fn a_key_whose_registration_got_no_verdict_is_taken_back() {
    let (front, behind) = both().await;
    let (response, session_id) = registration(&front, &mut Phone::new()).await;
    behind.then([Fate::Lost]);
    let before = behind.questions();
    assert_eq!(front.answer(AnswerAt::Registration, &response).await, Err(1500));
    assert_eq!(front.status(&session_id).await["status"], "failed");
    behind.asked_again(before + 1).await;
    assert_eq!(keys(&front, &behind).await, (1, 0), "refused here, and gone there");
}

#[tokio::test]
async fn a_key_that_could_not_be_taken_back_is_refused() {
    for code in [1500, 1404] {
        let (front, behind) = both().await;
        let mut phone = doubted(&front, &behind, Fate::Code(code)).await;
        assert_eq!(keys(&front, &behind).await, (1, 1));
        let (token, session_id) = front.token().await;
        let (_, request) = front.redeem(OperationKind::Auth, &token.expose()).await;
        let response = phone.authenticate(&request.unwrap());
        let questions = behind.questions();
        assert_eq!(front.answer(AnswerAt::Authentication, &response).await, Err(1481));
        assert_eq!(behind.questions(), questions, "nobody was asked");
        assert_eq!(front.status(&session_id).await["status"], "failed");

        let (token, session_id) = front.token_of(&Caller::Anonymous, OperationKind::Auth, "{}").await;
        let (_, request) = front.redeem(OperationKind::Auth, &token.expose()).await;
        let response = phone.authenticate(&request.unwrap());
        assert_eq!(front.answer(AnswerAt::Authentication, &response).await, Err(1498), "nor for nobody in particular");
        assert_eq!(front.status(&session_id).await["status"], "failed");
    }
}

#[tokio::test]
async fn a_doubted_key_goes_with_the_others_and_another_may_be_registered() {
    let (front, behind) = both().await;
    doubted(&front, &behind, Fate::Code(1500)).await;
    let mut phone = front.phone("jeff").await;
    assert_eq!(keys(&front, &behind).await, (2, 2));
    let (token, _) = front.token().await;
    let (_, request) = front.redeem(OperationKind::Auth, &token.expose()).await;
    front.answer(AnswerAt::Authentication, &phone.authenticate(&request.unwrap())).await.unwrap();
    let jeff = front.user("jeff").await;
    front.requests.request(&asker(&jeff), OperationKind::Dereg, None).await.unwrap();
    assert_eq!(keys(&front, &behind).await, (1, 0), "its registration may not be over");
    front.clock.advance(Duration::from_secs(60 * 60 + 1));
    let jeff = front.user("jeff").await;
    assert!(front.requests.request(&asker(&jeff), OperationKind::Dereg, None).await.is_ok(), "the phone is told");
    assert_eq!(keys(&front, &behind).await, (1, 0), "who does not know it may be to get it yet");
    front.phone("jeff").await;
    front.requests.request(&asker(&jeff), OperationKind::Dereg, None).await.unwrap();
    assert_eq!(keys(&front, &behind).await, (0, 0));
}

#[tokio::test]
async fn doubted_keys_give_way_to_others_after_a_day() {
    let (front, behind) = both().await;
    doubted(&front, &behind, Fate::Code(1500)).await;
    let confirmed = |number: usize| key("ext-jeff", u8::try_from(number).unwrap(), Standing::Confirmed);
    front.keys_behind.learn((1..CREDENTIALS_PER_OWNER).map(confirmed).collect()).await.unwrap();
    let ask = async || front.requests.request(&asker(&front.user("jeff").await), OperationKind::Reg, None).await;
    assert!(ask().await.is_err());
    front.clock.advance(Duration::from_secs(24 * 60 * 60 + 1));
    let response = Phone::new().register(&ask().await.unwrap());
    front.answer(AnswerAt::Registration, &response).await.unwrap();
    assert_eq!(keys(&front, &behind).await.0, CREDENTIALS_PER_OWNER);
    assert!(front.keys_behind.of_owner(&"ext-jeff".into()).await.unwrap().iter().all(KeyBehind::is_confirmed));
    assert!(ask().await.is_err(), "no other gives way");
}

#[tokio::test]
async fn doubted_keys_with_long_ids_give_way_after_a_day() {
    let (front, _behind) = both().await;
    let long = |number: u8, standing| KeyBehind {
        key: CredentialKey::new("FFFF#0001", vec![number; 2048]),
        created: front.clock.now(),
        ..key("ext-jeff", number, standing)
    };
    let fill = async || {
        front.keys_behind.learn((0..4).map(|number| long(number, Standing::Confirmed)).collect()).await.unwrap();
        front.keys_behind.doubt((4..8).map(|number| long(number, Standing::Expected)).collect()).await.unwrap();
    };
    let ask = async || front.requests.request(&asker(&front.user("jeff").await), OperationKind::Reg, None).await;
    let early = Phone::new().register(&ask().await.unwrap());
    fill().await;
    assert_eq!(front.answer(AnswerAt::Registration, &early).await, Err(1403));
    assert!(ask().await.is_err());
    front.clock.advance(Duration::from_secs(24 * 60 * 60 + 1));
    let response = Phone::new().register(&ask().await.unwrap());
    assert_eq!(standings(&front).await, [vec![Standing::Confirmed; 4], vec![Standing::Doubted; 3]].concat());
    front.keys_behind.doubt(vec![KeyBehind { created: Millis(0), ..long(9, Standing::Expected) }]).await.unwrap();
    front.answer(AnswerAt::Registration, &response).await.unwrap();
    assert_eq!(
        standings(&front).await,
        [vec![Standing::Confirmed; 4], vec![Standing::Doubted; 3], vec![Standing::Confirmed]].concat()
    );
}

#[tokio::test]
async fn a_refused_registration_leaves_no_record() {
    for code in [1491, 1494, 1496, 1498] {
        let (front, behind) = both().await;
        let (response, _) = registration(&front, &mut Phone::new()).await;
        behind.then([Fate::Code(code)]);
        let questions = behind.questions();
        assert_eq!(front.answer(AnswerAt::Registration, &response).await, Err(code));
        assert_eq!((keys(&front, &behind).await, behind.questions()), ((0, 0), questions + 1), "{code}");
    }
}

#[tokio::test]
async fn a_late_verdict_leaves_what_was_registered_meanwhile_alone() {
    for fate in [Fate::Lost, Fate::Code(1498)] {
        let (front, behind) = both().await;
        let mut phone = Phone::new();
        let (response, _) = registration(&front, &mut phone).await;
        let of_phone = credential::record_key(&phone.keys[0].key_ref());
        let anew = KeyBehind { key: of_phone, ..key("ext-jeff", 1, Standing::Confirmed) };
        behind.then([fate]);
        let questions = behind.questions();
        let judged = during(&behind, front.answer(AnswerAt::Registration, &response), async || {
            front.keys_behind.forget(&anew.owner, &Removal::All).await.unwrap();
            front.keys_behind.learn(vec![anew.clone()]).await.unwrap();
        });
        assert!(judged.await.is_err());
        assert_eq!(front.keys_behind.of_owner(&anew.owner).await.unwrap(), std::slice::from_ref(&anew));
        front.phone("jeff").await;
        assert_eq!(behind.questions(), questions + 3, "nothing was removed");
    }
}

#[tokio::test]
async fn a_key_is_taken_back_in_the_place_of_its_registration() {
    let (front, behind) = both().await;
    let (response, _) = registration(&front, &mut Phone::new()).await;
    let (response, token) = (response.to_message(), front.token().await.0.expose());
    let one = Some(SourceNetwork::of([192, 0, 2, 1].into()));
    behind.then([Fate::Lost]);
    assert!(
        front
            .fido
            .open(&Arrival { at: AnswerAt::Registration, uaf_response: &response, context: None, from: one })
            .take()
            .await
            .is_err()
    );
    let before = behind.close();
    let door = async {
        behind.asked_again(before).await;
        behind.open();
    };
    let (redeemed, ()) = tokio::join!(front.redeem.redeem(OperationKind::Auth, &token, one), door);
    assert!(redeemed.is_err(), "its network has a share of one");
    assert_eq!(keys(&front, &behind).await, (1, 0));
}

#[tokio::test]
async fn a_registration_that_nobody_heard_of_leaves_no_record() {
    let (front, behind) = both().await;
    let (response, session_id) = registration(&front, &mut Phone::new()).await;
    behind.leave().await;
    assert_eq!(front.answer(AnswerAt::Registration, &response).await, Err(1500));
    assert_eq!(front.status(&session_id).await["status"], "failed");
    assert!(front.keys_behind.of_owner(&"ext-jeff".into()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_verdict_that_leaves_open_what_comes_of_it_is_none() {
    for code in [1202, 1500, 7] {
        let (front, behind) = both().await;
        let (response, _) = registration(&front, &mut Phone::new()).await;
        let before = behind.questions();
        behind.then([Fate::Code(code), Fate::Code(1404)]);
        assert!(front.answer(AnswerAt::Registration, &response).await.is_err());
        behind.asked_again(before + 1).await;
        assert_eq!((keys(&front, &behind).await, behind.questions()), ((1, 0), before + 2), "{code}");
    }
}

#[tokio::test]
async fn a_key_that_was_deregistered_while_it_was_judged_is_not_registered() {
    for taken_back in [true, false] {
        let (front, behind) = both().await;
        let mut phone = Phone::new();
        let (response, session_id) = registration(&front, &mut phone).await;
        let before = behind.questions();
        let judged = during(&behind, front.answer(AnswerAt::Registration, &response), async || {
            front.keys_behind.forget(&"ext-jeff".into(), &Removal::All).await.unwrap();
            behind.then((!taken_back).then_some(Fate::Code(1500)));
        });
        assert_eq!(judged.await, Err(1500));
        let status = front.status(&session_id).await;
        assert_eq!((status["status"].as_str(), status["uafStatusCode"].as_u64()), (Some("failed"), Some(1500)));
        let left = usize::from(!taken_back);
        behind.asked_again(before + 1).await;
        assert_eq!(keys(&front, &behind).await, (1, left));
        if !taken_back {
            let (token, _) = front.token().await;
            let (_, request) = front.redeem(OperationKind::Auth, &token.expose()).await;
            let response = phone.authenticate(&request.unwrap());
            assert_eq!(front.answer(AnswerAt::Authentication, &response).await, Err(1481), "it is not learnt");
        }
    }
}

#[tokio::test]
async fn a_removal_whose_message_got_lost_is_told_from_the_record() {
    let (front, behind) = both().await;
    let mut phone = front.phone("jeff").await;
    let jeff = front.user("jeff").await;
    let (token, session_id) = front.token_of(&jeff, OperationKind::Dereg, JEFF).await;
    behind.then([Fate::Lost]);
    assert_eq!(front.redeem(OperationKind::Dereg, &token.expose()).await.0, 1500);
    assert_eq!(front.status(&session_id).await["status"], "tokenCreated");
    assert_eq!(keys(&front, &behind).await, (1, 0));
    let (code, request) = front.redeem(OperationKind::Dereg, &token.expose()).await;
    assert_eq!(code, 1200);
    phone.deregister(&request.unwrap());
    assert!(phone.keys.is_empty());
    assert_eq!(front.status(&session_id).await["status"], "succeeded");
    assert_eq!(keys(&front, &behind).await, (0, 0));
}

#[tokio::test]
async fn without_a_record_there_is_nothing_to_tell() {
    let (front, behind) = both().await;
    front.phone("jeff").await;
    let owner: ExtId = "ext-jeff".into();
    front.keys_behind.forget(&owner, &Removal::All).await.unwrap();
    behind.house.credentials.remove(&owner, &Removal::All).await.unwrap();
    let jeff = front.user("jeff").await;
    let (token, _) = front.token_of(&jeff, OperationKind::Dereg, JEFF).await;
    assert_eq!(front.redeem(OperationKind::Dereg, &token.expose()).await.0, 1404);
}
