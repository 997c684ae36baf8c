//! The contract of [`Replays`].

use std::time::Duration;

use sidegate_filters::clock::Clock;

use super::{Fixture, race};
use crate::store::Replays;

type Setup = Fixture<dyn Replays>;

macro_rules! replays_contract {
    ($fixture:path) => {
        $crate::store::contract::rules!(
            replays,
            $fixture,
            [
                once_until_its_end,
                asking_remembers_nothing,
                one_of_two_hundred_is_first,
                keys_are_apart,
                all_of_them_or_none,
                nothing_is_forgotten_where_the_clock_is_set_back,
                many_come_and_go
            ]
        );
    };
}
pub(crate) use replays_contract;

const SKEW: Duration = Duration::from_secs(300);

async fn is_new(setup: &Setup, key: &str) -> bool {
    setup.store.remember(&[key], setup.clock.now().after(SKEW)).await.unwrap()
}

pub(crate) async fn once_until_its_end(setup: &Setup) {
    assert!(is_new(setup, "a").await);
    assert!(!is_new(setup, "a").await);
    setup.clock.advance(SKEW - Duration::from_millis(1));
    assert!(!is_new(setup, "a").await, "a second try does not begin its time anew, nor end it");
    setup.clock.advance(Duration::from_millis(1));
    assert!(is_new(setup, "a").await);
    assert!(!is_new(setup, "a").await);
}

pub(crate) async fn asking_remembers_nothing(setup: &Setup) {
    assert!(!setup.store.is_remembered("a").await.unwrap());
    assert!(is_new(setup, "a").await);
    setup.clock.advance(SKEW - Duration::from_millis(1));
    assert!(setup.store.is_remembered("a").await.unwrap());
    assert!(!setup.store.is_remembered("b").await.unwrap());
    setup.clock.advance(Duration::from_millis(1));
    assert!(!setup.store.is_remembered("a").await.unwrap());
}

pub(crate) async fn one_of_two_hundred_is_first(setup: &Setup) {
    let until = setup.clock.now().after(SKEW);
    let results = race(200, |_| {
        let store = setup.store.clone();
        async move { store.remember(&["a"], until).await.unwrap() }
    })
    .await;
    assert_eq!(results.iter().filter(|first| **first).count(), 1);
}

pub(crate) async fn keys_are_apart(setup: &Setup) {
    for key in ["", "a", "A", "a:", "a:b", "ä", "\u{10ffff}", "\u{10ffff}\u{10ffff}"] {
        assert!(is_new(setup, key).await, "{key:?}");
        assert!(!is_new(setup, key).await, "{key:?}");
    }
}

pub(crate) async fn all_of_them_or_none(setup: &Setup) {
    let until = setup.clock.now().after(SKEW);
    assert!(setup.store.remember(&["a", "b"], until).await.unwrap());
    assert!(!is_new(setup, "a").await);
    assert!(!is_new(setup, "b").await);
    for one_known in [["b", "c"], ["c", "b"]] {
        assert!(!setup.store.remember(&one_known, until).await.unwrap());
        assert!(!setup.store.is_remembered("c").await.unwrap());
    }
    setup.clock.advance(SKEW);
    assert!(setup.store.remember(&["b", "c"], setup.clock.now().after(SKEW)).await.unwrap());
    assert!(is_new(setup, "a").await);
}

pub(crate) async fn nothing_is_forgotten_where_the_clock_is_set_back(setup: &Setup) {
    assert!(is_new(setup, "a").await);
    setup.clock.advance(2 * SKEW);
    assert!(is_new(setup, "b").await, "which is when those that ended may be dropped");
    assert!(!setup.store.is_remembered("a").await.unwrap());
    setup.clock.set_back(SKEW + Duration::from_secs(1));
    assert!(setup.store.is_remembered("a").await.unwrap());
    assert!(!is_new(setup, "a").await);
}

pub(crate) async fn many_come_and_go(setup: &Setup) {
    for round in 0..4 {
        for number in 0..50 {
            assert!(is_new(setup, &format!("key-{number}")).await, "round {round}");
        }
        assert!(!is_new(setup, "key-49").await);
        setup.clock.advance(SKEW);
    }
}
