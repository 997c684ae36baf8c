use http::Method;
use rstest::rstest;
use sidegate_filters::identity_creation::{Demand, Sessions as _};
use sidegate_filters::{Caller, Chain, FilterError, Occasion};

use super::*;
use crate::identity::testing::{TestDomain, domain, exchange, pair, realm};
use crate::store::users::PasswordHash;
use crate::store::{CredentialKey, Credentials as _, Removal, Users as _};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn password() -> Realm {
    realm("password", 1, true)
}

fn fido() -> Realm {
    realm("fido-uaf", 2, true)
}

fn fido_for_the_sdk() -> Realm {
    realm("fido-uaf", 2, false)
}

async fn level(domain: &TestDomain, cookie: &str) -> Option<u8> {
    domain.session(cookie).await.map(|session| session.level())
}

#[tokio::test]
async fn a_first_login_sets_a_new_id_of_the_realms_level() {
    let domain = domain();
    let cookie = domain.login("jeff", &password(), None).await.unwrap();
    let session = domain.session(&cookie).await.unwrap();
    assert_eq!((session.ext_id.as_str(), session.name.as_str()), ("ext-jeff", "jeff"));
    assert_eq!((session.realm(), session.level(), session.domain.as_str()), ("password", 1, "main"));
    assert_eq!(session.authenticated_at(), domain.clock.now());
    let again = domain.login("jeff", &password(), None).await.unwrap();
    assert_ne!(cookie, again);
    assert_ne!(domain.session(&again).await.unwrap().sid, session.sid);
}

#[tokio::test]
async fn an_id_that_the_client_brought_is_never_upgraded() {
    let domain = domain();
    let planted = format!("__Host-sidegate-main={}", "A".repeat(43));
    let cookie = domain.login("jeff", &password(), Some(&planted)).await.unwrap();
    assert_ne!(cookie, planted);
    assert_eq!(level(&domain, &planted).await, None);
}

#[tokio::test]
async fn a_step_up_renews_and_the_old_id_never_learns_the_level() {
    let domain = domain();
    let old = domain.login("jeff", &password(), None).await.unwrap();
    let sid = domain.session(&old).await.unwrap().sid.clone();
    domain.clock.advance(MINUTE);
    let new = domain.login("jeff", &fido(), Some(&old)).await.unwrap();
    let raised = domain.session(&new).await.unwrap();
    assert_eq!((raised.level(), raised.realm(), raised.sid.as_str()), (2, "fido-uaf", sid.as_str()));
    assert_eq!(raised.authenticated_at(), domain.clock.now());
    domain.clock.advance(Duration::from_millis(4_999));
    assert_eq!(level(&domain, &old).await, Some(1));
    domain.clock.advance(Duration::from_millis(1));
    assert_eq!(level(&domain, &old).await, None);
    assert_eq!(level(&domain, &new).await, Some(2));
}

#[tokio::test]
async fn a_renewed_id_can_not_be_stepped_up_again() {
    let domain = domain();
    let old = domain.login("jeff", &password(), None).await.unwrap();
    let first = domain.login("jeff", &fido(), Some(&old)).await.unwrap();
    let second = domain.login("jeff", &fido(), Some(&old)).await.unwrap();
    let (first, second) = (domain.session(&first).await.unwrap(), domain.session(&second).await.unwrap());
    assert_ne!(first.sid, second.sid, "the second login stands alone");
    assert_eq!(level(&domain, &old).await, Some(1));
}

#[rstest]
#[case(fido(), 1)]
#[case(fido_for_the_sdk(), 1)]
#[case(password(), 0)]
#[case(realm("password", 1, false), 0)]
#[tokio::test]
async fn a_session_by_key_stays_one_and_no_weaker_login_makes_it_younger(#[case] next: Realm, #[case] at: u32) {
    let domain = domain();
    let start = domain.clock.now();
    let old = domain.login("jeff", &fido_for_the_sdk(), None).await.unwrap();
    let sid = domain.session(&old).await.unwrap().sid.clone();
    domain.clock.advance(MINUTE);
    let cookie = domain.login("jeff", &next, Some(&old)).await.unwrap_or(old);
    let session = domain.session(&cookie).await.unwrap();
    assert_eq!(
        (session.realm(), session.level(), session.authenticated_at()),
        ("fido-uaf", 2, start.after(MINUTE * at))
    );
    assert_eq!(session.sid, sid);
    let fresh = |level| Demand { level, max_age: Some(SECOND), ..Demand::default() };
    assert_eq!(fresh(1).check(&session, domain.clock.now()), Ok(()));
    assert_eq!(fresh(2).check(&session, domain.clock.now()).is_ok(), at == 1);
}

#[tokio::test]
async fn without_renewal_the_cookie_stays_and_the_level_rises() {
    let domain = domain();
    let cookie = domain.login("jeff", &password(), None).await.unwrap();
    assert_eq!(domain.login("jeff", &fido_for_the_sdk(), Some(&cookie)).await, None);
    let session = domain.session(&cookie).await.unwrap();
    assert_eq!((session.level(), session.realm()), (2, "fido-uaf"));
}

#[rstest]
#[case(password())]
#[case(fido_for_the_sdk())]
#[tokio::test]
async fn another_user_never_gets_the_session_that_is_there(#[case] realm: Realm) {
    let domain = domain();
    let jeffs = domain.login("jeff", &password(), None).await.unwrap();
    let eves = domain.login("eve", &realm, Some(&jeffs)).await.unwrap();
    assert_ne!(eves, jeffs);
    assert_eq!(domain.session(&eves).await.unwrap().ext_id, "ext-eve");
    assert_eq!(level(&domain, &jeffs).await, None, "jeff's session has ended");
}

#[tokio::test]
async fn a_weaker_login_renews_the_id_and_the_one_before_learns_nothing_of_it() {
    let domain = domain();
    let start = domain.clock.now();
    let first = domain.login("jeff", &password(), None).await.unwrap();
    let raised = domain.login("jeff", &fido(), Some(&first)).await.unwrap();
    domain.clock.advance(SECOND);
    let again = domain.login("jeff", &password(), Some(&raised)).await.unwrap();
    let at = async |cookie: &str| {
        let session = domain.session(cookie).await.unwrap();
        session.logins.iter().map(|login| (login.level, login.at.since(start))).collect::<Vec<_>>()
    };
    assert_eq!(at(&again).await, [(2, Duration::ZERO), (1, SECOND)]);
    assert_eq!(at(&raised).await, [(2, Duration::ZERO), (1, Duration::ZERO)], "as it was");
    assert_eq!(at(&first).await, [(1, Duration::ZERO)], "nor the one before that");
    // By an id from before, a login begins a session of its own, at its own level.
    let apart = domain.login("jeff", &password(), Some(&raised)).await.unwrap();
    assert_eq!(at(&apart).await, [(1, SECOND)]);
    domain.clock.advance(5 * SECOND);
    assert_eq!((level(&domain, &first).await, level(&domain, &raised).await), (None, None));
    assert_eq!(level(&domain, &again).await, Some(2));
}

#[tokio::test]
async fn a_weaker_login_keeps_the_keys_that_the_session_ends_with() {
    let domain = domain();
    let keys = [domain.key("jeff", 1).await];
    let by_key = domain.login_by("jeff", &fido(), &keys, None).await.unwrap();
    let again = domain.login("jeff", &password(), Some(&by_key)).await.unwrap();
    assert_eq!(level(&domain, &again).await, Some(2));
    remove_key(&domain, "jeff", 1).await;
    assert_eq!(level(&domain, &again).await, None);
}

#[tokio::test]
async fn a_session_is_worth_what_its_realms_give_by_now() {
    let domain = domain();
    let DomainSessions { settings, eras, clock, .. } = &*domain.sessions;
    let first = domain.login("jeff", &fido_for_the_sdk(), None).await.unwrap();
    let cookie = domain.login("jeff", &password(), Some(&first)).await.unwrap();
    let of_realms = async |realms: &[(&str, u8)]| {
        let realms = realms.iter().map(|(name, level)| ((*name).to_owned(), *level)).collect();
        let now = DomainSessions::new(settings.clone(), eras.clone(), Arc::clone(clock)).of_realms(realms);
        let found = now.find(now.domain(), &carrier(&cookie), Occasion::Arrival).await.unwrap();
        found.map(|session| session.logins.iter().map(|login| (login.level, login.realm.clone())).collect::<Vec<_>>())
    };
    let both = |key: u8, password: u8| Some(vec![(key, "fido-uaf".to_owned()), (password, "password".to_owned())]);
    assert_eq!(of_realms(&[("fido-uaf", 3), ("password", 2)]).await, both(2, 1), "no more than they gave");
    assert_eq!(of_realms(&[("fido-uaf", 1), ("password", 0)]).await, both(1, 0));
    assert_eq!(of_realms(&[("fido-uaf", 2)]).await, Some(vec![(2, "fido-uaf".to_owned())]));
    assert_eq!(of_realms(&[("password", 1)]).await, None, "it does not fall back");
    assert_eq!(of_realms(&[("fido-uaf", 2), ("password", 1)]).await, None, "it ended");
}

#[tokio::test]
async fn logout_ends_the_session() {
    let domain = domain();
    let cookie = domain.login("jeff", &password(), None).await.unwrap();
    let session = domain.session(&cookie).await.unwrap();
    domain.sessions.logout(&session).await.unwrap();
    assert_eq!(level(&domain, &cookie).await, None);
}

#[tokio::test]
async fn an_idle_session_ends_and_a_used_one_lives() {
    let domain = domain();
    let cookie = domain.login("jeff", &password(), None).await.unwrap();
    for _ in 0..3 {
        domain.clock.advance(29 * MINUTE);
        assert_eq!(level(&domain, &cookie).await, Some(1));
    }
    domain.clock.advance(30 * MINUTE + SECOND);
    assert_eq!(level(&domain, &cookie).await, None);
}

#[tokio::test]
async fn a_session_ends_for_good_and_a_step_up_does_not_move_the_end() {
    let domain = domain();
    let mut cookie = domain.login("jeff", &password(), None).await.unwrap();
    for _ in 0..23 {
        domain.clock.advance(20 * MINUTE);
        cookie = domain.login("jeff", &password(), Some(&cookie)).await.unwrap();
    }
    domain.clock.advance(19 * MINUTE);
    assert_eq!(level(&domain, &cookie).await, Some(1));
    domain.clock.advance(MINUTE + SECOND);
    assert_eq!(level(&domain, &cookie).await, None);
}

#[tokio::test]
async fn a_removed_user_is_gone_at_once() {
    let domain = domain();
    let cookie = domain.login("jeff", &password(), None).await.unwrap();
    let jeff = domain.users.remove("jeff").await.unwrap().unwrap();
    assert_eq!(level(&domain, &cookie).await, None);
    domain.users.users.lock().unwrap().push(jeff);
    assert_eq!(level(&domain, &cookie).await, None, "and does not come back with the user");
}

#[tokio::test]
async fn all_sessions_of_a_user_end_together() {
    let domain = domain();
    let first = domain.login("jeff", &password(), None).await.unwrap();
    let second = domain.login("jeff", &fido(), None).await.unwrap();
    let eves = domain.login("eve", &password(), None).await.unwrap();
    domain.sessions.end_all(&domain.users.get("jeff").ext_id).await.unwrap();
    assert_eq!((level(&domain, &first).await, level(&domain, &second).await), (None, None));
    assert_eq!(level(&domain, &eves).await, Some(1));
    let later = domain.login("jeff", &password(), None).await.unwrap();
    assert_eq!(level(&domain, &later).await, Some(1));
}

#[tokio::test]
async fn a_login_that_was_under_way_when_all_ended_is_void() {
    let domain = domain();
    let jeff = domain.users.get("jeff");
    let attempt = domain.sessions.attempt(&jeff).await.unwrap();
    domain.sessions.end_all(&jeff.ext_id).await.unwrap();
    let newer = domain.login("jeff", &password(), None).await.unwrap();
    let presented = domain.session(&newer).await;
    let done = domain.sessions.login(attempt, &fido_for_the_sdk(), presented.as_ref(), true).await.unwrap();
    let cookie = crate::identity::testing::pair(&done.set_cookie.unwrap());
    assert_eq!(level(&domain, &cookie).await, None);
    assert_eq!(level(&domain, &newer).await, None, "nor does it raise a newer session");
}

fn carrier(cookie: &str) -> Carrier {
    Carrier::new(CarriedBy::Cookie, cookie.split_once('=').unwrap().1.to_owned())
}

#[tokio::test]
async fn a_session_of_another_domain_is_not_there() {
    let domain = domain();
    let cookie = domain.login("jeff", &password(), None).await.unwrap();
    let value = &carrier(&cookie);
    let other = SessionDomain::parse("other").unwrap();
    assert_eq!(domain.sessions.find(&other, value, Occasion::Arrival).await.unwrap(), None);
    assert!(domain.sessions.find(domain.sessions.domain(), value, Occasion::Arrival).await.unwrap().is_some());
}

#[tokio::test]
async fn one_store_serves_several_domains_and_mixes_none() {
    let domain = domain();
    let DomainSessions { settings, eras, clock, .. } = &*domain.sessions;
    let settings = Settings { domain: SessionDomain::parse("other").unwrap(), ..settings.clone() };
    let other = DomainSessions::new(settings, eras.clone(), Arc::clone(clock));
    let cookie = domain.login("jeff", &password(), None).await.unwrap();
    let value = &carrier(&cookie);
    assert_eq!(other.find(other.domain(), value, Occasion::Arrival).await.unwrap(), None);
}

#[tokio::test]
async fn without_the_users_no_session_passes() {
    let domain = domain();
    let cookie = domain.login("jeff", &password(), None).await.unwrap();
    let value = &carrier(&cookie);
    *domain.users.up.lock().unwrap() = false;
    let found = domain.sessions.find(domain.sessions.domain(), value, Occasion::Arrival).await;
    assert!(matches!(found, Err(FilterError::Unavailable(_))));
}

#[tokio::test]
async fn another_password_ends_every_session_of_the_user_and_of_nobody_else() {
    let domain = domain();
    let by_password = domain.login("jeff", &password(), None).await.unwrap();
    let by_fido = domain.login("jeff", &fido(), None).await.unwrap();
    let eve = domain.login("eve", &password(), None).await.unwrap();
    let under_way = domain.sessions.attempt(&domain.users.get("jeff")).await.unwrap();
    domain.users.set_password("jeff", PasswordHash::of(b"another").unwrap()).await.unwrap();
    for cookie in [&by_password, &by_fido] {
        assert_eq!(level(&domain, cookie).await, None);
    }
    assert_eq!(level(&domain, &eve).await, Some(1));
    let late = domain.sessions.login(under_way, &password(), None, true).await.unwrap().set_cookie.unwrap();
    assert_eq!(level(&domain, &pair(&late)).await, None, "it was proved with the password before");
    let again = domain.login("jeff", &password(), Some(&by_password)).await.unwrap();
    assert_eq!(level(&domain, &again).await, Some(1));
}

#[tokio::test]
async fn a_login_after_the_change_raises_no_session_from_before_it() {
    let domain = domain();
    let old = domain.login("jeff", &password(), None).await.unwrap();
    let presented = domain.session(&old).await.unwrap();
    domain.users.set_password("jeff", PasswordHash::of(b"another").unwrap()).await.unwrap();
    let attempt = domain.sessions.attempt(&domain.users.get("jeff")).await.unwrap();
    let done = domain.sessions.login(attempt, &fido(), Some(&presented), true).await.unwrap();
    assert!(!done.step_up);
    assert_eq!(level(&domain, &old).await, None);
    assert_eq!(level(&domain, &pair(&done.set_cookie.unwrap())).await, Some(2));
}

/// The user deregisters a key.
async fn remove_key(domain: &TestDomain, name: &str, number: u8) {
    let key = CredentialKey::new("FFFF#0001", vec![number; 32]);
    let owner = domain.users.get(name).ext_id;
    assert_eq!(domain.durable.remove(&owner, &Removal::Key(key)).await.unwrap().len(), 1);
}

#[rstest]
#[case(fido())]
#[case(fido_for_the_sdk())]
#[tokio::test]
async fn a_session_ends_with_each_key_that_was_shown_for_it(#[case] realm: Realm) {
    for gone in [1, 2] {
        let domain = domain();
        let keys = [domain.key("jeff", 1).await, domain.key("jeff", 2).await];
        let by_password = domain.login("jeff", &password(), None).await.unwrap();
        let first = domain.login_by("jeff", &fido(), &keys[..1], None).await.unwrap();
        let again = domain.login_by("jeff", &realm, &keys[1..], Some(&first)).await.unwrap_or_else(|| first.clone());
        let raised = domain.login_by("jeff", &realm, &keys[gone - 1..gone], Some(&by_password)).await;
        let raised = raised.unwrap_or_else(|| by_password.clone());
        let other = domain.login("jeff", &password(), None).await.unwrap();
        let alive = domain.session(&again).await.unwrap();
        assert!(domain.sessions.is_alive(&alive).await.unwrap());
        remove_key(&domain, "jeff", u8::try_from(gone).unwrap()).await;
        assert!(!domain.sessions.is_alive(&alive).await.unwrap());
        for cookie in [&again, &raised] {
            assert_eq!(level(&domain, cookie).await, None);
        }
        assert_eq!(level(&domain, &other).await, Some(1), "the password is still there");
        let registered_anew = domain.key("jeff", u8::try_from(gone).unwrap()).await;
        assert_eq!(level(&domain, &again).await, None, "it ended");
        assert!(domain.login_by("jeff", &fido(), &[registered_anew], None).await.is_some());
    }
}

#[tokio::test]
async fn a_key_that_goes_while_its_login_is_under_way_makes_no_session() {
    let domain = domain();
    let keys = [domain.key("jeff", 1).await];
    let attempt = domain.sessions.attempt(&domain.users.get("jeff")).await.unwrap().proven_by(&keys);
    remove_key(&domain, "jeff", 1).await;
    let done = domain.sessions.login(attempt, &fido(), None, true).await.unwrap();
    assert!(!domain.sessions.is_alive(&done.session).await.unwrap());
    assert_eq!(level(&domain, &pair(&done.set_cookie.unwrap())).await, None);
}

#[tokio::test]
async fn of_another_users_key_nothing_hangs() {
    let domain = domain();
    let (jeffs, eves) = (domain.key("jeff", 1).await, domain.key("eve", 2).await);
    let jeff = domain.login_by("jeff", &fido(), &[jeffs], None).await.unwrap();
    let eve = domain.login_by("eve", &fido(), std::slice::from_ref(&eves), None).await.unwrap();
    remove_key(&domain, "eve", 2).await;
    assert_eq!((level(&domain, &jeff).await, level(&domain, &eve).await), (Some(2), None));
    let lent = domain.login_by("jeff", &fido(), &[eves], None).await.unwrap();
    assert_eq!(level(&domain, &lent).await, None, "it was never his");
}

#[tokio::test]
async fn an_open_connection_knows_its_session_among_many() {
    let domain = domain();
    let mut cookie = domain.login("jeff", &password(), None).await.unwrap();
    let session = domain.session(&cookie).await.unwrap();
    for _ in 0..150 {
        domain.login("jeff", &password(), None).await.unwrap();
    }
    for _ in 0..2 {
        domain.clock.advance(6 * SECOND);
        assert!(domain.sessions.is_alive(&session).await.unwrap());
        cookie = domain.login("jeff", &fido(), Some(&cookie)).await.unwrap();
    }
    assert!(domain.sessions.is_alive(&session).await.unwrap(), "whatever its id is now");
    domain.sessions.logout(&domain.session(&cookie).await.unwrap()).await.unwrap();
    assert!(!domain.sessions.is_alive(&session).await.unwrap());
}

#[tokio::test]
async fn roles_are_the_users_at_each_look() {
    let domain = domain();
    let give = async |roles: &[&str]| {
        let roles = roles.iter().map(ToString::to_string).collect();
        domain.users.set_roles("jeff", roles).await.unwrap();
    };
    give(&["boss"]).await;
    let cookie = domain.login("jeff", &password(), None).await.unwrap();
    let boss = domain.session(&cookie).await.unwrap();
    assert_eq!(boss.roles, ["boss"]);
    give(&["boss", "teller"]).await;
    assert_eq!(domain.session(&cookie).await.unwrap().roles, ["boss", "teller"]);
    assert!(domain.sessions.is_alive(&boss).await.unwrap(), "it has what it had");
    give(&["teller"]).await;
    assert_eq!(domain.session(&cookie).await.unwrap().roles, ["teller"]);
    assert!(!domain.sessions.is_alive(&boss).await.unwrap(), "what was let pass as boss is over");
    give(&[]).await;
    assert!(domain.session(&cookie).await.unwrap().roles.is_empty());
}

#[tokio::test]
async fn a_connection_that_is_judged_anew_keeps_no_session_awake() {
    let domain = domain();
    let chain = Chain::new(vec![domain.filter()]);
    let cookie = domain.login("jeff", &password(), None).await.unwrap();
    let asked = exchange(Method::GET, &[("cookie", &cookie)]);
    for _ in 0..2 {
        domain.clock.advance(14 * MINUTE);
        let mut again = asked.clone();
        assert!(chain.again(&mut again).await && matches!(again.caller, Caller::User(_)));
    }
    domain.clock.advance(2 * MINUTE);
    assert!(domain.session(&cookie).await.is_none(), "nobody used it for half an hour");
}
