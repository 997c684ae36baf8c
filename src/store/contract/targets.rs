//! The contract of [`Targets`].

use sidegate_filters::clock::Millis;

use super::{Fixture, START, race};
use crate::store::targets::TARGETS_PER_OWNER;
use crate::store::{PushToken, StoreError, Target, TargetError, TargetUpdate, Targets};

type Setup = Fixture<dyn Targets>;

macro_rules! targets_contract {
    ($fixture:path) => {
        $crate::store::contract::rules!(
            targets,
            $fixture,
            [
                what_was_created_is_there,
                an_id_is_created_once,
                a_name_is_unique_for_its_owner,
                one_of_many_creations_of_a_name_wins,
                an_owner_has_so_many_and_no_more,
                an_owner_sees_its_own,
                a_change_leaves_the_rest,
                a_change_to_a_taken_name_changes_nothing,
                one_of_many_changes_to_a_name_wins,
                an_unknown_target_is_not_changed,
                a_target_is_deleted_by_its_owner_alone,
                a_deleted_name_is_free,
                a_key_of_two_users_is_shared,
                a_key_is_shared_until_one_target_is_left,
                a_creation_that_failed_shares_no_key,
                a_push_token_is_not_printed,
            ]
        );
    };
}
pub(crate) use targets_contract;

pub(crate) fn target(owner: &str, name: &str) -> Target {
    Target {
        id: format!("{owner}/{name}"),
        owner: owner.into(),
        name: name.into(),
        device_id: Some(format!("device of {name}")),
        app_id: None,
        dispatcher: "link".into(),
        push_token: Some(PushToken::new("push-secret".into())),
        signature_key: "{}".into(),
        signature_thumbprint: format!("key of {owner}'s {name}"),
        encryption_key: "{}".into(),
        created: Millis(START.0 - i64::try_from(name.len()).unwrap()),
        version: 1,
    }
}

async fn put(setup: &Setup, owner: &str, name: &str) -> Target {
    let target = target(owner, name);
    setup.store.create(target.clone()).await.unwrap();
    target
}

async fn names(setup: &Setup, owner: &str) -> Vec<String> {
    setup.store.list(&owner.into()).await.unwrap().into_iter().map(|target| target.name).collect()
}

fn rename(name: &str) -> TargetUpdate {
    TargetUpdate { name: Some(name.into()), ..TargetUpdate::default() }
}

pub(crate) async fn what_was_created_is_there(setup: &Setup) {
    let target = put(setup, "jeff", "phone").await;
    assert_eq!(setup.store.get(&target.id).await.unwrap(), Some(target));
    assert_eq!(setup.store.get("other").await.unwrap(), None);
}

pub(crate) async fn an_id_is_created_once(setup: &Setup) {
    let first = put(setup, "jeff", "phone").await;
    let second = Target { id: first.id.clone(), ..target("eve", "tablet") };
    let result = setup.store.create(second).await;
    assert!(matches!(result, Err(TargetError::Store(StoreError::Exists))));
    assert_eq!(setup.store.get(&first.id).await.unwrap(), Some(first));
    assert!(names(setup, "eve").await.is_empty());
}

pub(crate) async fn a_name_is_unique_for_its_owner(setup: &Setup) {
    put(setup, "jeff", "phone").await;
    let second = Target { id: "second".into(), ..target("jeff", "phone") };
    assert!(matches!(setup.store.create(second).await, Err(TargetError::NameTaken)));
    assert!(setup.store.get("second").await.unwrap().is_none());
    put(setup, "eve", "phone").await;
}

pub(crate) async fn one_of_many_creations_of_a_name_wins(setup: &Setup) {
    let results = race(50, |number| {
        let (store, target) = (setup.store.clone(), Target { id: format!("id-{number}"), ..target("jeff", "phone") });
        async move { store.create(target).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(names(setup, "jeff").await.len(), 1);
}

pub(crate) async fn an_owner_has_so_many_and_no_more(setup: &Setup) {
    for number in 1..TARGETS_PER_OWNER {
        put(setup, "jeff", &format!("phone-{number}")).await;
    }
    let results = race(20, |number| {
        let (store, target) = (setup.store.clone(), target("jeff", &format!("late-{number}")));
        async move { store.create(target).await }
    })
    .await;
    let refused = results.iter().filter(|result| matches!(result, Err(TargetError::TooMany))).count();
    assert_eq!((refused, names(setup, "jeff").await.len()), (19, TARGETS_PER_OWNER));
    put(setup, "jef", "another's").await;
    put(setup, "jefff", "another's").await;
    assert!(setup.store.delete("jeff/phone-1", &"jeff".into()).await.unwrap());
    put(setup, "jeff", "in its place").await;
}

pub(crate) async fn an_owner_sees_its_own(setup: &Setup) {
    for name in ["a", "bbb", "cc", ""] {
        put(setup, "jeff", name).await;
    }
    put(setup, "jef", "other").await;
    put(setup, "jefff", "other").await;
    assert_eq!(names(setup, "jeff").await, ["bbb", "cc", "a", ""], "oldest first");
    assert!(names(setup, "nobody").await.is_empty());
    assert_eq!(setup.store.owners().await.unwrap().len(), 3);
}

pub(crate) async fn a_change_leaves_the_rest(setup: &Setup) {
    let old = put(setup, "jeff", "phone").await;
    let push_token = Some(PushToken::new("another".into()));
    let update = TargetUpdate { push_token: push_token.clone(), ..TargetUpdate::default() };
    let new = setup.store.update(&old.id, update).await.unwrap();
    assert_eq!(new, Target { push_token, version: 2, ..old.clone() });
    let update = TargetUpdate { dispatcher: Some("png-qr-code".into()), ..rename("tablet") };
    let newer = setup.store.update(&old.id, update).await.unwrap();
    assert_eq!(newer, Target { name: "tablet".into(), dispatcher: "png-qr-code".into(), version: 3, ..new });
    assert_eq!(setup.store.get(&old.id).await.unwrap(), Some(newer));
    assert_eq!(names(setup, "jeff").await, ["tablet"]);
    put(setup, "jeff", "new").await;
    assert!(setup.store.update(&old.id, rename("tablet")).await.is_ok(), "its own name is free to it");
    let second = Target { id: "second".into(), ..target("jeff", "phone") };
    assert!(setup.store.create(second).await.is_ok(), "the old name is free");
}

pub(crate) async fn a_change_to_a_taken_name_changes_nothing(setup: &Setup) {
    let first = put(setup, "jeff", "phone").await;
    put(setup, "jeff", "tablet").await;
    let update = TargetUpdate { dispatcher: Some("png-qr-code".into()), ..rename("tablet") };
    assert!(matches!(setup.store.update(&first.id, update).await, Err(TargetError::NameTaken)));
    assert_eq!(setup.store.get(&first.id).await.unwrap(), Some(first));
}

pub(crate) async fn one_of_many_changes_to_a_name_wins(setup: &Setup) {
    for number in 0..20 {
        put(setup, "jeff", &format!("phone-{number}")).await;
    }
    let results = race(20, |number| {
        let store = setup.store.clone();
        async move { store.update(&format!("jeff/phone-{number}"), rename("the phone")).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(names(setup, "jeff").await.iter().filter(|name| *name == "the phone").count(), 1);
    assert_eq!(names(setup, "jeff").await.len(), 20);
}

pub(crate) async fn an_unknown_target_is_not_changed(setup: &Setup) {
    assert!(matches!(setup.store.update("other", rename("x")).await, Err(TargetError::NotFound)));
    assert!(setup.store.get("other").await.unwrap().is_none());
}

pub(crate) async fn a_target_is_deleted_by_its_owner_alone(setup: &Setup) {
    let target = put(setup, "jeff", "phone").await;
    assert!(!setup.store.delete(&target.id, &"eve".into()).await.unwrap());
    assert!(setup.store.get(&target.id).await.unwrap().is_some());
    assert!(setup.store.delete(&target.id, &"jeff".into()).await.unwrap());
    assert!(!setup.store.delete(&target.id, &"jeff".into()).await.unwrap());
    assert!(setup.store.get(&target.id).await.unwrap().is_none());
}

pub(crate) async fn a_deleted_name_is_free(setup: &Setup) {
    let target = put(setup, "jeff", "phone").await;
    setup.store.delete(&target.id, &"jeff".into()).await.unwrap();
    assert!(names(setup, "jeff").await.is_empty());
    put(setup, "jeff", "phone").await;
}

async fn put_with(setup: &Setup, owner: &str, name: &str, key: &str) -> Target {
    let target = Target { signature_thumbprint: key.into(), ..target(owner, name) };
    setup.store.create(target.clone()).await.unwrap();
    target
}

async fn is_shared(setup: &Setup, key: &str) -> bool {
    setup.store.key_is_shared(key).await.unwrap()
}

pub(crate) async fn a_key_of_two_users_is_shared(setup: &Setup) {
    assert!(!is_shared(setup, "key").await, "nobody has it");
    let first = put_with(setup, "jeff", "phone", "key").await;
    put_with(setup, "eve", "phone", "keys").await;
    assert!(!is_shared(setup, "key").await, "one target has it");
    setup.store.update(&first.id, rename("renamed")).await.unwrap();
    assert!(!is_shared(setup, "key").await, "a change makes no second target");
    put_with(setup, "eve", "tablet", "key").await;
    assert!(is_shared(setup, "key").await);
    assert!(!is_shared(setup, "keys").await);
}

pub(crate) async fn a_key_is_shared_until_one_target_is_left(setup: &Setup) {
    put_with(setup, "jeff", "phone", "key").await;
    let eves = async || {
        put_with(setup, "eve", "phone", "key").await;
        assert!(is_shared(setup, "key").await);
    };
    eves().await;
    assert!(setup.store.delete("eve/phone", &"eve".into()).await.unwrap());
    assert!(!is_shared(setup, "key").await, "after delete");
}

pub(crate) async fn a_creation_that_failed_shares_no_key(setup: &Setup) {
    put_with(setup, "jeff", "phone", "key").await;
    let second = Target { id: "second".into(), signature_thumbprint: "key".into(), ..target("jeff", "phone") };
    assert!(matches!(setup.store.create(second).await, Err(TargetError::NameTaken)));
    assert!(!is_shared(setup, "key").await);
}

pub(crate) async fn a_push_token_is_not_printed(setup: &Setup) {
    let target = put(setup, "jeff", "phone").await;
    let stored = setup.store.get(&target.id).await.unwrap().unwrap();
    assert!(!format!("{stored:?}").contains("secret"));
    assert_eq!(stored.push_token.unwrap().expose(), "push-secret");
}
