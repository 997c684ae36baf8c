//! The contract of [`KeysBehind`].

use sidegate_filters::clock::Millis;

use super::{Fixture, START};
use crate::store::credentials::CREDENTIALS_PER_OWNER;
use crate::store::{CredentialError, CredentialKey, ExtId, KeyBehind, KeysBehind, Removal, Retired, Standing};

type Setup = Fixture<dyn KeysBehind>;

macro_rules! keys_behind_contract {
    ($fixture:path) => {
        $crate::store::contract::rules!(
            keys_behind,
            $fixture,
            [
                what_is_expected_counts_once_confirmed,
                one_of_two_first_ones_is_confirmed,
                only_the_very_record_that_was_expected_is_confirmed,
                each_owner_has_a_record_of_its_own,
                what_is_doubted_goes_once_it_is_settled,
                what_is_doubted_is_registered_again_and_never_learnt,
                what_failed_leaves_the_record_of_another_registration_alone,
                what_is_withdrawn_goes_unless_it_was_confirmed,
                of_one_registration_all_are_kept_or_none,
                a_user_has_so_many_and_no_more,
                what_is_forgotten_is_gone,
            ]
        );
    };
}
pub(crate) use keys_behind_contract;

/// What this owner has of a key of model FFFF#0001.
pub(crate) fn key(owner: &str, key_id: u8, standing: Standing) -> KeyBehind {
    KeyBehind {
        key: CredentialKey::new("FFFF#0001", vec![key_id; 32]),
        ext_id: format!("{owner}-{key_id}"),
        owner: owner.into(),
        device_id: Some("device".into()),
        device_name: Some("phone".into()),
        created: Millis(START.0 + i64::from(key_id)),
        app_id: Some("https://gate.example".into()),
        standing,
    }
}

fn expected(owner: &str, key_id: u8) -> KeyBehind {
    key(owner, key_id, Standing::Expected)
}

async fn standings(setup: &Setup, owner: &str) -> Vec<Standing> {
    setup.store.of_owner(&owner.into()).await.unwrap().iter().map(|key| key.standing).collect()
}

pub(crate) async fn what_is_expected_counts_once_confirmed(setup: &Setup) {
    let keys = [1, 2].map(|key_id| expected("jeff", key_id));
    setup.store.expect(keys.to_vec()).await.unwrap();
    for unexpected in [expected("eve", 1), expected("jeff", 3), key("jeff", 1, Standing::Confirmed)] {
        assert!(!setup.store.confirm(&[keys[1].clone(), unexpected], false).await.unwrap());
        assert_eq!(standings(setup, "jeff").await, [Standing::Expected; 2], "all of them or none");
    }
    assert!(setup.store.confirm(&keys[1..], false).await.unwrap());
    assert_eq!(standings(setup, "jeff").await, [Standing::Expected, Standing::Confirmed]);
    let confirmed = KeyBehind { standing: Standing::Confirmed, ..keys[1].clone() };
    assert_eq!(setup.store.of_key(&keys[1].key).await.unwrap(), [confirmed]);
}

pub(crate) async fn one_of_two_first_ones_is_confirmed(setup: &Setup) {
    let keys = [1, 2].map(|key_id| expected("jeff", key_id));
    setup.store.expect(keys.to_vec()).await.unwrap();
    setup.store.learn(vec![key("eve", 1, Standing::Confirmed)]).await.unwrap();
    assert!(setup.store.confirm(&keys[..1], true).await.unwrap());
    assert!(!setup.store.confirm(&keys[1..], true).await.unwrap());
    assert_eq!(standings(setup, "jeff").await, [Standing::Confirmed, Standing::Expected]);
}

pub(crate) async fn only_the_very_record_that_was_expected_is_confirmed(setup: &Setup) {
    let (store, first) = (&setup.store, expected("jeff", 1));
    store.expect(vec![first.clone()]).await.unwrap();
    store.forget(&first.owner, &Removal::All).await.unwrap();
    store.expect(vec![KeyBehind { ext_id: "another registration".into(), ..first.clone() }]).await.unwrap();
    assert!(!store.confirm(&[first], false).await.unwrap());
    assert_eq!(standings(setup, "jeff").await, [Standing::Expected]);
}

pub(crate) async fn each_owner_has_a_record_of_its_own(setup: &Setup) {
    let (jeff, eve) = (key("jeff", 1, Standing::Confirmed), expected("eve", 1));
    for record in [&eve, &jeff] {
        setup.store.expect(vec![record.clone()]).await.unwrap();
        for again in [setup.store.expect(vec![record.clone()]).await, setup.store.learn(vec![record.clone()]).await] {
            assert!(matches!(again, Err(CredentialError::Registered)));
        }
    }
    setup.store.expect(vec![expected("jefff", 2)]).await.unwrap();
    assert_eq!(setup.store.of_key(&jeff.key).await.unwrap(), [eve.clone(), jeff.clone()]);
    assert_eq!(setup.store.of_owner(&"jeff".into()).await.unwrap(), std::slice::from_ref(&jeff));
    assert_eq!(setup.store.owners().await.unwrap(), ["eve".into(), "jeff".into(), "jefff".into()].into());
    assert_eq!(setup.store.forget(&eve.owner, &Removal::Key(eve.key.clone())).await.unwrap(), [eve.key]);
    assert_eq!(setup.store.of_key(&jeff.key).await.unwrap(), [jeff]);
    assert_eq!(setup.store.owners().await.unwrap(), ["jeff".into(), "jefff".into()].into());
}

pub(crate) async fn what_is_doubted_goes_once_it_is_settled(setup: &Setup) {
    let (store, jeff, record) = (&setup.store, ExtId::from("jeff"), expected("jeff", 1));
    store.expect(vec![record.clone()]).await.unwrap();
    let doubted = KeyBehind { standing: Standing::Doubted, ..record.clone() };
    let open = Retired { gone: Vec::new(), doubted: vec![doubted.clone()] };
    assert_eq!(store.retire(&jeff, &Removal::All, record.created).await.unwrap(), open);
    assert_eq!(standings(setup, "jeff").await, [Standing::Doubted]);
    assert!(!store.confirm(std::slice::from_ref(&record), false).await.unwrap());
    let later = Millis(record.created.0 + 1);
    assert_eq!(store.retire(&"eve".into(), &Removal::All, later).await.unwrap(), Retired::default());
    let others = Removal::Model("FFFF#0002".into());
    assert_eq!(store.retire(&jeff, &others, later).await.unwrap(), Retired::default());
    assert_eq!(store.retire(&jeff, &Removal::All, later).await.unwrap().gone, [doubted]);
    assert_eq!(standings(setup, "jeff").await, []);
    let confirmed = key("jeff", 1, Standing::Confirmed);
    store.learn(vec![confirmed.clone()]).await.unwrap();
    let retired = store.retire(&jeff, &Removal::All, Millis(i64::MIN)).await.unwrap();
    assert_eq!(retired, Retired { gone: vec![confirmed], doubted: Vec::new() }, "it was confirmed");
}

pub(crate) async fn what_is_doubted_is_registered_again_and_never_learnt(setup: &Setup) {
    let (store, record) = (&setup.store, expected("jeff", 1));
    store.doubt(vec![record.clone()]).await.unwrap();
    let learnt = store.learn(vec![key("jeff", 2, Standing::Confirmed), key("jeff", 1, Standing::Confirmed)]).await;
    assert!(matches!(learnt, Err(CredentialError::Registered)));
    assert_eq!(standings(setup, "jeff").await, [Standing::Doubted], "all of them or none");
    store.expect(vec![record.clone()]).await.unwrap();
    assert!(store.confirm(std::slice::from_ref(&record), false).await.unwrap());
    store.doubt(vec![record]).await.unwrap();
    assert_eq!(standings(setup, "jeff").await, [Standing::Doubted]);
}

pub(crate) async fn what_failed_leaves_the_record_of_another_registration_alone(setup: &Setup) {
    let (store, first, alone) = (&setup.store, expected("jeff", 1), expected("jeff", 2));
    for standing in [Standing::Expected, Standing::Doubted, Standing::Confirmed] {
        store.forget(&first.owner, &Removal::All).await.unwrap();
        let second = KeyBehind { ext_id: "another registration".into(), standing, ..first.clone() };
        store.expect(vec![second.clone()]).await.unwrap();
        store.withdraw(&[first.clone(), alone.clone()]).await.unwrap();
        let doubted = KeyBehind { standing: Standing::Doubted, ..alone.clone() };
        let kept = store.doubt(vec![first.clone(), alone.clone()]).await.unwrap();
        assert_eq!(kept, std::slice::from_ref(&doubted), "{standing:?}");
        assert_eq!(store.of_owner(&first.owner).await.unwrap(), [second, doubted], "{standing:?}");
    }
}

pub(crate) async fn what_is_withdrawn_goes_unless_it_was_confirmed(setup: &Setup) {
    let keys = [1, 2, 3].map(|key_id| expected("jeff", key_id));
    setup.store.expect(keys.to_vec()).await.unwrap();
    assert!(setup.store.confirm(&keys[1..2], false).await.unwrap());
    setup.store.doubt(keys[2..].to_vec()).await.unwrap();
    setup.store.withdraw(&keys).await.unwrap();
    assert_eq!(standings(setup, "jeff").await, [Standing::Confirmed]);
}

pub(crate) async fn of_one_registration_all_are_kept_or_none(setup: &Setup) {
    setup.store.expect(vec![expected("jeff", 2)]).await.unwrap();
    for refused in [[1, 2], [3, 3]] {
        let result = setup.store.expect(refused.map(|key_id| expected("jeff", key_id)).to_vec()).await;
        assert!(matches!(result, Err(CredentialError::Registered)), "{refused:?}");
        assert_eq!(setup.store.of_owner(&"jeff".into()).await.unwrap(), [expected("jeff", 2)], "{refused:?}");
    }
}

pub(crate) async fn a_user_has_so_many_and_no_more(setup: &Setup) {
    let most = u8::try_from(CREDENTIALS_PER_OWNER).unwrap();
    setup.store.expect((1..most).map(|key_id| expected("jeff", key_id)).collect()).await.unwrap();
    let two = vec![expected("jeff", 100), expected("jeff", 101)];
    assert!(matches!(setup.store.expect(two.clone()).await, Err(CredentialError::TooMany)));
    assert!(matches!(setup.store.learn(two).await, Err(CredentialError::TooMany)));
    setup.store.learn(vec![expected("jeff", 100)]).await.unwrap();
    setup.store.doubt(vec![expected("jeff", 1)]).await.unwrap();
    setup.store.expect(vec![expected("jeff", 1)]).await.unwrap();
    setup.store.expect(vec![expected("jefff", 1)]).await.unwrap();
    assert_eq!(standings(setup, "jeff").await.len(), CREDENTIALS_PER_OWNER);
}

pub(crate) async fn what_is_forgotten_is_gone(setup: &Setup) {
    setup.store.expect((1..4).map(|key_id| expected("jeff", key_id)).collect()).await.unwrap();
    let one = Removal::Key(expected("jeff", 2).key);
    assert!(setup.store.forget(&"eve".into(), &one).await.unwrap().is_empty());
    assert_eq!(setup.store.forget(&"jeff".into(), &one).await.unwrap().len(), 1);
    assert_eq!(setup.store.forget(&"jeff".into(), &Removal::Model("ffff#0001".into())).await.unwrap().len(), 2);
    assert!(setup.store.owners().await.unwrap().is_empty());
    assert!(setup.store.of_key(&expected("jeff", 1).key).await.unwrap().is_empty());
}
