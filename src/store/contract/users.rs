//! The contract of [`Users`].

use std::sync::LazyLock;

use super::{Fixture, race};
use crate::store::{ExtId, PasswordHash, User, UserError, Users};

type Setup = Fixture<dyn Users>;

macro_rules! users_contract {
    ($fixture:path) => {
        $crate::store::contract::rules!(
            users,
            $fixture,
            [
                who_was_added_is_there,
                a_name_is_taken_once,
                a_name_added_again_is_a_new_user,
                names_are_compared_exactly,
                bad_names_are_refused,
                nobody_is_removed_twice,
                another_password_leaves_everything_else,
                who_was_removed_is_on_record,
                roles_are_those_that_were_given_last,
            ]
        );
    };
}
pub(crate) use users_contract;

fn hash() -> PasswordHash {
    static HASH: LazyLock<PasswordHash> = LazyLock::new(|| PasswordHash::of(b"secret").unwrap());
    HASH.clone()
}

pub(crate) async fn who_was_added_is_there(setup: &Setup) {
    let jeff = setup.store.add("jeff", hash()).await.unwrap();
    let eve = setup.store.add("eve", hash()).await.unwrap();
    assert_ne!(jeff.ext_id, eve.ext_id);
    assert_eq!(setup.store.by_name("jeff").await.unwrap().as_ref(), Some(&jeff));
    assert_eq!(setup.store.by_ext_id(&eve.ext_id).await.unwrap().as_ref(), Some(&eve));
    for user in [&jeff, &eve] {
        assert_eq!(setup.store.password_stamp(&user.ext_id).await.unwrap(), Some(user.password.stamp()));
    }
    assert_eq!(setup.store.password_stamp(&ExtId::random()).await.unwrap(), None);
    assert_eq!(setup.store.list().await.unwrap(), [jeff, eve]);
}

pub(crate) async fn a_name_is_taken_once(setup: &Setup) {
    let results = race(20, |_| {
        let store = setup.store.clone();
        async move { store.add("jeff", hash()).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(UserError::Exists))));
    assert_eq!(setup.store.list().await.unwrap().len(), 1);
}

pub(crate) async fn a_name_added_again_is_a_new_user(setup: &Setup) {
    let first = setup.store.add("jeff", hash()).await.unwrap();
    assert_eq!(setup.store.remove("jeff").await.unwrap().as_ref(), Some(&first));
    assert_eq!(setup.store.by_ext_id(&first.ext_id).await.unwrap(), None);
    assert_eq!(setup.store.password_stamp(&first.ext_id).await.unwrap(), None);
    let second = setup.store.add("jeff", hash()).await.unwrap();
    assert_ne!(first.ext_id, second.ext_id);
    assert_eq!(setup.store.by_ext_id(&first.ext_id).await.unwrap(), None);
}

pub(crate) async fn names_are_compared_exactly(setup: &Setup) {
    setup.store.add("jeff", hash()).await.unwrap();
    for other in ["Jeff", "jeff ", "jef", ""] {
        assert_eq!(setup.store.by_name(other).await.unwrap(), None, "{other:?}");
    }
    setup.store.add("jürg müller", hash()).await.unwrap();
    assert!(setup.store.by_name("jürg müller").await.unwrap().is_some());
}

pub(crate) async fn bad_names_are_refused(setup: &Setup) {
    let long = "x".repeat(129);
    for name in ["", " jeff", "jeff ", "a:b", "a\nb", "a\0b", "#a", long.as_str()] {
        assert!(matches!(setup.store.add(name, hash()).await, Err(UserError::BadName)), "{name:?}");
    }
    assert!(setup.store.list().await.unwrap().is_empty());
    assert!(setup.store.add(&"x".repeat(128), hash()).await.is_ok());
}

pub(crate) async fn nobody_is_removed_twice(setup: &Setup) {
    setup.store.add("jeff", hash()).await.unwrap();
    assert!(setup.store.remove("jeff").await.unwrap().is_some());
    assert!(setup.store.remove("jeff").await.unwrap().is_none());
}

pub(crate) async fn another_password_leaves_everything_else(setup: &Setup) {
    let (jeff, eve) = (setup.store.add("jeff", hash()).await.unwrap(), setup.store.add("eve", hash()).await.unwrap());
    let password = PasswordHash::of(b"another").unwrap();
    let changed = setup.store.set_password("jeff", password.clone()).await.unwrap();
    let expected = User { password, ..jeff.clone() };
    assert_eq!(changed.as_ref(), Some(&expected));
    assert_ne!(setup.store.password_stamp(&jeff.ext_id).await.unwrap(), Some(jeff.password.stamp()));
    assert_eq!(setup.store.list().await.unwrap(), [expected, eve]);
    assert_eq!(setup.store.set_password("nobody", hash()).await.unwrap(), None);
}

pub(crate) async fn who_was_removed_is_on_record(setup: &Setup) {
    let (jeff, eve) = (setup.store.add("jeff", hash()).await.unwrap(), setup.store.add("eve", hash()).await.unwrap());
    assert!(setup.store.removed().await.unwrap().is_empty());
    setup.store.remove("jeff").await.unwrap();
    setup.store.add("jeff", hash()).await.unwrap();
    assert_eq!(setup.store.removed().await.unwrap(), [jeff.ext_id.clone()].into(), "also with another of the name");
    setup.store.set_password("jeff", hash()).await.unwrap();
    setup.store.remove("eve").await.unwrap();
    assert_eq!(setup.store.removed().await.unwrap(), [jeff.ext_id, eve.ext_id].into());
}

pub(crate) async fn roles_are_those_that_were_given_last(setup: &Setup) {
    let (jeff, eve) = (setup.store.add("jeff", hash()).await.unwrap(), setup.store.add("eve", hash()).await.unwrap());
    let texts = |roles: &[&str]| roles.iter().map(ToString::to_string).collect::<Vec<_>>();
    let of = async |user: &User| setup.store.roles(&user.ext_id).await.unwrap();
    assert!(of(&jeff).await.is_empty() && setup.store.roles(&ExtId::random()).await.unwrap().is_empty());
    for given in [&["boss", "teller: zürich", "#:"][..], &["boss"], &[], &["a"]] {
        let changed = setup.store.set_roles("jeff", texts(given)).await.unwrap();
        assert_eq!(changed, Some(User { roles: texts(given), ..jeff.clone() }));
        assert_eq!((of(&jeff).await, of(&eve).await), (texts(given), Vec::new()));
        assert_eq!(setup.store.by_name("jeff").await.unwrap(), changed);
    }
    setup.store.set_password("jeff", hash()).await.unwrap();
    assert_eq!(of(&jeff).await, ["a"], "another password leaves them");
    let (long, many) = ("x".repeat(257), vec!["a".to_owned(); 101]);
    for bad in ["", " a", "a ", "a,b", "a\nb", "a\tb", &long] {
        assert!(matches!(setup.store.set_roles("jeff", texts(&["b", bad])).await, Err(UserError::BadRoles)), "{bad:?}");
    }
    assert!(matches!(setup.store.set_roles("jeff", many).await, Err(UserError::BadRoles)));
    assert_eq!((of(&jeff).await, setup.store.set_roles("nobody", texts(&["a"])).await.unwrap()), (texts(&["a"]), None));
    setup.store.remove("jeff").await.unwrap();
    assert!(of(&jeff).await.is_empty());
}
