//! The contract of [`Challenges`].

use std::time::Duration;

use sidegate_filters::clock::Clock;

use super::{Fixture, race};
use crate::store::{ChallengeDigest, Challenges, Growth, OperationId, Origin, StoreError};

type Setup = Fixture<dyn Challenges>;

macro_rules! challenges_contract {
    ($fixture:path) => {
        $crate::store::contract::rules!(
            challenges,
            $fixture,
            [
                a_challenge_leads_to_its_operation,
                one_of_two_hundred_operations_has_it,
                it_ends_by_the_clock,
                what_is_forgotten_may_come_again
            ]
        );
    };
}
pub(crate) use challenges_contract;

async fn remember(setup: &Setup, challenge: &[u8], operation: OperationId) -> Result<(), StoreError> {
    let until = setup.clock.now().after(Duration::from_secs(60));
    setup.store.remember(ChallengeDigest::of(challenge), operation, until, &Origin::Internal, Growth::Bounded).await
}

async fn find(setup: &Setup, challenge: &[u8]) -> Option<OperationId> {
    setup.store.find(ChallengeDigest::of(challenge)).await.unwrap()
}

pub(crate) async fn a_challenge_leads_to_its_operation(setup: &Setup) {
    let (first, second) = (OperationId::random(), OperationId::random());
    remember(setup, b"first", first).await.unwrap();
    remember(setup, b"second", second).await.unwrap();
    assert_eq!((find(setup, b"first").await, find(setup, b"second").await), (Some(first), Some(second)));
    assert_eq!(find(setup, b"third").await, None);
}

pub(crate) async fn one_of_two_hundred_operations_has_it(setup: &Setup) {
    let results = race(200, |_| {
        let (store, until) = (setup.store.clone(), setup.clock.now().after(Duration::from_secs(60)));
        async move {
            let id = OperationId::random();
            store
                .remember(ChallengeDigest::of(b"one"), id, until, &Origin::Internal, Growth::Bounded)
                .await
                .map(|()| id)
        }
    })
    .await;
    let winners: Vec<OperationId> = results.iter().filter_map(|result| result.as_ref().ok().copied()).collect();
    assert_eq!(winners.len(), 1);
    assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(StoreError::Exists))));
    assert_eq!(find(setup, b"one").await, winners.first().copied());
}

pub(crate) async fn it_ends_by_the_clock(setup: &Setup) {
    remember(setup, b"first", OperationId::random()).await.unwrap();
    setup.clock.advance(Duration::from_secs(59));
    setup.store.sweep().await.unwrap();
    assert!(find(setup, b"first").await.is_some());
    setup.clock.advance(Duration::from_secs(1));
    assert_eq!(find(setup, b"first").await, None);
    setup.clock.advance(Duration::from_secs(2));
    setup.store.sweep().await.unwrap();
    remember(setup, b"first", OperationId::random()).await.unwrap();
}

pub(crate) async fn what_is_forgotten_may_come_again(setup: &Setup) {
    let second = OperationId::random();
    remember(setup, b"first", OperationId::random()).await.unwrap();
    setup.store.forget(ChallengeDigest::of(b"first")).await.unwrap();
    setup.store.forget(ChallengeDigest::of(b"never seen")).await.unwrap();
    assert_eq!(find(setup, b"first").await, None);
    remember(setup, b"first", second).await.unwrap();
    assert_eq!(find(setup, b"first").await, Some(second));
}
