//! The contract of [`Belongings`], over a store that has targets and credentials too.

use super::credentials::credential;
use super::targets::target;
use super::{Fixture, keys_behind, race};
use crate::store::belongings::{Belongings, Removed};
use crate::store::{Credential, Credentials, KeyBehind, KeysBehind, Standing, Target, Targets};

/// A store of all kinds.
pub(crate) trait Household: Belongings + Targets + Credentials + KeysBehind {}
impl<S: Belongings + Targets + Credentials + KeysBehind> Household for S {}

type Setup = Fixture<dyn Household>;

macro_rules! belongings_contract {
    ($fixture:path) => {
        $crate::store::contract::rules!(
            belongings,
            $fixture,
            [
                a_device_goes_with_its_targets_and_credentials,
                a_device_of_another_owner_stays,
                of_many_removals_of_a_device_one_has_it,
                a_key_that_a_server_behind_has_stays_with_its_device,
                everything_of_an_owner_goes,
                what_was_removed_is_free,
            ]
        );
    };
}
pub(crate) use belongings_contract;

const DEVICE: &str = "device-1";

/// Two targets and two credentials of one device, one of each of another and of none.
async fn populate(setup: &Setup, owner: &str, first_key: u8) {
    let devices = [Some(DEVICE), Some(DEVICE), Some("device-2"), None];
    for (number, device) in (0_u8..).zip(devices) {
        let device_id = device.map(str::to_owned);
        let name = format!("phone-{number}");
        setup.store.create(Target { device_id: device_id.clone(), ..target(owner, &name) }).await.unwrap();
        let key = credential(owner, "FFFF#0001", first_key + number);
        setup.store.add_all(vec![Credential { device_id, ..key }], None).await.unwrap();
    }
}

/// Names of targets and first bytes of key ids.
async fn left(setup: &Setup, owner: &str) -> (Vec<String>, Vec<u8>) {
    let targets = Targets::list(&*setup.store, &owner.into()).await.unwrap();
    let keys = Credentials::list(&*setup.store, &owner.into()).await.unwrap();
    let mut names: Vec<_> = targets.into_iter().map(|target| target.name).collect();
    names.sort();
    (names, keys.iter().map(|credential| credential.key.key_id()[0]).collect())
}

fn two_each(left: &(Vec<String>, Vec<u8>), first_key: u8) -> bool {
    left.0 == ["phone-2", "phone-3"] && left.1 == [first_key + 2, first_key + 3]
}

pub(crate) async fn a_device_goes_with_its_targets_and_credentials(setup: &Setup) {
    populate(setup, "jeff", 1).await;
    let mut removed = setup.store.remove_device(&"jeff".into(), DEVICE).await.unwrap();
    removed.targets.sort();
    assert_eq!(removed.targets, ["jeff/phone-0", "jeff/phone-1"]);
    let keys = [1, 2].map(|key_id| credential("jeff", "FFFF#0001", key_id).key);
    assert_eq!(removed.credentials, keys);
    assert!(two_each(&left(setup, "jeff").await, 1));
    assert!(Targets::get(&*setup.store, "jeff/phone-0").await.unwrap().is_none());
    assert!(Credentials::get(&*setup.store, &keys[0]).await.unwrap().is_none());
    let again = setup.store.remove_device(&"jeff".into(), DEVICE).await.unwrap();
    assert!(again.is_nothing(), "{again:?}");
}

pub(crate) async fn a_device_of_another_owner_stays(setup: &Setup) {
    // An extId that another begins with is another.
    for (owner, first_key) in [("jeff", 1), ("jef", 11), ("jefff", 21)] {
        populate(setup, owner, first_key).await;
    }
    setup.store.remove_device(&"jeff".into(), DEVICE).await.unwrap();
    for owner in ["jef", "jefff"] {
        let (names, keys) = left(setup, owner).await;
        assert_eq!((names.len(), keys.len()), (4, 4), "{owner}");
    }
    assert!(setup.store.remove_device(&"nobody".into(), DEVICE).await.unwrap().is_nothing());
}

pub(crate) async fn of_many_removals_of_a_device_one_has_it(setup: &Setup) {
    populate(setup, "jeff", 1).await;
    let results = race(10, |_| {
        let store = setup.store.clone();
        async move { store.remove_device(&"jeff".into(), DEVICE).await.unwrap() }
    })
    .await;
    let whole = |removed: &&Removed| (removed.targets.len(), removed.credentials.len()) == (2, 2);
    assert_eq!(results.iter().filter(whole).count(), 1);
    assert_eq!(results.iter().filter(|removed| removed.is_nothing()).count(), 9, "never a part of it");
}

pub(crate) async fn a_key_that_a_server_behind_has_stays_with_its_device(setup: &Setup) {
    populate(setup, "jeff", 1).await;
    let there = KeyBehind { device_id: Some(DEVICE.into()), ..keys_behind::key("jeff", 9, Standing::Doubted) };
    setup.store.doubt(vec![there.clone()]).await.unwrap();
    let removed = setup.store.remove_device(&"jeff".into(), DEVICE).await.unwrap();
    assert_eq!((removed.targets.len(), removed.credentials.len()), (2, 2));
    assert_eq!(setup.store.of_key(&there.key).await.unwrap(), std::slice::from_ref(&there));
    let removed = setup.store.remove_all(&"jeff".into()).await.unwrap();
    assert!(removed.credentials.contains(&there.key), "its owner is no user any more");
    assert_eq!(setup.store.of_key(&there.key).await.unwrap(), []);
}

pub(crate) async fn everything_of_an_owner_goes(setup: &Setup) {
    populate(setup, "jeff", 1).await;
    populate(setup, "eve", 11).await;
    let removed = setup.store.remove_all(&"jeff".into()).await.unwrap();
    assert_eq!((removed.targets.len(), removed.credentials.len()), (4, 4));
    assert!(setup.store.remove_all(&"jeff".into()).await.unwrap().is_nothing());
    assert_eq!(Targets::owners(&*setup.store).await.unwrap(), ["eve".into()].into());
    assert_eq!(Credentials::owners(&*setup.store).await.unwrap(), ["eve".into()].into());
}

pub(crate) async fn what_was_removed_is_free(setup: &Setup) {
    populate(setup, "jeff", 1).await;
    setup.store.remove_device(&"jeff".into(), DEVICE).await.unwrap();
    setup.store.create(Target { id: "another".into(), ..target("jeff", "phone-0") }).await.unwrap();
    setup.store.add_all(vec![credential("eve", "FFFF#0001", 1)], None).await.unwrap();
    assert!(!setup.store.key_is_shared("key of jeff's phone-0").await.unwrap(), "the old one is forgotten");
}
