//! What passes, what it leaves behind, and what happens when nothing can be decided.

use std::num::NonZeroU32;

use rstest::rstest;

use super::*;
use crate::identity::{Caller, InternalCaller, KnownCaller};

#[tokio::test]
async fn every_algorithm_is_accepted_with_its_key() {
    for algorithm in Algorithm::ALL {
        let bench = Bench::new(algorithm);
        let message = bench.signed(algorithm, &json!({"alg": algorithm.name()}), json!({}));
        let exchange = bench.send(message).await.passed();
        assert_eq!(
            exchange.proofs.get::<VerifiedModify>().unwrap().change().name.as_deref(),
            Some("my new phone"),
            "{algorithm:?}"
        );
    }
}

#[tokio::test]
async fn the_signed_change_is_handed_on_and_the_body_stays() {
    let bench = Bench::new(Algorithm::Es256);
    let change = json!({"name": null, "target": "push-token", "dispatcher": "link", "unknown": true});
    let message = bench.message(change);
    let exchange = bench.send(message.clone()).await.passed();
    assert_eq!(exchange.body.as_deref(), Some(message.as_bytes()));
    let modify = exchange.proofs.get::<VerifiedModify>().unwrap();
    assert_eq!(modify.target_id(), TARGET);
    assert_eq!(modify.thumbprint(), bench.key.verification_key().thumbprint());
    let TargetChange { name, target, dispatcher } = modify.change();
    assert_eq!(
        (name, target.as_deref().map(String::as_str), dispatcher.as_deref()),
        (&None, Some("push-token"), Some("link"))
    );
    assert!(!format!("{modify:?}").contains("push-token"));
}

#[tokio::test]
async fn nothing_but_the_signature_speaks_for_the_request() {
    let bench = Bench::new(Algorithm::Es256);
    let mut exchange = exchange(TARGET);
    exchange.caller =
        Caller::Internal(InternalCaller::proven(KnownCaller { name: "idm".to_owned(), roles: Vec::new() }));
    let exchange = bench.run(exchange, bench.message(json!({}))).await.passed();
    assert_eq!(exchange.caller, Caller::Anonymous);
    assert!(!exchange.headers.contains_key(header::COOKIE));
    assert!(!exchange.headers.contains_key(header::AUTHORIZATION));
    assert!(exchange.headers.contains_key(header::CONTENT_TYPE));
}

#[tokio::test]
async fn a_401_carries_a_challenge() {
    let bench = Bench::new(Algorithm::Es256);
    let Outcome::Refused(problem) = bench.send(bench.message(json!({"dispatchTargetId": "x"}))).await else { panic!() };
    assert!(problem.headers.contains_key(header::WWW_AUTHENTICATE));
}

pub(super) struct Failing;

#[async_trait]
impl TargetKeys for Failing {
    async fn key(&self, _: &str) -> Result<Option<RegisteredKey>, FilterError> {
        Err(FilterError::unavailable("the target store"))
    }
}

#[async_trait]
impl ReplayGuard for Failing {
    async fn remember(&self, _: &[ReplayId], _: Millis) -> Result<Seen, FilterError> {
        Err(FilterError::unavailable("the replay store"))
    }

    async fn is_remembered(&self, _: &ReplayId) -> Result<bool, FilterError> {
        Err(FilterError::unavailable("the replay store"))
    }
}

#[tokio::test]
async fn without_its_stores_nothing_passes() {
    let bench = Bench::new(Algorithm::Es256);
    let (keys, clock) = (bench.keys.clone(), bench.clock.clone());
    let bench = bench.replace(keys, Arc::new(Failing));
    assert_eq!(bench.send(bench.message(json!({}))).await.refused().0, 503);
    let bench = bench.replace(Arc::new(Failing), Arc::new(MemoryReplayGuard::new(1, clock)));
    assert_eq!(bench.send(bench.message(json!({}))).await.refused().0, 503);
}

#[rstest]
#[case::delete(Method::DELETE)]
#[case::get(Method::GET)]
#[tokio::test]
async fn mounted_on_another_method_it_refuses(#[case] method: Method) {
    let bench = Bench::new(Algorithm::Es256);
    let mut exchange = exchange(TARGET);
    exchange.method = method;
    assert_eq!(bench.run(exchange, bench.message(json!({}))).await.refused().0, 500);
}

#[tokio::test]
async fn mounted_without_an_id_it_refuses() {
    let bench = Bench::new(Algorithm::Es256);
    let mut exchange = exchange(TARGET);
    exchange.params = crate::path::Params::default();
    assert_eq!(bench.run(exchange, bench.message(json!({}))).await.refused().0, 500);
}

fn limited(burst: u32) -> Bench {
    let limit = Limit { burst: NonZeroU32::new(burst).unwrap(), every: Duration::from_secs(6) };
    Bench::with(SigningKey::for_algorithm(Algorithm::Es256), limit)
}

#[tokio::test]
async fn a_target_is_changed_so_often_and_the_request_may_be_sent_again() {
    let bench = limited(1);
    bench.send(bench.message(json!({}))).await.passed();
    let second = bench.message(json!({"requestId": "r-2"}));
    let Outcome::Refused(problem) = bench.send(second.clone()).await else { panic!() };
    assert_eq!(problem.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(problem.headers.get(header::RETRY_AFTER).unwrap(), "6");
    bench.clock.advance(Duration::from_secs(6));
    bench.send(second).await.passed();
}

#[tokio::test]
async fn a_clock_that_is_set_back_costs_a_target_nothing() {
    let bench = limited(1);
    bench.send(bench.message(json!({}))).await.passed();
    bench.clock.set_back(Duration::from_secs(60));
    assert_eq!(bench.send(bench.message(json!({"requestId": "r-2"}))).await.refused().0, 429);
    bench.clock.advance(Duration::from_secs(6));
    bench.send(bench.message(json!({"requestId": "r-2"}))).await.passed();
}

#[tokio::test]
async fn strangers_do_not_use_up_a_phones_limit() {
    let bench = limited(1);
    let stranger = SigningKey::for_algorithm(Algorithm::Es256);
    for _ in 0..20 {
        let message = stranger.sign(Algorithm::Es256, r#"{"alg":"ES256"}"#, &claims(json!({})).to_string());
        assert_eq!(bench.send(message).await.refused().0, 401);
    }
    bench.send(bench.message(json!({}))).await.passed();
}

#[tokio::test]
async fn a_captured_message_does_not_use_up_a_phones_limit() {
    let bench = limited(2);
    let captured = bench.message(json!({}));
    bench.send(captured.clone()).await.passed();
    for _ in 0..20 {
        assert_eq!(bench.send(captured.clone()).await.refused().0, 401);
    }
    bench.send(bench.message(json!({"requestId": "r-2"}))).await.passed();
}

#[test]
fn explain_shows_the_settings() {
    let settings = limited(10).filter.settings();
    assert_eq!(settings, "skew 300 s; changes of a target: 10 at once, then one every 6 s");
}
