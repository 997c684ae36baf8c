//! The redeem table (`http-api.md` 3).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sidegate_filters::Caller;
use sidegate_filters::clock::Clock;

use super::super::Redeem;
use super::super::testing::House;
use crate::fido::AnswerAt;
use crate::store::contract::race;
use crate::store::operation::{Event, Operation, OperationKind};
use crate::store::{OperationId, Operations, Origin, StoreError, Transition, TransitionError, Users};

const MINUTES_5: Duration = Duration::from_secs(300);

#[tokio::test]
async fn free_then_redeemed() {
    let house = House::new();
    house.phone("jeff").await;
    let (token, session_id) = house.token().await;
    assert_eq!(house.redeem(OperationKind::Reg, &token.expose()).await.0, 1404, "another operation's path");
    assert_eq!(house.redeem(OperationKind::Dereg, &token.expose()).await.0, 1404, "another operation's path");
    assert_eq!(house.status(&session_id).await["status"], "tokenCreated");
    let (code, request) = house.redeem(OperationKind::Auth, &token.expose()).await;
    assert_eq!((code, request.unwrap().lifetime_millis), (1200, Some(300_000)));
    assert_eq!(house.redeem(OperationKind::Auth, &token.expose()).await.0, 1403);
    house.clock.advance(MINUTES_5);
    assert_eq!(house.status(&session_id).await["uafStatusCode"], 1408);
    assert_eq!(house.redeem(OperationKind::Auth, &token.expose()).await.0, 1403, "redeemed stays redeemed");
}

#[tokio::test]
async fn expired_and_forgotten() {
    let house = House::new();
    house.phone("jeff").await;
    let (token, _) = house.token().await;
    house.clock.advance(MINUTES_5);
    assert_eq!(house.redeem(OperationKind::Auth, &token.expose()).await.0, 1408);
    house.clock.advance(MINUTES_5 * 2);
    assert_eq!(house.redeem(OperationKind::Auth, &token.expose()).await.0, 1404);
}

#[tokio::test]
async fn the_tokens_state_answers_before_its_user_does() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let (redeemed, _) = house.token().await;
    let (_, request) = house.redeem(OperationKind::Auth, &redeemed.expose()).await;
    house.answer(AnswerAt::Authentication, &phone.authenticate(&request.unwrap())).await.unwrap();
    let (expired, _) = house.token().await;
    house.clock.advance(MINUTES_5);
    house.users.remove("jeff").await.unwrap();
    assert_eq!(house.redeem(OperationKind::Auth, &redeemed.expose()).await.0, 1403);
    assert_eq!(house.redeem(OperationKind::Reg, &redeemed.expose()).await.0, 1404);
    assert_eq!(house.redeem(OperationKind::Auth, &expired.expose()).await.0, 1408);
}

#[tokio::test]
async fn unknown_tokens() {
    let house = House::new();
    for token in ["", "no token", "98248c42-c9d5-4332-9b28-c3dc497df311"] {
        assert_eq!(house.redeem(OperationKind::Auth, token).await.0, 1404, "{token}");
    }
    let (_, session_id) = house.token().await;
    assert_eq!(house.redeem(OperationKind::Auth, &session_id).await.0, 1404, "a session id is no token");
}

#[tokio::test]
async fn cancelled() {
    let house = House::new();
    house.phone("jeff").await;
    let (token, session_id) = house.token().await;
    let id = OperationId(session_id.parse().unwrap());
    house.operations.transition(id, Event::Cancel).await.unwrap();
    assert_eq!(house.redeem(OperationKind::Auth, &token.expose()).await.0, 1403);
}

#[tokio::test]
async fn a_user_without_a_key_leaves_the_token_free() {
    let house = House::new();
    let (token, session_id) = house.token().await;
    assert_eq!(house.redeem(OperationKind::Auth, &token.expose()).await.0, 1404);
    assert_eq!(house.status(&session_id).await["status"], "tokenCreated");
    house.phone("jeff").await;
    assert_eq!(house.redeem(OperationKind::Auth, &token.expose()).await.0, 1200);
}

#[tokio::test]
async fn a_removed_users_token_is_worth_nothing() {
    let house = House::new();
    house.phone("jeff").await;
    let (token, _) = house.token().await;
    house.users.remove("jeff").await.unwrap();
    assert_eq!(house.redeem(OperationKind::Auth, &token.expose()).await.0, 1404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_redeems_one_gets_the_request() {
    let house = House::new();
    house.phone("jeff").await;
    let (token, _) = house.token().await;
    let house = Arc::new(house);
    let codes = race(200, |_| {
        let (house, token) = (Arc::clone(&house), token.expose());
        async move { house.redeem(OperationKind::Auth, &token).await.0 }
    })
    .await;
    assert_eq!(codes.iter().filter(|code| **code == 1200).count(), 1);
    assert_eq!(codes.iter().filter(|code| **code == 1403).count(), 199);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_deregistrations_one_gets_the_request() {
    let house = House::new();
    house.phone("jeff").await;
    let jeff = house.user("jeff").await;
    let (token, _) = house.token_of(&jeff, OperationKind::Dereg, "{}").await;
    let house = Arc::new(house);
    let codes = race(50, |_| {
        let (house, token) = (Arc::clone(&house), token.expose());
        async move { house.redeem(OperationKind::Dereg, &token).await.0 }
    })
    .await;
    assert_eq!(codes.iter().filter(|code| **code == 1200).count(), 1);
    assert_eq!(codes.iter().filter(|code| **code == 1403).count(), 49);
}

#[tokio::test]
async fn a_deregistration_that_finds_nothing_is_free_again() {
    let house = House::new();
    let jeff = house.user("jeff").await;
    let (token, session_id) = house.token_of(&jeff, OperationKind::Dereg, "{}").await;
    assert_eq!(house.redeem(OperationKind::Dereg, &token.expose()).await.0, 1404);
    assert_eq!(house.status(&session_id).await["status"], "tokenCreated");
}

/// A store that fails where it is told.
struct Failing(Arc<dyn Operations>, fn(&Event) -> Option<StoreError>);

#[async_trait]
impl Operations for Failing {
    async fn create(&self, operation: Operation, origin: &Origin) -> Result<(), StoreError> {
        self.0.create(operation, origin).await
    }

    async fn get(&self, id: OperationId) -> Result<Option<Arc<Operation>>, StoreError> {
        self.0.get(id).await
    }

    async fn transition(&self, id: OperationId, event: Event) -> Result<Transition, TransitionError> {
        match self.1(&event) {
            Some(fault) => Err(fault.into()),
            None => self.0.transition(id, event).await,
        }
    }

    async fn discard(&self, id: OperationId) -> Result<(), StoreError> {
        self.0.discard(id).await
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        self.0.sweep().await
    }
}

/// Has the redeems of this house meet such a store.
fn fail(house: &mut House, fails: fn(&Event) -> Option<StoreError>) {
    house.redeem = Arc::new(Redeem {
        operations: Arc::new(Failing(Arc::clone(&house.operations), fails)),
        users: Arc::clone(&house.users) as Arc<dyn Users>,
        eras: house.eras.clone(),
        fido: Arc::clone(&house.fido),
        key: house.redeem.key.clone(),
        clock: Arc::clone(&house.clock) as Arc<dyn Clock>,
    });
}

#[tokio::test]
async fn a_token_whose_work_there_is_no_room_for_is_free_again() {
    let mut house = House::new();
    house.phone("jeff").await;
    let (jeff, roomy) = (house.user("jeff").await, Arc::clone(&house.redeem));
    let (token, session_id) = house.token_of(&jeff, OperationKind::Dereg, "{}").await;
    fail(&mut house, |event| matches!(event, Event::Complete { .. }).then_some(StoreError::Full));
    let fault = house.redeem.redeem(OperationKind::Dereg, &token.expose(), None).await.unwrap_err();
    assert!(matches!(fault, super::super::NotRedeemed::Store(StoreError::Full)), "{fault}");
    assert_eq!(house.status(&session_id).await["status"], "tokenCreated");
    house.phone("jeff").await;
    house.redeem = roomy;
    assert_eq!(house.redeem(OperationKind::Dereg, &token.expose()).await.0, 1200);
}

#[tokio::test]
async fn a_token_that_stays_claimed_does_not_hide_why() {
    let mut house = House::new();
    let jeff = house.user("jeff").await;
    let (token, _) = house.token_of(&jeff, OperationKind::Dereg, "{}").await;
    fail(&mut house, |event| match event {
        Event::Release { .. } => Some(StoreError::Unavailable("test".into())),
        _ => None,
    });
    assert_eq!(house.redeem(OperationKind::Dereg, &token.expose()).await.0, 1404, "there is no key");
    assert_eq!(house.redeem(OperationKind::Dereg, &token.expose()).await.0, 1403, "it was not freed");
}

#[tokio::test]
async fn a_store_that_is_down_is_no_uaf_code() {
    let house = House::new();
    house.phone("jeff").await;
    let (token, _) = house.token_of(&Caller::Anonymous, OperationKind::Auth, r#"{"username":"jeff"}"#).await;
    *house.users.up.lock().unwrap() = false;
    let fault = house.redeem.redeem(OperationKind::Auth, &token.expose(), None).await.unwrap_err();
    assert!(matches!(fault, super::super::NotRedeemed::Store(StoreError::Unavailable(_))));
    *house.users.up.lock().unwrap() = true;
    assert_eq!(house.redeem(OperationKind::Auth, &token.expose()).await.0, 1200, "it was left free");
}
