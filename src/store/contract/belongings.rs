//! The contract of [`Belongings`], over a store that has targets and credentials too.

use super::credentials::credential;
use super::targets::target;
use super::{Fixture, START, keys_behind, race};
use crate::store::belongings::{Belongings, Removed};
use crate::store::{Credential, Credentials, KeyBehind, KeysBehind, Removal, Standing, Target, Targets};

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
                an_owner_has_keys_here_and_behind,
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

async fn has(setup: &Setup, owner: &str, names: &[&str]) -> bool {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    setup.store.has_keys(&owner.into(), &names).await.unwrap()
}

pub(crate) async fn an_owner_has_keys_here_and_behind(setup: &Setup) {
    let here = [1, 2].map(|key_id| credential("jeff", "FFFF#0001", key_id));
    let names: Vec<_> = here.iter().map(|key| key.ext_id.clone()).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    setup.store.add_all(here.to_vec(), None).await.unwrap();
    let behind = [8, 9].map(|key_id| keys_behind::key("jeff", key_id, Standing::Expected));
    let (expected, confirmed) = (behind[0].ext_id.as_str(), behind[1].ext_id.as_str());
    setup.store.expect(behind.to_vec()).await.unwrap();
    assert!(setup.store.confirm(&behind[1..], false).await.unwrap());
    assert!(has(setup, "jeff", &[]).await && has(setup, "jeff", &names).await);
    assert!(has(setup, "jeff", &[confirmed]).await && has(setup, "jeff", &[names[1], confirmed, names[0]]).await);
    for missing in ["another", expected, ""] {
        assert!(!has(setup, "jeff", &[names[0], missing]).await, "{missing}");
    }
    for owner in ["eve", "jef", "jefff"] {
        assert!(!has(setup, owner, &names[..1]).await && !has(setup, owner, &[confirmed]).await);
    }
    setup.store.remove(&"jeff".into(), &Removal::Key(here[0].key.clone())).await.unwrap();
    assert!(!has(setup, "jeff", &names).await && has(setup, "jeff", &names[1..]).await);
    setup.store.retire(&"jeff".into(), &Removal::All, START).await.unwrap();
    assert!(!has(setup, "jeff", &[names[1], confirmed]).await);
}
