//! The contract of [`Sessions`].

use std::time::Duration;

use sidegate_filters::clock::{Clock, Millis};
use sidegate_filters::identity::{Login, Session};

use super::{Fixture, START, race};
use crate::store::sessions::SESSIONS_LISTED;
use crate::store::{AddedLogin, PasswordStamp, SessionKey, SessionRecord, Sessions, StoreError};

type Setup = Fixture<dyn Sessions>;

macro_rules! sessions_contract {
    ($fixture:path) => {
        $crate::store::contract::rules!(
            sessions,
            $fixture,
            [
                what_was_created_is_there,
                a_known_key_is_left_as_it_is,
                an_unused_session_ends,
                a_use_is_written_once_a_second,
                a_look_is_no_use,
                a_use_after_the_clock_was_set_back_is_written,
                a_short_idle_time_is_kept_more_exactly,
                a_used_session_ends_too,
                a_renewed_session_keeps_its_level_for_a_moment,
                one_of_many_renewals_wins,
                a_dead_session_is_not_renewed,
                a_session_is_renewed_by_its_user_alone,
                a_renewed_session_has_what_was_added_before,
                logins_beside_a_renewal_are_there_or_refused,
                a_session_is_raised_in_place,
                logins_at_once_are_all_there,
                a_session_is_raised_by_its_user_alone,
                an_ended_session_is_gone,
                an_end_is_one_of_the_ids_before_too,
                an_end_by_a_former_id_is_one_of_the_ids_since,
                an_end_beside_a_renewal_is_one_of_the_new_id_too,
                all_sessions_of_a_user_end_at_once,
                a_login_that_began_before_the_end_of_all_is_void,
                an_ended_generation_changes_nothing_any_more,
                the_living_sessions_of_a_user_are_listed,
                no_more_sessions_are_listed_than_the_limit,
                a_session_is_found_by_its_name,
                a_raised_session_has_the_keys_of_before_too,
            ]
        );
    };
}
pub(crate) use sessions_contract;

const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn key(number: u8) -> SessionKey {
    SessionKey(crate::jose::sha256(format!("cookie-{number}").as_bytes()))
}

/// A session by password that begins now, idle 30 min, absolute 8 h.
pub(crate) fn record(clock: &dyn Clock, user: &str) -> SessionRecord {
    let session = Session {
        sid: format!("sid-{user}"),
        domain: "default".into(),
        ext_id: user.into(),
        name: format!("name of {user}"),
        logins: Login { realm: "password".into(), level: 1, at: clock.now() }.into(),
        roles: vec!["user".into()],
        generation: 0,
    };
    SessionRecord {
        session,
        password: PasswordStamp([7; 32]),
        keys: Vec::new(),
        last_used: clock.now(),
        idle: 30 * MINUTE,
        ends: clock.now().after(480 * MINUTE),
    }
}

fn raised(clock: &dyn Clock, user: &str) -> SessionRecord {
    let mut record = record(clock, user);
    record.session.logins = record.session.logins.and(by_key(clock));
    record
}

/// A login by key, now.
fn by_key(clock: &dyn Clock) -> Login {
    Login { realm: "fido-uaf".into(), level: 2, at: clock.now() }
}

/// Renews a session of `user` by a login by key.
async fn renew(setup: &Setup, old: u8, new: u8, user: &str) -> bool {
    let login = by_key(&*setup.clock);
    setup.store.renew(&key(old), key(new), added(user, login, &[])).await.unwrap().is_some()
}

/// What adds a login of this user.
pub(crate) fn added(user: &str, login: Login, shown: &[&str]) -> AddedLogin {
    AddedLogin { user: user.into(), login, keys: keys(shown) }
}

fn keys(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn level(setup: &Setup, number: u8) -> Option<u8> {
    setup.store.touch(&key(number)).await.unwrap().map(|record| record.session.level())
}

async fn put(setup: &Setup, number: u8, user: &str) {
    setup.store.create(key(number), record(&*setup.clock, user)).await.unwrap();
}

pub(crate) async fn what_was_created_is_there(setup: &Setup) {
    let record = record(&*setup.clock, "jeff");
    setup.store.create(key(1), record.clone()).await.unwrap();
    assert_eq!(setup.store.touch(&key(1)).await.unwrap(), Some(record));
    assert_eq!(setup.store.touch(&key(2)).await.unwrap(), None);
}

pub(crate) async fn a_known_key_is_left_as_it_is(setup: &Setup) {
    put(setup, 1, "jeff").await;
    let result = setup.store.create(key(1), raised(&*setup.clock, "eve")).await;
    assert!(matches!(result, Err(StoreError::Exists)));
    assert_eq!(setup.store.touch(&key(1)).await.unwrap().unwrap().session.ext_id, "jeff");
}

pub(crate) async fn an_unused_session_ends(setup: &Setup) {
    put(setup, 1, "jeff").await;
    setup.clock.advance(29 * MINUTE);
    assert!(level(setup, 1).await.is_some());
    setup.clock.advance(29 * MINUTE);
    assert!(level(setup, 1).await.is_some());
    setup.clock.advance(30 * MINUTE);
    assert!(level(setup, 1).await.is_none());
}

async fn last_used(setup: &Setup) -> Option<Millis> {
    setup.store.touch(&key(1)).await.unwrap().map(|record| record.last_used)
}

pub(crate) async fn a_use_is_written_once_a_second(setup: &Setup) {
    let start = setup.clock.now();
    put(setup, 1, "jeff").await;
    setup.clock.advance(Duration::from_millis(999));
    assert_eq!(last_used(setup).await, Some(start));
    setup.clock.advance(Duration::from_millis(1));
    assert_eq!(last_used(setup).await, Some(setup.clock.now()));
    setup.clock.advance(30 * MINUTE - Duration::from_millis(1));
    assert_eq!(last_used(setup).await, Some(setup.clock.now()), "the idle time counts from the written use");
}

pub(crate) async fn a_look_is_no_use(setup: &Setup) {
    let start = setup.clock.now();
    put(setup, 1, "jeff").await;
    for _ in 0..2 {
        setup.clock.advance(14 * MINUTE);
        assert_eq!(setup.store.look(&key(1)).await.unwrap().map(|record| record.last_used), Some(start));
    }
    setup.clock.advance(2 * MINUTE);
    assert_eq!(setup.store.look(&key(1)).await.unwrap(), None);
    put(setup, 2, "eve").await;
    setup.store.end_all(&"eve".into()).await.unwrap();
    assert_eq!(setup.store.look(&key(2)).await.unwrap(), None);
}

pub(crate) async fn a_use_after_the_clock_was_set_back_is_written(setup: &Setup) {
    put(setup, 1, "jeff").await;
    setup.clock.set_back(60 * MINUTE);
    assert_eq!(last_used(setup).await, Some(setup.clock.now()));
    setup.clock.advance(30 * MINUTE);
    assert_eq!(last_used(setup).await, None);
}

pub(crate) async fn a_short_idle_time_is_kept_more_exactly(setup: &Setup) {
    let short = SessionRecord { idle: Duration::from_secs(6), ..record(&*setup.clock, "jeff") };
    setup.store.create(key(1), short).await.unwrap();
    for _ in 0..100 {
        setup.clock.advance(Duration::from_millis(100));
        assert_eq!(last_used(setup).await, Some(setup.clock.now()));
    }
    setup.clock.advance(Duration::from_secs(6));
    assert_eq!(last_used(setup).await, None);
}

pub(crate) async fn a_used_session_ends_too(setup: &Setup) {
    put(setup, 1, "jeff").await;
    for _ in 0..23 {
        setup.clock.advance(20 * MINUTE);
        setup.store.sweep().await.unwrap();
        assert!(level(setup, 1).await.is_some());
    }
    setup.clock.advance(20 * MINUTE);
    assert!(level(setup, 1).await.is_none());
}

pub(crate) async fn a_renewed_session_keeps_its_level_for_a_moment(setup: &Setup) {
    put(setup, 1, "jeff").await;
    assert!(renew(setup, 1, 2, "jeff").await);
    setup.clock.advance(Duration::from_millis(4_999));
    assert_eq!((level(setup, 1).await, level(setup, 2).await), (Some(1), Some(2)));
    setup.clock.advance(Duration::from_millis(1));
    assert_eq!((level(setup, 1).await, level(setup, 2).await), (None, Some(2)));
}

pub(crate) async fn one_of_many_renewals_wins(setup: &Setup) {
    put(setup, 0, "jeff").await;
    let results = race(100, |number| {
        let (store, login) = (setup.store.clone(), by_key(&*setup.clock));
        let new = key(u8::try_from(number + 1).unwrap());
        async move { store.renew(&key(0), new, added("jeff", login, &[])).await.unwrap().is_some() }
    })
    .await;
    assert_eq!(results.iter().filter(|won| **won).count(), 1);
    for (number, won) in (1..).zip(results) {
        assert_eq!(level(setup, number).await.is_some(), won);
    }
}

pub(crate) async fn a_dead_session_is_not_renewed(setup: &Setup) {
    put(setup, 1, "jeff").await;
    setup.clock.advance(30 * MINUTE);
    assert!(!renew(setup, 1, 2, "jeff").await);
    assert_eq!(level(setup, 2).await, None);
}

pub(crate) async fn a_session_is_renewed_by_its_user_alone(setup: &Setup) {
    put(setup, 1, "jeff").await;
    assert!(!renew(setup, 1, 2, "eve").await);
    assert_eq!((level(setup, 1).await, level(setup, 2).await), (Some(1), None));
    assert!(renew(setup, 1, 2, "jeff").await);
}

/// Either comes first; what comes behind a renewal is told so.
pub(crate) async fn a_renewed_session_has_what_was_added_before(setup: &Setup) {
    setup.store.create(key(1), SessionRecord { keys: keys(&["a"]), ..record(&*setup.clock, "jeff") }).await.unwrap();
    let before = setup.store.look(&key(1)).await.unwrap().unwrap();
    let oob = Login { realm: "oob".into(), level: 3, at: setup.clock.now() };
    let raised = setup.store.raise(&key(1), added("jeff", oob.clone(), &["b"])).await.unwrap();
    assert_eq!(raised, setup.store.look(&key(1)).await.unwrap());
    setup.clock.advance(MINUTE);
    let login = by_key(&*setup.clock);
    let renewed = setup.store.renew(&key(1), key(2), added("jeff", login.clone(), &["a", "c"])).await.unwrap();
    let late = Login { realm: "late".into(), ..oob.clone() };
    assert!(setup.store.raise(&key(1), added("jeff", late, &["d"])).await.unwrap().is_none());
    let expected = SessionRecord {
        session: Session { logins: before.session.logins.clone().and(oob).and(login), ..before.session },
        keys: keys(&["a", "b", "c"]),
        last_used: setup.clock.now(),
        ..before
    };
    assert_eq!(renewed.as_ref(), Some(&expected));
    assert_eq!(setup.store.look(&key(2)).await.unwrap(), Some(expected));
}

pub(crate) async fn logins_beside_a_renewal_are_there_or_refused(setup: &Setup) {
    for round in 0..50 {
        let (old, new) = (key(2 * round), key(2 * round + 1));
        setup.store.create(old, record(&*setup.clock, "jeff")).await.unwrap();
        let done = race(8, |number| {
            let (store, at) = (setup.store.clone(), setup.clock.now());
            let login = Login { realm: format!("realm-{number}"), level: 1, at };
            async move {
                match number {
                    0 => store.renew(&old, new, added("jeff", login, &[])).await.unwrap(),
                    _ => store.raise(&old, added("jeff", login, &[])).await.unwrap(),
                }
                .is_some()
            }
        })
        .await;
        assert!(done[0], "nothing but another renewal or its end keeps a session from being renewed");
        let logins = setup.store.look(&new).await.unwrap().unwrap().session.logins;
        for (number, done) in done.into_iter().enumerate() {
            let realm = format!("realm-{number}");
            assert_eq!(logins.iter().any(|login| login.realm == realm), done, "{realm} in round {round}");
        }
    }
}

pub(crate) async fn a_session_is_raised_in_place(setup: &Setup) {
    put(setup, 1, "jeff").await;
    let mut expected = record(&*setup.clock, "jeff").session;
    let by_password = expected.logins.highest().clone();
    setup.clock.advance(MINUTE);
    let raised_at = setup.clock.now();
    assert!(raise(setup, 1, "jeff", by_key(&*setup.clock)).await);
    expected.logins = expected.logins.and(by_key(&*setup.clock));
    assert_eq!(setup.store.touch(&key(1)).await.unwrap().unwrap().session, expected);
    setup.clock.advance(MINUTE);
    let again = Login { at: setup.clock.now(), ..by_password };
    assert!(raise(setup, 1, "jeff", again.clone()).await);
    expected.logins = expected.logins.and(again);
    let session = setup.store.touch(&key(1)).await.unwrap().unwrap().session;
    assert_eq!((session.level(), session.authenticated_at()), (2, raised_at));
    assert_eq!(session, expected, "a weaker login takes nothing away");
}

async fn raise(setup: &Setup, number: u8, user: &str, login: Login) -> bool {
    setup.store.raise(&key(number), added(user, login, &[])).await.unwrap().is_some()
}

pub(crate) async fn logins_at_once_are_all_there(setup: &Setup) {
    put(setup, 1, "jeff").await;
    let raised = race(16, |number| {
        let (store, at) = (setup.store.clone(), setup.clock.now());
        let login = Login { realm: format!("realm-{number}"), level: u8::try_from(number).unwrap(), at };
        async move { store.raise(&key(1), added("jeff", login, &[])).await.unwrap().is_some() }
    })
    .await;
    assert!(raised.iter().all(|raised| *raised));
    let session = setup.store.touch(&key(1)).await.unwrap().unwrap().session;
    assert_eq!((session.level(), session.logins.iter().count()), (15, 17));
}

pub(crate) async fn a_session_is_raised_by_its_user_alone(setup: &Setup) {
    put(setup, 1, "jeff").await;
    assert!(!raise(setup, 1, "eve", by_key(&*setup.clock)).await);
    assert!(!raise(setup, 2, "jeff", by_key(&*setup.clock)).await);
    assert_eq!(level(setup, 1).await, Some(1));
    // The old id of a renewed session never learns of a higher level.
    assert!(renew(setup, 1, 3, "jeff").await);
    assert!(!raise(setup, 1, "jeff", by_key(&*setup.clock)).await);
    assert_eq!(level(setup, 1).await, Some(1));
}

pub(crate) async fn an_ended_session_is_gone(setup: &Setup) {
    put(setup, 1, "jeff").await;
    put(setup, 2, "jeff").await;
    setup.store.end(&key(1)).await.unwrap();
    setup.store.end(&key(1)).await.unwrap();
    assert_eq!((level(setup, 1).await, level(setup, 2).await), (None, Some(1)));
}

pub(crate) async fn an_end_is_one_of_the_ids_before_too(setup: &Setup) {
    for (first, end_all) in [(1, false), (11, true)] {
        put(setup, first, "jeff").await;
        for old in first..first + 2 {
            assert!(renew(setup, old, old + 1, "jeff").await);
        }
        assert_eq!(level(setup, first).await, Some(1));
        if end_all {
            setup.store.end_all(&"jeff".into()).await.unwrap();
        } else {
            setup.store.end(&key(first + 2)).await.unwrap();
        }
        for number in first..first + 3 {
            assert_eq!(level(setup, number).await, None, "{number}");
        }
    }
}

pub(crate) async fn an_end_by_a_former_id_is_one_of_the_ids_since(setup: &Setup) {
    put(setup, 1, "jeff").await;
    for old in 1..3 {
        assert!(renew(setup, old, old + 1, "jeff").await);
    }
    setup.store.end(&key(1)).await.unwrap();
    for number in 1..4 {
        assert_eq!(level(setup, number).await, None, "{number}");
    }
}

/// It has many former ids, so that it takes a while to find the one that it has now: the renewal comes in between.
pub(crate) async fn an_end_beside_a_renewal_is_one_of_the_new_id_too(setup: &Setup) {
    const LAST: u8 = 120;
    for round in 0..50 {
        put(setup, 0, "jeff").await;
        for old in 0..LAST {
            assert!(renew(setup, old, old + 1, "jeff").await);
        }
        race(2, |number| {
            let (store, login) = (setup.store.clone(), by_key(&*setup.clock));
            async move {
                match number {
                    0 => store.end(&key(0)).await.unwrap(),
                    _ => drop(store.renew(&key(LAST), key(LAST + 1), added("jeff", login, &[])).await.unwrap()),
                }
            }
        })
        .await;
        for number in [0, LAST, LAST + 1] {
            assert_eq!(level(setup, number).await, None, "{number} in round {round}");
        }
    }
}

pub(crate) async fn all_sessions_of_a_user_end_at_once(setup: &Setup) {
    put(setup, 1, "jeff").await;
    put(setup, 2, "jeff").await;
    put(setup, 3, "eve").await;
    setup.store.end_all(&"jeff".into()).await.unwrap();
    assert_eq!((level(setup, 1).await, level(setup, 2).await, level(setup, 3).await), (None, None, Some(1)));
    let mut next = record(&*setup.clock, "jeff");
    next.session.generation = setup.store.generation(&"jeff".into()).await.unwrap();
    setup.store.create(key(4), next).await.unwrap();
    assert_eq!(level(setup, 4).await, Some(1));
}

pub(crate) async fn a_login_that_began_before_the_end_of_all_is_void(setup: &Setup) {
    let mut late = record(&*setup.clock, "jeff");
    late.session.generation = setup.store.generation(&"jeff".into()).await.unwrap();
    setup.store.end_all(&"jeff".into()).await.unwrap();
    setup.store.create(key(1), late).await.unwrap();
    assert_eq!(level(setup, 1).await, None);
}

pub(crate) async fn an_ended_generation_changes_nothing_any_more(setup: &Setup) {
    put(setup, 1, "jeff").await;
    setup.store.end_all(&"jeff".into()).await.unwrap();
    assert!(!renew(setup, 1, 2, "jeff").await);
    assert!(!raise(setup, 1, "jeff", by_key(&*setup.clock)).await);
    assert_eq!(level(setup, 2).await, None);
}

/// When the listed sessions were last used, counted from the start.
async fn listed(setup: &Setup, user: &str) -> Vec<i64> {
    let listed = setup.store.list(&user.into()).await.unwrap();
    listed.iter().map(|record| record.last_used.0 - START.0).collect()
}

pub(crate) async fn the_living_sessions_of_a_user_are_listed(setup: &Setup) {
    for (number, user) in [(1, "jeff"), (2, "jeff"), (3, "eve"), (4, "jef"), (5, "jefff")] {
        put(setup, number, user).await;
        setup.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(listed(setup, "jeff").await, [1000, 0], "the last used first");
    assert!(setup.store.touch(&key(1)).await.unwrap().is_some());
    assert_eq!(listed(setup, "jeff").await, [5000, 1000]);
    assert!(renew(setup, 1, 6, "jeff").await);
    assert_eq!(listed(setup, "jeff").await.len(), 2, "a renewed one is listed once");
    setup.store.end(&key(2)).await.unwrap();
    assert_eq!(listed(setup, "jeff").await, [5000]);
    setup.store.end_all(&"jeff".into()).await.unwrap();
    assert!(listed(setup, "jeff").await.is_empty());
    assert_eq!(listed(setup, "eve").await.len(), 1);
    setup.clock.advance(30 * MINUTE);
    assert!(listed(setup, "eve").await.is_empty(), "an unused one ended, and listing was no use of it");
}

pub(crate) async fn no_more_sessions_are_listed_than_the_limit(setup: &Setup) {
    for number in 0..=u8::try_from(SESSIONS_LISTED).unwrap() {
        put(setup, number, "jeff").await;
        setup.clock.advance(Duration::from_secs(1));
    }
    let listed = listed(setup, "jeff").await;
    assert_eq!((listed.len(), listed.last()), (SESSIONS_LISTED, Some(&1000)), "the oldest is left out");
}

async fn found(setup: &Setup, user: &str, sid: &str) -> Option<u8> {
    let found = setup.store.of(&user.into(), sid).await.unwrap();
    found.map(|record| {
        assert_eq!((record.session.ext_id.as_str(), record.session.sid.as_str()), (user, sid));
        record.session.level()
    })
}

pub(crate) async fn a_session_is_found_by_its_name(setup: &Setup) {
    let named = |mut record: SessionRecord, sid: &str| {
        sid.clone_into(&mut record.session.sid);
        record
    };
    for (number, sid) in [(1, "one"), (2, "two"), (3, "three")] {
        setup.store.create(key(number), named(record(&*setup.clock, "jeff"), sid)).await.unwrap();
    }
    assert_eq!((found(setup, "jeff", "one").await, found(setup, "jeff", "four").await), (Some(1), None));
    assert_eq!(setup.store.of(&"eve".into(), "one").await.unwrap(), None, "it is another user's");
    for (old, new) in [(1, 11), (11, 12)] {
        assert!(renew(setup, old, new, "jeff").await);
        assert!(!renew(setup, old, 99, "jeff").await);
        assert_eq!(found(setup, "jeff", "one").await, Some(2));
        setup.clock.advance(Duration::from_secs(5));
        setup.store.sweep().await.unwrap();
        assert_eq!(found(setup, "jeff", "one").await, Some(2), "the old id is gone, the session is not");
    }
    setup.store.end(&key(12)).await.unwrap();
    assert_eq!((found(setup, "jeff", "one").await, found(setup, "jeff", "two").await), (None, Some(1)));
    setup.clock.advance(29 * MINUTE);
    assert!(setup.store.touch(&key(3)).await.unwrap().is_some());
    assert_eq!(found(setup, "jeff", "two").await, Some(1));
    setup.clock.advance(MINUTE);
    assert_eq!(found(setup, "jeff", "two").await, None, "being found is no use");
    assert_eq!(found(setup, "jeff", "three").await, Some(1));
    setup.store.end_all(&"jeff".into()).await.unwrap();
    assert_eq!(found(setup, "jeff", "three").await, None);
}

pub(crate) async fn a_raised_session_has_the_keys_of_before_too(setup: &Setup) {
    let first = SessionRecord { keys: keys(&["a"]), ..record(&*setup.clock, "jeff") };
    setup.store.create(key(1), first).await.unwrap();
    let better = by_key(&*setup.clock);
    for shown in [&["b"][..], &["a", "c"], &[]] {
        assert!(setup.store.raise(&key(1), added("jeff", better.clone(), shown)).await.unwrap().is_some());
    }
    let record = setup.store.touch(&key(1)).await.unwrap().unwrap();
    assert_eq!(record.keys, keys(&["a", "b", "c"]));
}
