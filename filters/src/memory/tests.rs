use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::Occasion;
use crate::clock::{ManualClock, Millis};
use crate::delegation::{SecToken, SecTokens as _};
use crate::filter::FilterError;
use crate::identity::{AuthenticatedSession, CarriedBy, Carrier, Login, Session};
use crate::identity_creation::{SessionDomain, Sessions as _};
use crate::jws::signing::SigningKey;
use crate::jws::{KeyKind, Thumbprint, VerificationKey};
use crate::jws_bypass::{ReplayGuard, ReplayId, Seen, TargetKeys};

fn key() -> Arc<VerificationKey> {
    Arc::new(SigningKey::of(KeyKind::Ed25519).verification_key())
}

fn id(thumbprint: &Thumbprint, request_id: &str) -> ReplayId {
    ReplayId::signed(thumbprint, request_id)
}

#[tokio::test]
async fn a_request_is_first_once_for_each_key() {
    let clock = Arc::new(ManualClock::new(Millis(0)));
    let guard = MemoryReplayGuard::new(10, clock);
    let (one, other) = (key(), key());
    assert_eq!(guard.remember(&[id(one.thumbprint(), "a")], Millis(10)).await.unwrap(), Seen::First);
    assert_eq!(guard.remember(&[id(one.thumbprint(), "a")], Millis(10)).await.unwrap(), Seen::Before);
    assert_eq!(guard.remember(&[id(one.thumbprint(), "b")], Millis(10)).await.unwrap(), Seen::First);
    assert_eq!(guard.remember(&[id(other.thumbprint(), "a")], Millis(10)).await.unwrap(), Seen::First);
}

#[tokio::test]
async fn a_request_is_kept_until_its_moment_and_no_longer() {
    let clock = Arc::new(ManualClock::new(Millis(0)));
    let guard = MemoryReplayGuard::new(10, clock.clone());
    let used = [id(key().thumbprint(), "a")];
    assert_eq!(guard.remember(&used, Millis(10)).await.unwrap(), Seen::First);
    clock.advance(Duration::from_millis(9));
    assert_eq!(guard.remember(&used, Millis(10)).await.unwrap(), Seen::Before);
    clock.advance(Duration::from_millis(1));
    assert_eq!(guard.remember(&used, Millis(20)).await.unwrap(), Seen::First);
}

#[tokio::test]
async fn a_full_guard_refuses_and_recovers() {
    let clock = Arc::new(ManualClock::new(Millis(0)));
    let guard = MemoryReplayGuard::new(2, clock.clone());
    let thumbprint = *key().thumbprint();
    for round in 0..100 {
        let until = Millis(10 * (round + 1));
        assert_eq!(guard.remember(&[id(&thumbprint, "a")], until).await.unwrap(), Seen::First);
        assert_eq!(guard.remember(&[id(&thumbprint, "b")], until).await.unwrap(), Seen::First);
        let third = guard.remember(&[id(&thumbprint, "c")], until).await;
        assert!(matches!(third, Err(FilterError::Unavailable(_))));
        assert_eq!(guard.remember(&[id(&thumbprint, "a")], until).await.unwrap(), Seen::Before);
        clock.advance(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn what_is_forgotten_makes_room() {
    let clock = Arc::new(ManualClock::new(Millis(0)));
    let guard = MemoryReplayGuard::new(1, clock.clone());
    let thumbprint = *key().thumbprint();
    let (one, other) = ([id(&thumbprint, "a")], [id(&thumbprint, "b")]);
    for _ in 0..100 {
        assert_eq!(guard.enter(&one, Millis(10)), Ok(Seen::First));
        assert_eq!(guard.enter(&other, Millis(10)), Err(Full));
        guard.forget(&other, Millis(10));
        assert!(guard.holds(&one[0]));
        guard.forget(&one, Millis(10));
        assert!(guard.is_empty());
    }
    // Nothing is left behind that could take out what comes later under the same name.
    assert_eq!(guard.enter(&one, Millis(20)), Ok(Seen::First));
    clock.advance(Duration::from_millis(10));
    assert!(guard.holds(&one[0]));
}

#[test]
fn a_request_has_all_its_names_or_none() {
    let clock = Arc::new(ManualClock::new(Millis(0)));
    let guard = MemoryReplayGuard::new(3, clock);
    let thumbprint = *key().thumbprint();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| id(&thumbprint, name));
    assert_eq!(guard.enter(&[a.clone(), b.clone()], Millis(10)), Ok(Seen::First));
    for one_known in [[b.clone(), c.clone()], [c.clone(), b.clone()]] {
        assert_eq!(guard.enter(&one_known, Millis(10)), Ok(Seen::Before));
    }
    assert_eq!(guard.enter(&[c.clone(), d], Millis(10)), Err(Full), "there is room for one only");
    assert!(!guard.holds(&c));
    guard.forget(&[a, b], Millis(10));
    assert!(guard.is_empty());
}

#[test]
fn what_is_over_does_not_take_its_successor_out() {
    let clock = Arc::new(ManualClock::new(Millis(0)));
    let guard = MemoryReplayGuard::new(2, clock.clone());
    let shared = [id(key().thumbprint(), "a")];
    assert_eq!(guard.enter(&shared, Millis(10)), Ok(Seen::First));
    clock.advance(Duration::from_millis(10));
    assert_eq!(guard.enter(&shared, Millis(20)), Ok(Seen::First));
    guard.forget(&shared, Millis(10));
    assert!(guard.holds(&shared[0]));
}

#[tokio::test]
async fn keys_are_bounded_replaced_and_removed() {
    let keys = MemoryTargetKeys::new(1);
    let (one, other) = (key(), key());
    keys.register("a", one).unwrap();
    assert_eq!(keys.register("b", other.clone()), Err(Full));
    keys.register("a", other.clone()).unwrap();
    assert_eq!(keys.key("a").await.unwrap().unwrap().key.thumbprint(), other.thumbprint());
    keys.remove("a");
    assert!(keys.key("a").await.unwrap().is_none());
    keys.register("b", other).unwrap();
}

#[tokio::test]
async fn a_key_of_two_targets_is_known_as_such() {
    let keys = MemoryTargetKeys::new(3);
    let (shared, own) = (key(), key());
    keys.register("a", shared.clone()).unwrap();
    keys.register("b", shared).unwrap();
    keys.register("c", own).unwrap();
    assert!(keys.key("a").await.unwrap().unwrap().serves_several);
    assert!(!keys.key("c").await.unwrap().unwrap().serves_several);
    keys.remove("b");
    assert!(!keys.key("a").await.unwrap().unwrap().serves_several);
}

fn session(sid: &str, level: u8) -> Session {
    Session {
        sid: sid.to_owned(),
        domain: "main".to_owned(),
        ext_id: "e-1".to_owned(),
        name: "jeff".to_owned(),
        logins: Login { realm: "password".to_owned(), level, at: Millis(0) }.into(),
        roles: Vec::new(),
        generation: 0,
    }
}

#[tokio::test]
async fn a_session_is_found_by_its_cookie_in_its_domain_until_it_ends() {
    let sessions = MemorySessions::new(2);
    let (main, other) = (SessionDomain::parse("main").unwrap(), SessionDomain::parse("other").unwrap());
    let cookie = Carrier::new(CarriedBy::Cookie, "c-1".to_owned());
    let find = async |domain, carrier: &Carrier| sessions.find(domain, carrier, Occasion::Arrival).await.unwrap();
    let [token, sid] =
        [(CarriedBy::Token, "c-1"), (CarriedBy::Cookie, "s-1")].map(|(by, value)| Carrier::new(by, value.to_owned()));
    sessions.begin("c-1", session("s-1", 2)).unwrap();
    assert_eq!(find(&main, &cookie).await.map(|found| found.sid), Some("s-1".to_owned()));
    assert_eq!(find(&other, &cookie).await, None);
    assert_eq!(find(&main, &token).await, None);
    assert_eq!(find(&main, &sid).await, None);
    assert!(sessions.is_alive(&session("s-1", 1)).await.unwrap());
    assert!(!sessions.is_alive(&session("s-1", 3)).await.unwrap(), "it has not so high a level any more");
    sessions.end("s-1");
    assert_eq!(find(&main, &cookie).await, None);
    assert!(!sessions.is_alive(&session("s-1", 1)).await.unwrap());
}

#[tokio::test]
async fn full_sessions_refuse_a_further_one_and_no_other() {
    let sessions = MemorySessions::new(1);
    sessions.begin("c-1", session("s-1", 1)).unwrap();
    assert_eq!(sessions.begin("c-2", session("s-2", 1)), Err(Full));
    sessions.begin("c-1", session("s-3", 1)).unwrap();
    assert!(!sessions.is_alive(&session("s-1", 1)).await.unwrap(), "its cookie carries another one now");
    sessions.end("s-3");
    sessions.begin("c-2", session("s-2", 1)).unwrap();
}

#[tokio::test]
async fn a_sec_token_is_of_one_session_and_one_audience() {
    let tokens = MemorySecTokens::new(1);
    let of = |sid| AuthenticatedSession::granted(session(sid, 1), None);
    tokens.keep("s-1", "shop", SecToken::new("one".to_owned())).unwrap();
    assert_eq!(tokens.keep("s-1", "bank", SecToken::new("two".to_owned())), Err(Full));
    tokens.keep("s-1", "shop", SecToken::new("three".to_owned())).unwrap();
    assert_eq!(tokens.token(&of("s-1"), "shop").await.unwrap().expose(), "three");
    for (sid, audience) in [("s-2", "shop"), ("s-1", "bank")] {
        assert!(matches!(tokens.token(&of(sid), audience).await, Err(FilterError::Unavailable(_))));
    }
    tokens.forget("s-1");
    assert!(tokens.token(&of("s-1"), "shop").await.is_err());
    tokens.keep("s-2", "bank", SecToken::new("four".to_owned())).unwrap();
}
