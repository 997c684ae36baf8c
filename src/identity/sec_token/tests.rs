use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::{Value, json};
use sidegate_filters::clock::ManualClock;
use sidegate_filters::identity::{Login, Logins};
use sidegate_filters::jws::{Algorithm, CompactJws};

use super::*;
use crate::jose::SigningKey;

const NOW: Millis = Millis(1_700_000_000_250);

struct Bench {
    clock: Arc<ManualClock>,
    issuer: SecTokenIssuer,
}

fn bench(entries: usize) -> Bench {
    bench_of(entries, KeyRing::new(new_key(), BTreeMap::new()))
}

fn new_key() -> SecTokenKeys {
    SecTokenKeys::new(SigningKey::generate().unwrap(), None)
}

fn bench_of(entries: usize, keys: KeyRing) -> Bench {
    let clock = Arc::new(ManualClock::new(NOW));
    let overlap = Overlap { kept: Duration::from_secs(60), lifetime: Duration::from_secs(60) };
    let settings = Settings { issuer: "https://gate.example".into(), overlap, entries };
    let issuer = SecTokenIssuer::new(settings, keys, Arc::clone(&clock) as Arc<dyn Clock>);
    Bench { clock, issuer }
}

fn login(realm: &str, level: u8) -> Logins {
    Login { realm: realm.into(), level, at: NOW }.into()
}

fn session() -> Session {
    Session {
        sid: "sid-1".into(),
        domain: "main".into(),
        ext_id: "ext-1".into(),
        name: "jeff".into(),
        logins: login("password", 1),
        roles: vec!["staff".into()],
        generation: 3,
    }
}

impl Bench {
    fn token(&self, session: &Session, audience: &str) -> String {
        self.issuer.issue(session, audience).unwrap().expose().to_owned()
    }

    /// A token of this session, as one made at `from`.
    fn issued(&self, session: &Session, from: Millis) -> Issued {
        let token = self.issuer.issue(session, "app").unwrap();
        let until = from.after(Duration::from_secs(45));
        Issued { session: session.clone(), audience: "app".into(), token, from, until }
    }

    /// Puts one where that of `session` is looked for.
    fn put(&self, session: &Session, issued: Issued) {
        let place = self.issuer.places.hash_one(Subject::of(session, "app"));
        self.issuer.issued().insert(place, Arc::new(issued));
    }

    fn claims(&self, token: &str, audience: &str) -> Value {
        let key = self.issuer.keys.of(audience).current();
        let jws = CompactJws::parse(token.as_bytes(), 8192).unwrap().admit(&[Algorithm::Es256]).unwrap();
        assert_eq!(jws.header().kid(), Some(key.kid()));
        let payload = jws.verify(&key.verification_key().unwrap()).unwrap().into_payload();
        let claims: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!("https://gate.example"), &json!(audience)));
        assert!(claims["exp"].as_i64().unwrap() > self.clock.now().seconds(), "it holds still");
        claims
    }
}

#[test]
fn it_says_who_for_whom_and_how_long() {
    let bench = bench(100);
    let mut claims = bench.claims(&bench.token(&session(), "app"), "app");
    let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert!(uuid::Uuid::parse_str(jti.as_str().unwrap()).is_ok());
    let expected = json!({
        "iss": "https://gate.example", "sub": "ext-1", "aud": "app", "sid": "sid-1", "auth_level": 1,
        "roles": ["staff"], "realm": "password", "iat": 1_700_000_000, "exp": 1_700_000_060,
    });
    assert_eq!(claims, expected);
}

#[test]
fn it_is_used_again_for_three_quarters_of_its_life() {
    let bench = bench(100);
    let first = bench.token(&session(), "app");
    bench.clock.advance(Duration::from_millis(44_999));
    assert_eq!(bench.token(&session(), "app"), first);
    bench.clock.advance(Duration::from_millis(1));
    let second = bench.token(&session(), "app");
    assert_ne!(second, first);
    assert_eq!(bench.claims(&second, "app")["exp"], 1_700_000_105);
}

#[rstest]
#[case::sid(|session: &mut Session| session.sid = "sid-2".into())]
#[case::generation(|session: &mut Session| session.generation = 4)]
#[case::level(|session: &mut Session| session.logins = login("password", 2))]
#[case::roles(|session: &mut Session| session.roles.clear())]
#[case::realm(|session: &mut Session| session.logins = login("fido-uaf", 1))]
fn whatever_it_says_asks_for_another_when_it_changes(#[case] change: fn(&mut Session)) {
    let bench = bench(100);
    let first = bench.token(&session(), "app");
    let mut changed = session();
    change(&mut changed);
    assert_ne!(bench.token(&changed, "app"), first);
    assert_eq!(bench.token(&session(), "app"), first);
}

#[test]
fn each_upstream_has_its_own() {
    let bench = bench(100);
    let other = bench.token(&session(), "other");
    assert_ne!(bench.token(&session(), "app"), other);
    assert_eq!(bench.claims(&other, "other")["aud"], "other");
}

#[test]
fn what_has_a_key_of_its_own_gets_nothing_that_another_key_signed_and_nobody_else_gets_its() {
    let audiences = [("app", None), ("bank", Some(new_key())), ("shop", Some(new_key()))];
    let audiences = audiences.map(|(name, own)| (name.to_owned(), own)).into();
    let bench = bench_of(100, KeyRing::new(new_key(), audiences));
    for _ in 0..2 {
        for audience in ["app", "bank", "shop", "app"] {
            bench.claims(&bench.token(&session(), audience), audience);
        }
    }
    let sets = ["app", "bank", "shop"].map(|audience| bench.issuer.jwks_of(audience).unwrap());
    assert_eq!(sets[0], bench.issuer.jwks());
    assert!(sets[0] != sets[1] && sets[1] != sets[2] && sets[0] != sets[2], "{sets:?}");
    assert_eq!(bench.issuer.jwks_of("other"), None);
}

#[test]
fn parallel_callers_get_the_same() {
    let bench = bench(100);
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..16).map(|_| scope.spawn(|| bench.token(&session(), "app"))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert!(tokens.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_clock_that_was_set_back_makes_a_new_one() {
    let bench = bench(100);
    let first = bench.token(&session(), "app");
    bench.clock.advance(Duration::from_secs(60));
    let future = bench.token(&session(), "app");
    assert_ne!(future, first);
    bench.put(&session(), bench.issued(&session(), NOW.after(Duration::from_secs(61))));
    assert_ne!(bench.token(&session(), "app"), future);
}

#[test]
fn whoever_shares_a_place_does_not_share_the_token() {
    let bench = bench(100);
    let other = Session { ext_id: "ext-2".into(), sid: "sid-2".into(), ..session() };
    let others = bench.issued(&other, NOW);
    bench.put(&session(), others);
    assert_eq!(bench.claims(&bench.token(&session(), "app"), "app")["sub"], "ext-1");
}

#[test]
fn its_memory_is_bounded() {
    let bench = bench(10);
    for index in 0..50 {
        bench.token(&Session { sid: index.to_string(), ..session() }, "app");
    }
    assert!(bench.issuer.issued().len() <= 10);
}

#[test]
fn a_new_key_signs_when_nobody_keeps_a_set_without_it_any_more() {
    let [new, old] = [(); 2].map(|()| SigningKey::generate().unwrap());
    let kids = [new.kid().to_owned(), old.kid().to_owned()];
    let keys = SecTokenKeys::new(new, Some(old)).published_since(NOW);
    let bench = bench_of(100, KeyRing::new(keys, BTreeMap::new()));
    let signed_by = || {
        let token = bench.token(&session(), "app");
        let jws = CompactJws::parse(token.as_bytes(), 8192).unwrap().admit(&[Algorithm::Es256]).unwrap();
        jws.header().kid().unwrap().to_owned()
    };
    assert!(kids.iter().all(|kid| bench.issuer.jwks().to_string().contains(kid)));
    assert_eq!(signed_by(), kids[1]);
    bench.clock.advance(Duration::from_millis(64_999));
    assert_eq!(signed_by(), kids[1]);
    bench.clock.advance(Duration::from_secs(45));
    assert_eq!(signed_by(), kids[0]);
}
