use argon2::password_hash::SaltString;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};

use super::*;
use crate::identity::testing::{TestDomain, domain, pair, realm};
use crate::identity::throttle::{Bucket, Lane, Pace};

fn settings(queue: usize) -> Settings {
    Settings { realm: realm("password", 1, true), parallel: 1, queue, paces: Paces::default() }
}

fn build(domain: &TestDomain, settings: Settings) -> PasswordRealm {
    counted(domain, settings, &Arc::new(Metrics::new().unwrap()))
}

/// The same, where what is hashed is counted.
fn counted(domain: &TestDomain, settings: Settings, metrics: &Arc<Metrics>) -> PasswordRealm {
    let clock = Arc::clone(&domain.clock) as Arc<dyn Clock>;
    let users = Arc::clone(&domain.users) as Arc<dyn Users>;
    PasswordRealm::new(settings, Arc::clone(&domain.sessions), users, clock, metrics.clone()).unwrap()
}

fn typed(name: &str, password: &str) -> Credentials {
    Credentials {
        name: name.to_owned(),
        password: Zeroizing::new(password.to_owned()),
        address: IpAddr::from([192, 0, 2, 1]),
    }
}

#[tokio::test]
async fn the_password_logs_its_user_in() {
    let domain = domain();
    let realm = build(&domain, settings(4));
    let done = realm.log_in(typed("jeff", "jeff's password"), None, true).await.unwrap();
    assert_eq!((done.session.ext_id.as_str(), done.session.level(), done.step_up), ("ext-jeff", 1, false));
    assert!(domain.session(&pair(&done.set_cookie.unwrap())).await.is_some());
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_are_refused_alike() {
    let domain = domain();
    let realm = build(&domain, settings(4));
    for (name, password) in
        [("jeff", "eve's password"), ("jeff", ""), ("nobody", "x"), ("", ""), ("Jeff", "jeff's password")]
    {
        let refused = realm.log_in(typed(name, password), None, true).await;
        assert!(matches!(refused, Err(PasswordError::Wrong)), "{name}");
    }
}

/// The hashes that were computed so far, as counters of their parameters.
fn hashed(metrics: &Metrics) -> Vec<String> {
    let text = String::from_utf8(metrics.text()).unwrap();
    text.lines().filter(|line| line.starts_with("sidegate_password_hashes_total{")).map(str::to_owned).collect()
}

/// A hash as another system may have made it.
fn imported(version: Version, params: (u32, u32, u32), password: &str) -> PasswordHash {
    let (memory, passes, lanes) = params;
    let params = Params::new(memory, passes, lanes, Some(24)).unwrap();
    let hasher = Argon2::new(Algorithm::Argon2id, version, params);
    let salt = SaltString::encode_b64(b"salt of another system").unwrap();
    PasswordHash::parse(&hasher.hash_password(password.as_bytes(), &salt).unwrap().to_string()).unwrap()
}

#[tokio::test]
async fn a_login_is_the_same_work_whomever_it_names() {
    let domain = domain();
    domain.users.add("old", imported(Version::V0x10, (32, 3, 4), "old's password")).await.unwrap();
    domain.users.add("dear", imported(Version::V0x13, (64, 1, 1), "dear's password")).await.unwrap();
    for (name, password) in [
        ("jeff", "guess"),
        ("old", "guess"),
        ("dear", "guess"),
        ("nobody", "guess"),
        ("", ""),
        ("jeff", "jeff's password"),
        ("old", "old's password"),
        ("dear", "dear's password"),
    ] {
        let metrics = Arc::new(Metrics::new().unwrap());
        let realm = counted(&domain, settings(4), &metrics);
        let done = realm.log_in(typed(name, password), None, true).await;
        assert_eq!(done.is_ok(), password.ends_with(" password"), "{name}");
        let each = ["v=16,m=32,t=3,p=4", "v=19,m=19456,t=2,p=1", "v=19,m=64,t=1,p=1"];
        let each = each.map(|cost| format!("sidegate_password_hashes_total{{parameters=\"{cost}\"}} 1"));
        assert_eq!(hashed(&metrics), each, "{name}");
    }
}

#[tokio::test]
async fn nobody_can_log_in_as_the_decoy() {
    let domain = domain();
    let mut realm = build(&domain, settings(4));
    realm.decoy.password = PasswordHash::of(b"known").unwrap();
    assert!(matches!(realm.log_in(typed("nobody", "known"), None, true).await, Err(PasswordError::Wrong)));
}

#[tokio::test]
async fn guesses_are_slowed_without_looking_at_the_password() {
    let domain = domain();
    let pace = Pace { free: 2, parallel: 2, ..Pace::default() };
    let paces = Paces { user: pace, ..Paces::default() };
    let realm = build(&domain, Settings { paces, ..settings(4) });
    for _ in 0..2 {
        assert!(matches!(realm.log_in(typed("jeff", "guess"), None, true).await, Err(PasswordError::Wrong)));
    }
    let slowed = realm.log_in(typed("jeff", "jeff's password"), None, true).await;
    assert!(matches!(slowed, Err(PasswordError::TooMany(wait)) if wait == Duration::from_secs(1)));
    let elsewhere = Credentials { address: IpAddr::from([192, 0, 2, 2]), ..typed("jeff", "jeff's password") };
    assert!(realm.log_in(elsewhere, None, true).await.is_ok());
    domain.clock.advance(Duration::from_secs(1));
    assert!(realm.log_in(typed("jeff", "jeff's password"), None, true).await.is_ok());
}

#[tokio::test]
async fn a_full_queue_refuses_and_uses_no_attempt_up() {
    let domain = domain();
    let pace = Pace { free: 1, parallel: 2, ..Pace::default() };
    let paces = Paces { user: pace, ..Paces::default() };
    let realm = build(&domain, Settings { paces, ..settings(0) });
    let taken = realm.hashing.place(Lane::Common);
    assert!(taken.is_some());
    assert!(matches!(realm.log_in(typed("jeff", "guess"), None, true).await, Err(PasswordError::Busy)));
    drop(taken);
    assert!(realm.log_in(typed("jeff", "jeff's password"), None, true).await.is_ok());
}

#[tokio::test]
async fn a_full_queue_is_not_in_the_way_of_a_user_who_logged_in_from_there_lately() {
    let domain = domain();
    let realm = build(&domain, settings(0));
    let from = |address| Credentials { address: IpAddr::from(address), ..typed("jeff", "jeff's password") };
    let (home, elsewhere) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    realm.log_in(from(home), None, true).await.unwrap();
    let _full = realm.hashing.place(Lane::Common).unwrap();
    assert!(matches!(realm.log_in(from(elsewhere), None, true).await, Err(PasswordError::Busy)));
    let mut first = Box::pin(realm.log_in(from(home), None, true));
    assert!(futures::poll!(&mut first).is_pending());
    let second = realm.log_in(from(home), None, true).await;
    assert!(matches!(second, Err(PasswordError::Busy)), "one at a time");
    assert!(first.await.is_ok());
}

#[tokio::test]
async fn users_who_logged_in_from_there_lately_are_no_more_than_the_places_for_them() {
    let domain = domain();
    let realm = build(&domain, settings(0));
    realm.log_in(typed("jeff", "jeff's password"), None, true).await.unwrap();
    let _taken = [Lane::Reserved, Lane::Common].map(|lane| realm.hashing.place(lane).unwrap());
    assert!(matches!(realm.log_in(typed("jeff", "guess"), None, true).await, Err(PasswordError::Busy)));
}

#[tokio::test]
async fn whoever_finds_the_reserved_places_taken_takes_a_common_one_of_the_networks_share() {
    let domain = domain();
    let paces = Paces { network: Bucket { parallel: 1, ..Paces::default().network }, ..Paces::default() };
    let realm = build(&domain, Settings { paces, ..settings(1) });
    let log_in = || realm.log_in(typed("jeff", "jeff's password"), None, true);
    log_in().await.unwrap();
    let _taken = [0; 2].map(|_| realm.hashing.place(Lane::Reserved).unwrap());
    log_in().await.unwrap();
    let mut stranger = Box::pin(realm.log_in(typed("eve", "guess"), None, true));
    assert!(futures::poll!(&mut stranger).is_pending());
    assert!(matches!(log_in().await, Err(PasswordError::Busy)), "the share is taken, though a place is free");
    assert!(matches!(stranger.await, Err(PasswordError::Wrong)));
    log_in().await.unwrap();
}

#[tokio::test]
async fn a_store_that_is_down_uses_no_attempt_up() {
    let domain = domain();
    let pace = Pace { free: 1, parallel: 2, ..Pace::default() };
    let paces = Paces { user: pace, ..Paces::default() };
    let realm = build(&domain, Settings { paces, ..settings(4) });
    *domain.users.up.lock().unwrap() = false;
    assert!(matches!(realm.log_in(typed("jeff", "x"), None, true).await, Err(PasswordError::Login(_))));
    *domain.users.up.lock().unwrap() = true;
    assert!(realm.log_in(typed("jeff", "jeff's password"), None, true).await.is_ok());
}

#[tokio::test]
async fn a_client_that_hangs_up_has_used_its_attempt() {
    let domain = domain();
    let pace = Pace { free: 1, parallel: 2, ..Pace::default() };
    let paces = Paces { user: pace, ..Paces::default() };
    let realm = build(&domain, Settings { paces, ..settings(4) });
    let mut login = Box::pin(realm.log_in(typed("jeff", "guess"), None, true));
    assert!(futures::poll!(&mut login).is_pending());
    drop(login);
    assert!(matches!(realm.log_in(typed("jeff", "guess"), None, true).await, Err(PasswordError::TooMany(_))));
}

#[tokio::test]
async fn a_check_that_did_not_run_is_no_wrong_password_and_uses_no_attempt_up() {
    let domain = domain();
    let pace = Pace { free: 1, parallel: 2, ..Pace::default() };
    let paces = Paces { user: pace, ..Paces::default() };
    let realm = build(&domain, Settings { paces, ..settings(4) });
    realm.hashing.stop();
    for _ in 0..3 {
        let refused = realm.log_in(typed("jeff", "jeff's password"), None, true).await;
        assert!(matches!(refused, Err(PasswordError::NotChecked(_))));
    }
}
