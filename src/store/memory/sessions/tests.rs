use std::time::Duration;

use sidegate_filters::clock::ManualClock;

use sidegate_filters::identity::Login;

use super::*;
use crate::store::contract::sessions::added;
use crate::store::contract::{self, Fixture, START};

fn fixture() -> Fixture<dyn Sessions> {
    let clock = Arc::new(ManualClock::new(START));
    let store = MemorySessions::new(Budget::new(10_000_000, 100), clock.clone());
    Fixture { store: Arc::new(store), clock, _folder: None }
}

contract::sessions_contract!(fixture);

#[tokio::test]
async fn nothing_is_left_of_a_session_that_is_gone() {
    let setup = fixture();
    let store = MemorySessions::new(Budget::new(10_000_000, 100), setup.clock.clone());
    let record = |sid: &str| {
        let mut record = contract::sessions::record(&*setup.clock, "jeff");
        sid.clone_into(&mut record.session.sid);
        record
    };
    for (number, sid) in [(1, "ended"), (2, "unused"), (3, "renewed")] {
        store.create(contract::sessions::key(number), record(sid)).await.unwrap();
    }
    let (old, renewed) = (contract::sessions::key(3), contract::sessions::key(4));
    let login = record("renewed").session.logins.highest().clone();
    assert!(store.renew(&old, renewed, added("jeff", login, &[])).await.unwrap().is_some());
    let next = MemorySessions::new(Budget::new(10_000_000, 100), setup.clock.clone());
    assert_eq!(next.take_over(store.left()), 0);
    for store in [&store, &next] {
        assert_eq!(store.index.len(), (4, 3));
        assert!(store.of(&"jeff".into(), "renewed").await.unwrap().is_some());
        store.end(&contract::sessions::key(1)).await.unwrap();
        assert_eq!(store.index.len(), (3, 2));
    }
    setup.clock.advance(Duration::from_secs(30 * 60 + 1));
    for store in [store, next] {
        store.sweep().await.unwrap();
        assert_eq!(store.index.len(), (0, 0));
    }
}

#[tokio::test]
async fn without_room_a_renewal_leaves_the_old_session() {
    let clock = Arc::new(ManualClock::new(START));
    let budget = Budget::new(120_000, 1);
    let store = MemorySessions::new(budget.clone(), clock.clone());
    let (old, record) = (contract::sessions::key(1), contract::sessions::record(&*clock, "jeff"));
    store.create(old, record.clone()).await.unwrap();
    let (new, login) = (contract::sessions::key(2), record.session.logins.highest().clone());
    let error = store.renew(&old, new, added("jeff", login, &[])).await.unwrap_err();
    assert!(matches!(error, StoreError::Full));
    clock.advance(Duration::from_secs(6));
    assert!(store.touch(&old).await.unwrap().is_some());
    store.end(&old).await.unwrap();
    assert_eq!(budget.used(), 0);
}

/// A store in which a user has room for three sessions, and none for a fourth.
fn narrow() -> (Arc<ManualClock>, Arc<Budget>, MemorySessions) {
    let clock = Arc::new(ManualClock::new(START));
    let budget = Budget::new(400_000, 1);
    (clock.clone(), budget.clone(), MemorySessions::new(budget, clock))
}

/// Begins sessions of these numbers, one each second, for as long as none gives way.
async fn fill(store: &MemorySessions, clock: &ManualClock, record: &SessionRecord) -> u8 {
    let mut number = 0;
    loop {
        let before = store.list(&"jeff".into()).await.unwrap().len();
        let record = SessionRecord { last_used: clock.now(), ..record.clone() };
        store.create(contract::sessions::key(number), record).await.unwrap();
        clock.advance(Duration::from_secs(1));
        if store.list(&"jeff".into()).await.unwrap().len() == before {
            return number;
        }
        number += 1;
    }
}

async fn alive(store: &MemorySessions, number: u8) -> bool {
    store.touch(&contract::sessions::key(number)).await.unwrap().is_some()
}

#[tokio::test]
async fn without_room_the_longest_unused_of_the_user_gives_way() {
    let (clock, _, store) = narrow();
    let (eve, jeff) = (contract::sessions::record(&*clock, "eve"), contract::sessions::record(&*clock, "jeff"));
    store.create(contract::sessions::key(200), eve).await.unwrap();
    clock.advance(Duration::from_secs(1));
    let last = fill(&store, &clock, &jeff).await;
    assert!(last >= 2, "there was room for some");
    assert!(!alive(&store, 0).await && alive(&store, 1).await && alive(&store, last).await);
    assert!(alive(&store, 200).await, "another user's never does");
    // The first of those that are left was just used, so that another one goes.
    clock.advance(Duration::from_secs(1));
    assert!(alive(&store, 1).await);
    let next = SessionRecord { last_used: clock.now(), ..jeff };
    store.create(contract::sessions::key(100), next).await.unwrap();
    assert!(alive(&store, 1).await && !alive(&store, 2).await);
}

#[tokio::test]
async fn one_of_another_password_gives_way_first_and_one_of_a_higher_level_last() {
    let (clock, _, store) = narrow();
    let former = contract::sessions::record(&*clock, "jeff");
    let mut strong = former.clone();
    strong.session.logins = Login { realm: "fido-uaf".into(), level: 2, at: clock.now() }.into();
    store.create(contract::sessions::key(200), strong).await.unwrap();
    clock.advance(Duration::from_secs(1));
    let last = fill(&store, &clock, &former).await;
    assert!(alive(&store, 200).await && !alive(&store, 0).await && alive(&store, last).await);
    let new = SessionRecord { password: crate::store::PasswordStamp([8; 32]), ..former };
    for number in 100..100 + last {
        let record = SessionRecord { last_used: clock.now(), ..new.clone() };
        store.create(contract::sessions::key(number), record).await.unwrap();
        clock.advance(Duration::from_secs(1));
        assert!(alive(&store, 200).await, "the others before it");
    }
    store.create(contract::sessions::key(99), new).await.unwrap();
    assert!(!alive(&store, 200).await && alive(&store, 100).await, "it is void, and the new ones are not");
}

#[tokio::test]
async fn an_end_of_all_gives_back_their_room() {
    let (clock, budget, store) = narrow();
    fill(&store, &clock, &contract::sessions::record(&*clock, "jeff")).await;
    store.end_all(&"jeff".into()).await.unwrap();
    assert_eq!(budget.used(), 0);
    store.create(contract::sessions::key(100), contract::sessions::record(&*clock, "jeff")).await.unwrap();
    assert_eq!(budget.used(), 0, "nor does a login take any that began before the end");
}

/// A login by a key of so long a name: nothing refuses it, whatever room there is.
async fn grow(store: &MemorySessions, number: u8, user: &str, length: usize) {
    let login = Login { realm: "x".repeat(length), level: 1, at: START };
    assert!(store.raise(&contract::sessions::key(number), added(user, login, &[])).await.unwrap().is_some());
}

#[tokio::test]
async fn where_the_room_is_others_none_gives_way() {
    let clock = Arc::new(ManualClock::new(START));
    let budget = Budget::new(100_000, 100);
    let store = MemorySessions::new(budget.clone(), clock.clone());
    let record = |user: &str| contract::sessions::record(&*clock, user);
    store.create(contract::sessions::key(200), record("eve")).await.unwrap();
    for number in 0..3 {
        store.create(contract::sessions::key(number), record("jeff")).await.unwrap();
    }
    grow(&store, 200, "eve", 200_000).await;
    let full = store.create(contract::sessions::key(9), record("jeff")).await;
    assert!(matches!(full, Err(StoreError::Full)));
    for number in [0, 1, 2, 200] {
        assert!(alive(&store, number).await, "{number}: an end would have been for nothing");
    }
    // With the limit reached to the byte, what it takes is one.
    store.end(&contract::sessions::key(200)).await.unwrap();
    store.create(contract::sessions::key(201), record("eve")).await.unwrap();
    grow(&store, 201, "eve", 100_000 - budget.used() - size_of::<Login>()).await;
    assert_eq!(budget.used(), 100_000);
    store.create(contract::sessions::key(9), record("jeff")).await.unwrap();
    assert_eq!((store.list(&"jeff".into()).await.unwrap().len(), alive(&store, 9).await), (3, true));
    assert_eq!(budget.used(), 100_000);
}

#[tokio::test]
async fn filled_expired_and_refilled_nothing_is_left() {
    let clock = Arc::new(ManualClock::new(START));
    let budget = Budget::new(1_000_000, 1);
    let store = MemorySessions::new(budget.clone(), clock.clone());
    for round in 0..20 {
        for number in 0..100 {
            let user = format!("user-{}", number % 10);
            let mut record = contract::sessions::record(&*clock, &user);
            record.session.sid = format!("{round}-{number}");
            let kept = store.create(contract::sessions::key(number), record.clone()).await;
            assert!(kept.is_ok(), "the longest unused of its user gives way");
            if number % 3 == 0 {
                let (old, new) = (contract::sessions::key(number), contract::sessions::key(number + 100));
                let login = record.session.logins.highest().clone();
                let _room_or_none = store.renew(&old, new, added(&user, login, &[])).await;
            }
        }
        let (keys, places) = store.index.len();
        assert!(keys >= 10 && places >= 10 && keys >= places && keys == store.table.all().len(), "{keys} {places}");
        clock.advance(Duration::from_secs(30 * 60 + 1));
        store.sweep().await.unwrap();
        assert_eq!((store.index.len(), budget.used()), ((0, 0), 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_end_of_all_misses_no_login_that_is_under_way() {
    for _ in 0..20 {
        let clock = Arc::new(ManualClock::new(START));
        let budget = Budget::new(10_000_000, 100);
        let store = Arc::new(MemorySessions::new(budget.clone(), clock.clone()));
        contract::race(33, |number| {
            let (store, mut record) = (store.clone(), contract::sessions::record(&*clock, "jeff"));
            record.session.sid = number.to_string();
            async move {
                match u8::try_from(number).unwrap() {
                    16 => store.end_all(&"jeff".into()).await.unwrap(),
                    number => store.create(contract::sessions::key(number), record).await.unwrap(),
                }
            }
        })
        .await;
        assert_eq!((store.index.len(), budget.used()), ((0, 0), 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn logins_at_once_find_room_one_after_another() {
    let clock = Arc::new(ManualClock::new(START));
    let budget = Budget::new(2_000_000, 1);
    let store = Arc::new(MemorySessions::new(budget.clone(), clock.clone()));
    contract::race(200, |number| {
        let (store, mut record) = (store.clone(), contract::sessions::record(&*clock, "jeff"));
        record.session.sid = number.to_string();
        async move { store.create(contract::sessions::key(u8::try_from(number).unwrap()), record).await.unwrap() }
    })
    .await;
    let (keys, places) = store.index.len();
    assert!(keys >= 8 && keys == places && keys == store.table.all().len(), "{keys} {places}");
    assert!(budget.used() <= 20_000);
}
