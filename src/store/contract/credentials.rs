//! The contract of [`Credentials`].

use std::collections::BTreeSet;

use sidegate_filters::clock::Millis;

use super::{Fixture, START, race};
use crate::store::credentials::{CREDENTIALS_PER_OWNER, KEY_IDS_PER_OWNER};
use crate::store::{CounterError, Credential, CredentialError, CredentialKey, Credentials, ExtId, Removal};

type Setup = Fixture<dyn Credentials>;

macro_rules! credentials_contract {
    ($fixture:path) => {
        $crate::store::contract::rules!(
            credentials,
            $fixture,
            [
                what_was_added_is_there,
                a_key_is_registered_once_for_everybody,
                of_one_registration_all_are_kept_or_none,
                models_differ_not_by_case,
                a_user_has_so_many_and_no_more,
                the_key_ids_of_a_user_are_no_longer_together,
                one_of_many_registrations_wins,
                a_first_one_is_kept_beside_those_named_alone,
                one_of_many_first_ones_is_kept,
                a_user_sees_its_own,
                a_counter_only_grows,
                counters_of_one_answer_move_together,
                a_counter_of_zero_stays_zero,
                one_of_many_equal_counters_wins,
                an_unknown_counter_is_not_made,
                one_key_is_removed,
                a_model_is_removed,
                all_of_a_user_are_removed,
                nobody_removes_what_is_anothers,
                owners_are_known,
            ]
        );
    };
}
pub(crate) use credentials_contract;

pub(crate) fn credential(owner: &str, aaid: &str, key_id: u8) -> Credential {
    Credential {
        key: CredentialKey::new(aaid, vec![key_id; 32]),
        ext_id: format!("{owner}-{key_id}"),
        owner: owner.into(),
        public_key: vec![4; 65],
        key_format: 0x0100,
        algorithm: 1,
        sign_counter: 5,
        registration_counter: 1,
        authenticator_version: 2,
        device_id: Some(format!("device-{}", key_id % 2)),
        device_name: Some("phone".into()),
        pictures: Some("[]".into()),
        created: Millis(START.0 + i64::from(key_id)),
        last_used: None,
    }
}

async fn put(setup: &Setup, owner: &str, aaid: &str, key_id: u8) -> CredentialKey {
    let credential = credential(owner, aaid, key_id);
    setup.store.add_all(vec![credential.clone()], None).await.unwrap();
    credential.key
}

async fn counter(setup: &Setup, key: &CredentialKey) -> u32 {
    setup.store.get(key).await.unwrap().unwrap().sign_counter
}

/// Jeff has keys 1 and 2 of one model and 3 of another, eve has 4.
async fn populate(setup: &Setup) {
    for (owner, aaid, key_id) in
        [("jeff", "FFFF#0001", 1), ("jeff", "FFFF#0001", 2), ("jeff", "FFFF#0002", 3), ("eve", "FFFF#0001", 4)]
    {
        put(setup, owner, aaid, key_id).await;
    }
}

async fn left(setup: &Setup, owner: &str) -> Vec<u8> {
    let list = setup.store.list(&owner.into()).await.unwrap();
    list.iter().map(|credential| credential.key.key_id()[0]).collect()
}

pub(crate) async fn what_was_added_is_there(setup: &Setup) {
    let credential = credential("jeff", "FFFF#0001", 1);
    let plain = Credential { pictures: None, ..self::credential("jeff", "FFFF#0001", 3) };
    setup.store.add_all(vec![credential.clone(), plain.clone()], None).await.unwrap();
    assert_eq!(setup.store.get(&credential.key).await.unwrap(), Some(credential));
    assert_eq!(setup.store.get(&plain.key).await.unwrap(), Some(plain));
    assert_eq!(setup.store.get(&CredentialKey::new("FFFF#0001", vec![2; 32])).await.unwrap(), None);
}

pub(crate) async fn a_key_is_registered_once_for_everybody(setup: &Setup) {
    let key = put(setup, "jeff", "FFFF#0001", 1).await;
    let result = setup.store.add_all(vec![credential("eve", "FFFF#0001", 1)], None).await;
    assert!(matches!(result, Err(CredentialError::Registered)));
    assert_eq!(setup.store.get(&key).await.unwrap().unwrap().owner, ExtId::from("jeff"));
    assert!(left(setup, "eve").await.is_empty());
}

pub(crate) async fn of_one_registration_all_are_kept_or_none(setup: &Setup) {
    put(setup, "eve", "FFFF#0001", 2).await;
    let of_jeff = |keys: [u8; 2]| keys.map(|key| credential("jeff", "FFFF#0001", key)).to_vec();
    for refused in [[1, 2], [3, 3]] {
        let result = setup.store.add_all(of_jeff(refused), None).await;
        assert!(matches!(result, Err(CredentialError::Registered)), "{refused:?}");
        assert!(left(setup, "jeff").await.is_empty(), "{refused:?}");
        let first = CredentialKey::new("FFFF#0001", vec![refused[0]; 32]);
        assert_eq!(setup.store.get(&first).await.unwrap(), None, "{refused:?}");
    }
    setup.store.add_all(of_jeff([1, 3]), None).await.unwrap();
    assert_eq!(left(setup, "jeff").await, [1, 3]);
}

pub(crate) async fn a_user_has_so_many_and_no_more(setup: &Setup) {
    let keys = |from: usize, to: usize| {
        let key = |number| credential("jeff", "FFFF#0001", u8::try_from(number).unwrap());
        (from..to).map(key).collect::<Vec<_>>()
    };
    setup.store.add_all(keys(1, CREDENTIALS_PER_OWNER - 1), None).await.unwrap();
    let three = setup.store.add_all(keys(100, 103), None).await;
    assert!(matches!(three, Err(CredentialError::TooMany)), "two are left: {three:?}");
    assert_eq!(left(setup, "jeff").await.len(), CREDENTIALS_PER_OWNER - 2, "all or none");
    let results = race(20, |number| {
        let (store, one) = (setup.store.clone(), keys(200 + number, 201 + number));
        async move { store.add_all(one, None).await }
    })
    .await;
    let refused = results.iter().filter(|result| matches!(result, Err(CredentialError::TooMany))).count();
    assert_eq!((refused, left(setup, "jeff").await.len()), (18, CREDENTIALS_PER_OWNER));
    put(setup, "jef", "FFFF#0001", 91).await;
    put(setup, "jefff", "FFFF#0001", 92).await;
    setup.store.remove(&"jeff".into(), &Removal::Key(CredentialKey::new("FFFF#0001", vec![1; 32]))).await.unwrap();
    put(setup, "jeff", "FFFF#0001", 93).await;
}

pub(crate) async fn the_key_ids_of_a_user_are_no_longer_together(setup: &Setup) {
    let long = |number: u8| Credential {
        key: CredentialKey::new("FFFF#0001", vec![number; 2048]),
        ..credential("jeff", "FFFF#0001", number)
    };
    let most = u8::try_from(KEY_IDS_PER_OWNER / 2048).unwrap();
    setup.store.add_all((1..most).map(long).collect(), None).await.unwrap();
    let two = setup.store.add_all(vec![long(90), credential("jeff", "FFFF#0001", 91)], None).await;
    assert!(matches!(two, Err(CredentialError::TooMany)), "{two:?}");
    setup.store.add_all(vec![long(90)], None).await.unwrap();
    assert_eq!(left(setup, "jeff").await.len(), usize::from(most), "all or none");
}

pub(crate) async fn models_differ_not_by_case(setup: &Setup) {
    put(setup, "jeff", "FFFF#00ab", 1).await;
    assert!(setup.store.add_all(vec![credential("jeff", "ffff#00AB", 1)], None).await.is_err());
    assert!(setup.store.get(&CredentialKey::new("FfFf#00aB", vec![1; 32])).await.unwrap().is_some());
    let removed = setup.store.remove(&"jeff".into(), &Removal::Model("ffff#00ab".into())).await.unwrap();
    assert_eq!(removed.len(), 1);
}

pub(crate) async fn a_first_one_is_kept_beside_those_named_alone(setup: &Setup) {
    let given_up = put(setup, "jeff", "FFFF#0001", 1).await;
    put(setup, "eve", "FFFF#0001", 2).await;
    put(setup, "jefff", "FFFF#0001", 3).await;
    let first = async |beside: BTreeSet<CredentialKey>, key_id| {
        setup.store.add_all(vec![credential("jeff", "FFFF#0001", key_id)], Some(beside)).await
    };
    assert!(matches!(first(BTreeSet::new(), 4).await, Err(CredentialError::NotFirst)));
    assert_eq!(left(setup, "jeff").await, [1]);
    first([given_up.clone()].into(), 4).await.unwrap();
    assert!(matches!(first([given_up].into(), 5).await, Err(CredentialError::NotFirst)));
    assert_eq!(left(setup, "jeff").await, [1, 4]);
}

pub(crate) async fn one_of_many_first_ones_is_kept(setup: &Setup) {
    let results = race(20, |number| {
        let (store, key_id) = (setup.store.clone(), u8::try_from(number).unwrap());
        let one = credential("jeff", "FFFF#0001", key_id);
        async move { store.add_all(vec![one], Some(BTreeSet::new())).await }
    })
    .await;
    let refused = results.iter().filter(|result| matches!(result, Err(CredentialError::NotFirst))).count();
    assert_eq!((refused, left(setup, "jeff").await.len()), (19, 1));
}

pub(crate) async fn one_of_many_registrations_wins(setup: &Setup) {
    let results = race(50, |number| {
        let (store, credential) = (setup.store.clone(), credential(&format!("user-{number}"), "FFFF#0001", 1));
        async move { store.add_all(vec![credential], None).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(setup.store.owners().await.unwrap().len(), 1);
}

pub(crate) async fn a_user_sees_its_own(setup: &Setup) {
    populate(setup).await;
    // An extId that another begins with is another.
    put(setup, "jef", "FFFF#0001", 8).await;
    put(setup, "jefff", "FFFF#0001", 9).await;
    assert_eq!(left(setup, "jeff").await, [1, 2, 3]);
    assert_eq!(left(setup, "eve").await, [4]);
    assert!(left(setup, "nobody").await.is_empty());
}

async fn advance(setup: &Setup, key: &CredentialKey, received: u32) -> Result<Vec<String>, CounterError> {
    setup.store.advance_all(&[(key.clone(), received)], START).await
}

pub(crate) async fn counters_of_one_answer_move_together(setup: &Setup) {
    let (first, second) = (put(setup, "jeff", "FFFF#0001", 1).await, put(setup, "jeff", "FFFF#0001", 2).await);
    let unknown = CredentialKey::new("FFFF#0001", vec![3; 32]);
    for (key, received) in [(second.clone(), 5), (unknown, 9)] {
        assert!(setup.store.advance_all(&[(first.clone(), 9), (key, received)], START).await.is_err());
        let kept = setup.store.get(&first).await.unwrap().unwrap();
        assert_eq!((kept.sign_counter, kept.last_used), (5, None), "the first was good");
    }
    let ext_ids = setup.store.advance_all(&[(second.clone(), 6), (first.clone(), 9)], START).await.unwrap();
    let mut stored = Vec::new();
    for key in [&second, &first] {
        stored.push(setup.store.get(key).await.unwrap().unwrap().ext_id);
    }
    assert_eq!(ext_ids, stored);
    assert_eq!((counter(setup, &first).await, counter(setup, &second).await), (9, 6));
}

pub(crate) async fn a_counter_only_grows(setup: &Setup) {
    let key = put(setup, "jeff", "FFFF#0001", 1).await;
    for stale in [0, 4, 5] {
        let result = advance(setup, &key, stale).await;
        assert!(matches!(result, Err(CounterError::NotAdvanced)), "{stale}");
    }
    assert_eq!((counter(setup, &key).await, setup.store.get(&key).await.unwrap().unwrap().last_used), (5, None));
    advance(setup, &key, 6).await.unwrap();
    setup.store.advance_all(&[(key.clone(), u32::MAX)], Millis(START.0 + 1)).await.unwrap();
    assert!(advance(setup, &key, 0).await.is_err(), "a counter does not wrap");
    let credential = setup.store.get(&key).await.unwrap().unwrap();
    assert_eq!((credential.sign_counter, credential.last_used), (u32::MAX, Some(Millis(START.0 + 1))));
}

pub(crate) async fn a_counter_of_zero_stays_zero(setup: &Setup) {
    let without = Credential { sign_counter: 0, ..credential("jeff", "FFFF#0001", 1) };
    setup.store.add_all(vec![without.clone()], None).await.unwrap();
    for _ in 0..2 {
        advance(setup, &without.key, 0).await.unwrap();
    }
    advance(setup, &without.key, 1).await.unwrap();
    assert!(advance(setup, &without.key, 0).await.is_err());
}

pub(crate) async fn one_of_many_equal_counters_wins(setup: &Setup) {
    let key = put(setup, "jeff", "FFFF#0001", 1).await;
    let results = race(100, |_| {
        let (store, key) = (setup.store.clone(), key.clone());
        async move { store.advance_all(&[(key, 6)], START).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
}

pub(crate) async fn an_unknown_counter_is_not_made(setup: &Setup) {
    let key = CredentialKey::new("FFFF#0001", vec![1; 32]);
    assert!(matches!(advance(setup, &key, 6).await, Err(CounterError::NotFound)));
    assert!(setup.store.get(&key).await.unwrap().is_none());
}

pub(crate) async fn one_key_is_removed(setup: &Setup) {
    populate(setup).await;
    let key = CredentialKey::new("FFFF#0001", vec![1; 32]);
    let removed = setup.store.remove(&"jeff".into(), &Removal::Key(key.clone())).await.unwrap();
    assert_eq!(removed, std::slice::from_ref(&key));
    assert_eq!(left(setup, "jeff").await, [2, 3]);
    assert!(setup.store.get(&key).await.unwrap().is_none());
    assert!(
        setup.store.add_all(vec![credential("eve", "FFFF#0001", 1)], None).await.is_ok(),
        "a removed key may be registered"
    );
}

pub(crate) async fn a_model_is_removed(setup: &Setup) {
    populate(setup).await;
    setup.store.remove(&"jeff".into(), &Removal::Model("FFFF#0001".into())).await.unwrap();
    assert_eq!((left(setup, "jeff").await, left(setup, "eve").await), (vec![3], vec![4]));
}

pub(crate) async fn all_of_a_user_are_removed(setup: &Setup) {
    populate(setup).await;
    assert_eq!(setup.store.remove(&"jeff".into(), &Removal::All).await.unwrap().len(), 3);
    assert!(setup.store.remove(&"jeff".into(), &Removal::All).await.unwrap().is_empty(), "it may be done again");
    assert_eq!((left(setup, "jeff").await, left(setup, "eve").await), (vec![], vec![4]));
}

pub(crate) async fn nobody_removes_what_is_anothers(setup: &Setup) {
    populate(setup).await;
    let key = CredentialKey::new("FFFF#0001", vec![1; 32]);
    assert!(setup.store.remove(&"eve".into(), &Removal::Key(key.clone())).await.unwrap().is_empty());
    assert!(setup.store.get(&key).await.unwrap().is_some());
}

pub(crate) async fn owners_are_known(setup: &Setup) {
    assert!(setup.store.owners().await.unwrap().is_empty());
    populate(setup).await;
    assert_eq!(setup.store.owners().await.unwrap(), ["eve".into(), "jeff".into()].into());
    setup.store.remove(&"eve".into(), &Removal::All).await.unwrap();
    assert_eq!(setup.store.owners().await.unwrap(), ["jeff".into()].into());
}
