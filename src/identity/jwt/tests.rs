//! The realm over a server with its issuer's keys, whose clock and failures are ours.

mod ages;
mod server;

use serde_json::{Value, json};
use sidegate_filters::CertificateDigest;
use sidegate_filters::clock::{ManualClock, Millis};
use sidegate_filters::jws::{Algorithm, base64url};

use super::*;
use crate::identity::remote::{Patience, Remote};
use crate::jose::{SigningKey, jwks, sha256};
use server::Server;

const ISSUER: &str = "https://idp.example";
const START: i64 = 1_700_000_000;

struct Bench {
    server: Server,
    clock: Arc<ManualClock>,
    realm: Arc<JwtRealm>,
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Bench {
    /// A server with these keys, asked anew after a minute, believed for an hour, and tried every ten seconds.
    async fn new(keys: &[&SigningKey]) -> Self {
        let server = Server::start(&jwks(keys.iter().copied()).to_string()).await;
        let clock = Arc::new(ManualClock::new(Millis(START * 1000)));
        let patience = Patience { connect: seconds(5), total: seconds(5) };
        let remote = Remote::new(&server.url(), None, patience).unwrap();
        let pace = Pace { refresh: seconds(60), keep: seconds(3600), retry: seconds(10) };
        let issuer = Issuer {
            issuer: ISSUER.into(),
            audience: "gate".into(),
            algorithms: vec![Algorithm::Es256],
            typ: None,
            user: Claim("sub".into()),
            name: Some(Claim("/person/login".into())),
            roles: Some(Claim("roles".into())),
            bound: Vec::new(),
            levels: Vec::new(),
            keys: IssuerKeys::new(ISSUER.into(), Source::Url(Box::new(remote)), pace, clock.clone()),
        };
        let settings = Settings { realm: "partners".into(), domain: "main".into(), level: 1, clock_skew: seconds(60) };
        let realm = Arc::new(JwtRealm::new(settings, vec![issuer], clock.clone()));
        Self { server, clock, realm }
    }

    async fn verify(&self, token: &str) -> Result<Result<Session, BadToken>, FilterError> {
        self.realm.verify(token, &client(None)).await
    }

    async fn passes(&self, token: &str) -> bool {
        matches!(self.verify(token).await, Ok(Ok(_)))
    }
}

fn client(certificate: Option<[u8; 32]>) -> Client {
    Client {
        address: [192, 0, 2, 1].into(),
        connection: 0,
        secure: true,
        internal: false,
        certificate: certificate.map(CertificateDigest),
        names: None,
        origin: String::new(),
    }
}

fn token(key: &SigningKey, more: &Value) -> String {
    let mut claims = json!({"iss": ISSUER, "aud": ["other", "gate"], "sub": "e-1", "exp": START + 86_400,
        "person": {"login": "jeff"}});
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    key.sign(&claims).unwrap()
}

#[tokio::test]
async fn a_session_says_what_the_token_says() {
    let key = SigningKey::generate().unwrap();
    let bench = Bench::new(&[&key]).await;
    let said = json!({"roles": ["staff", "boss"], "auth_time": START - 5});
    let session = bench.verify(&token(&key, &said)).await.unwrap().unwrap();
    assert_eq!((session.ext_id.as_str(), session.name.as_str()), ("e-1", "jeff"));
    assert_eq!((session.realm(), session.domain.as_str(), session.level()), ("partners", "main", 1));
    assert_eq!(session.roles, ["staff", "boss"]);
    assert_eq!(session.authenticated_at(), Millis((START - 5) * 1000));
    let other = bench.verify(&token(&key, &json!({"scope": "x"}))).await.unwrap().unwrap();
    assert_ne!(session.sid, other.sid, "a sid for each token");
    assert_eq!(other.authenticated_at(), Millis(0), "when nobody says, it was long ago");
    let ahead = bench.verify(&token(&key, &json!({"auth_time": START + 50}))).await.unwrap().unwrap();
    assert_eq!(ahead.authenticated_at(), Millis(START * 1000), "never in the future");
    let scopes = bench.verify(&token(&key, &json!({"roles": "read write"}))).await.unwrap().unwrap();
    assert_eq!(scopes.roles, ["read", "write"]);
}

/// Whoever upgrades keeps the sids that applications know: it is of the realm and of what is signed.
#[tokio::test]
async fn the_sid_is_always_the_same_one() {
    let key = SigningKey::generate().unwrap();
    let token = token(&key, &json!({}));
    let session = Bench::new(&[&key]).await.verify(&token).await.unwrap().unwrap();
    let (signed, _) = token.rsplit_once('.').unwrap();
    let whole = sha256(&[&b"sid of a bearer\0partners\0"[..], &sha256(signed.as_bytes())].concat());
    assert_eq!(session.sid, base64url::encode(&whole[..16]));
}

#[tokio::test]
async fn a_token_is_good_until_its_last_second() {
    let key = SigningKey::generate().unwrap();
    let bench = Bench::new(&[&key]).await;
    let short = token(&key, &json!({"exp": START + 30, "nbf": START + 60, "iat": START + 60}));
    assert!(bench.passes(&short).await, "an issuer's clock may be a minute ahead");
    bench.clock.advance(Duration::from_millis(29_999));
    assert!(bench.passes(&short).await);
    bench.clock.advance(Duration::from_millis(1));
    assert!(!bench.passes(&short).await);
}

#[tokio::test]
async fn many_at_once_have_the_keys_read_once() {
    let key = SigningKey::generate().unwrap();
    let bench = Arc::new(Bench::new(&[&key]).await);
    let asked = (0..20).map(|number| {
        let (bench, token) = (bench.clone(), token(&key, &json!({"n": number})));
        tokio::spawn(async move { bench.passes(&token).await })
    });
    for passed in futures::future::join_all(asked).await {
        assert!(passed.unwrap());
    }
    assert_eq!(bench.server.asked(), 1);
}

#[tokio::test]
async fn whoever_hangs_up_keeps_nobody_from_the_keys() {
    let key = SigningKey::generate().unwrap();
    let bench = Bench::new(&[&key]).await;
    bench.server.hold();
    let (realm, first) = (bench.realm.clone(), token(&key, &json!({})));
    let hung_up = tokio::spawn(async move { realm.verify(&first, &client(None)).await.is_ok() });
    bench.server.comes(1).await;
    hung_up.abort();
    bench.server.let_go();
    assert!(bench.passes(&token(&key, &json!({}))).await);
    assert_eq!(bench.server.asked(), 1);
}

#[tokio::test]
async fn unknown_keys_have_the_set_read_again_now_and_then() {
    let (key, strange) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let bench = Bench::new(&[&key]).await;
    assert!(bench.passes(&token(&key, &json!({}))).await);
    for number in 0..50 {
        assert!(!bench.passes(&token(&strange, &json!({"n": number}))).await);
    }
    assert_eq!(bench.server.asked(), 1, "it was read a moment ago");
    bench.clock.advance(seconds(10));
    for number in 0..50 {
        assert!(!bench.passes(&token(&strange, &json!({"n": number}))).await);
    }
    assert_eq!(bench.server.asked(), 2);
}

#[tokio::test]
async fn a_token_that_is_no_good_anyhow_has_nothing_fetched() {
    let key = SigningKey::generate().unwrap();
    let bench = Bench::new(&[&key]).await;
    for bad in [json!({"exp": START}), json!({"aud": "other"}), json!({"iss": "https://other"}), json!({"sub": ""})] {
        assert!(!bench.passes(&token(&key, &bad)).await);
    }
    assert_eq!(bench.server.asked(), 0);
}

#[tokio::test]
async fn keys_change_without_a_restart() {
    let (old, new) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let bench = Bench::new(&[&old]).await;
    let (first, second) = (token(&old, &json!({})), token(&new, &json!({})));
    assert!(bench.passes(&first).await && !bench.passes(&second).await);
    bench.server.say(&jwks([&old, &new]).to_string());
    bench.clock.advance(seconds(10));
    assert!(bench.passes(&second).await, "a key that is not known is looked for");
    assert!(bench.passes(&first).await);
    bench.server.say(&jwks([&new]).to_string());
    bench.clock.advance(seconds(60));
    assert!(!bench.passes(&first).await);
    assert!(bench.passes(&second).await, "what the old key signed is over, however often it passed");
}

#[tokio::test]
async fn a_dead_server_ends_no_token_that_was_seen_and_lets_no_other_in_for_long() {
    let key = SigningKey::generate().unwrap();
    let bench = Bench::new(&[&key]).await;
    let seen = token(&key, &json!({}));
    assert!(bench.passes(&seen).await);
    bench.server.fail();
    bench.clock.advance(seconds(3599));
    assert!(bench.passes(&token(&key, &json!({"n": 1}))).await, "the last good set goes on");
    bench.clock.advance(seconds(1));
    let late = bench.verify(&token(&key, &json!({"n": 2}))).await;
    assert!(matches!(late, Err(FilterError::Unavailable(_))), "{late:?}");
    assert!(bench.passes(&seen).await, "until it ends by itself");
    let asked = bench.server.asked();
    for number in 0..20 {
        assert!(bench.verify(&token(&key, &json!({"n": number}))).await.is_err() || number == 1);
    }
    assert_eq!(bench.server.asked(), asked, "what failed is not tried for each request");
    bench.server.say(&jwks([&key]).to_string());
    bench.clock.advance(seconds(10));
    assert!(bench.passes(&token(&key, &json!({"n": 2}))).await);
}

#[tokio::test]
async fn what_is_no_key_set_is_none() {
    let key = SigningKey::generate().unwrap();
    let good = jwks([&key]).to_string();
    for answer in [
        "HTTP/1.1 404 X\r\n\r\n".to_owned(),
        "HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 X\r\nContent-Length: {}\r\n\r\n{good}", good.len() + 1),
        "HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
        format!("HTTP/1.1 200 X\r\nConnection: close\r\n\r\n{{\"keys\":[{}]}}", " ".repeat(300 * 1024)),
    ] {
        let bench = Bench::new(&[&key]).await;
        bench.server.say_raw(&answer);
        let verified = bench.verify(&token(&key, &json!({}))).await;
        assert!(matches!(verified, Err(FilterError::Unavailable(_))), "{answer:.60}: {verified:?}");
    }
}

#[tokio::test]
async fn a_bound_token_is_its_senders_alone() {
    let key = SigningKey::generate().unwrap();
    let bench = Bench::new(&[&key]).await;
    let bound = token(&key, &json!({"cnf": {"x5t#S256": base64url::encode([7; 32])}}));
    for (shown, passes) in [(Some([7; 32]), true), (Some([8; 32]), false), (None, false), (Some([7; 32]), true)] {
        assert_eq!(bench.realm.verify(&bound, &client(shown)).await.unwrap().is_ok(), passes, "{shown:?}");
    }
}
