//! In front of a server that owns the keys: what is stopped, what passes, and when a request is used up.

use rstest::rstest;

use super::*;
use crate::jws_bypass::KeylessBypassFilter;

/// A filter without keys, and a phone.
struct Edge {
    bench: Bench,
    filter: Arc<dyn Filter>,
}

impl Edge {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        let bench = Bench::new(Algorithm::Es256);
        let replays = Arc::new(MemoryReplayGuard::new(1000, bench.clock.clone()));
        let filter = Arc::new(KeylessBypassFilter::new(replays, bench.clock.clone(), settings));
        Self { bench, filter }
    }

    async fn send(&self, message: &str) -> Outcome {
        self.send_to(TARGET, message).await
    }

    async fn send_to(&self, target: &str, message: &str) -> Outcome {
        let chain = Chain::new(vec![self.filter.clone()]);
        let mut exchange = exchange(target);
        match chain.request(&mut exchange, &mut Body(message.to_owned().into())).await {
            Verdict::Pass => Outcome::Passed(Box::new(exchange)),
            Verdict::Answer(Reply::Problem(problem)) => Outcome::Refused(problem),
            Verdict::Answer(Reply::Response(_)) => panic!("the filter only answers with problems"),
        }
    }

    /// The server behind answers; the request is over then.
    async fn answered(&self, exchange: Exchange, status: u16) {
        Chain::new(vec![self.filter.clone()]).response(&exchange, StatusCode::from_u16(status).unwrap()).await;
    }
}

#[tokio::test]
async fn what_the_server_took_is_good_once() {
    let edge = Edge::new();
    let message = edge.bench.message(json!({}));
    let passed = edge.send(&message).await.passed();
    edge.answered(passed, 204).await;
    assert_eq!(edge.send(&message).await.refused(), (401, "requestId was used before".to_owned()));
    let other = edge.send_to("another-target", &message).await.passed();
    edge.answered(other, 204).await;
    edge.send(&edge.bench.message(json!({"requestId": "r-2"}))).await.passed();
}

#[rstest]
#[case(503)]
#[case(401)]
#[case(404)]
#[case(302)]
#[tokio::test]
async fn after_a_failure_a_phone_may_try_again(#[case] status: u16) {
    let edge = Edge::new();
    let message = edge.bench.message(json!({}));
    let passed = edge.send(&message).await.passed();
    edge.answered(passed, status).await;
    edge.send(&message).await.passed();
}

#[tokio::test]
async fn a_retry_need_not_wait_for_the_end_of_what_was_answered() {
    let edge = Edge::new();
    let message = edge.bench.message(json!({}));
    let first = edge.send(&message).await.passed();
    Chain::new(vec![edge.filter.clone()]).response(&first, StatusCode::BAD_GATEWAY).await;
    let second = edge.send(&message).await.passed();
    drop(first);
    assert_eq!(edge.send(&message).await.refused().0, 503, "the first's end does not free the second's seat");
    drop(second);
}

#[tokio::test]
async fn of_two_copies_at_the_same_time_one_passes() {
    let edge = Edge::new();
    let message = edge.bench.message(json!({}));
    let first = edge.send(&message).await.passed();
    assert_eq!(edge.send(&message).await.refused().0, 503);
    // No answer ever came.
    drop(first);
    edge.send(&message).await.passed();
}

#[tokio::test]
async fn it_proves_nothing_and_takes_every_credential_out() {
    let edge = Edge::new();
    let message = edge.bench.message(json!({}));
    let exchange = edge.send(&message).await.passed();
    assert!(exchange.proofs.get::<VerifiedModify>().is_none());
    assert_eq!(exchange.body.as_deref(), Some(message.as_bytes()));
    assert!(!exchange.headers.contains_key(header::COOKIE));
    assert!(!exchange.headers.contains_key(header::AUTHORIZATION));
}

#[rstest]
#[case::old(json!({"alg": "ES256"}), json!({"creationTimeInEpochMillis": NOW.0 - 300_001}), 401)]
#[case::early(json!({"alg": "ES256"}), json!({"creationTimeInEpochMillis": NOW.0 + 300_001}), 401)]
#[case::none(json!({"alg": "none"}), json!({}), 401)]
#[case::symmetric(json!({"alg": "HS256"}), json!({}), 401)]
#[case::critical(json!({"alg": "ES256", "crit": ["exp"], "exp": 1}), json!({}), 401)]
#[case::own_key(json!({"alg": "ES256", "jwk": {}}), json!({}), 401)]
#[case::other_target(json!({"alg": "ES256"}), json!({"dispatchTargetId": "another"}), 401)]
#[case::no_request_id(json!({"alg": "ES256"}), json!({"requestId": null}), 400)]
#[case::no_time(json!({"alg": "ES256"}), json!({"creationTimeInEpochMillis": null}), 400)]
#[case::too_long(json!({"alg": "ES256"}), json!({"name": "x".repeat(9000)}), 413)]
#[tokio::test]
async fn rows_one_to_seven_hold_without_a_key(#[case] header: Value, #[case] changed: Value, #[case] expected: u16) {
    let edge = Edge::new();
    let message = edge.bench.signed(Algorithm::Es256, &header, changed);
    assert_eq!(edge.send(&message).await.refused().0, expected);
}

#[tokio::test]
async fn only_what_the_server_took_counts_against_a_targets_limit() {
    let limit = ModifyLimit { burst: std::num::NonZeroU32::MIN, every: Duration::from_secs(6) };
    let edge = Edge::with(Settings { limit, ..Settings::default() });
    let message = |id: &str| edge.bench.message(json!({"requestId": id}));
    for stranger in 0..20 {
        let forged = edge.send(&message(&format!("f-{stranger}"))).await.passed();
        edge.answered(forged, 401).await;
    }
    let passed = edge.send(&message("r-1")).await.passed();
    edge.answered(passed, 204).await;
    assert_eq!(edge.send(&message("r-2")).await.refused().0, 429);
    // A clock that is set back makes nobody wait for the length of the step.
    edge.bench.clock.set_back(Duration::from_secs(60));
    assert_eq!(edge.send(&message("r-2")).await.refused().0, 429);
    edge.bench.clock.advance(Duration::from_secs(6));
    edge.send(&message("r-2")).await.passed();
}

#[tokio::test]
async fn an_id_that_no_server_made_goes_nowhere() {
    let edge = Edge::new();
    assert_eq!(edge.send_to(&"x".repeat(257), &edge.bench.message(json!({}))).await.refused().0, 404);
}

#[tokio::test]
async fn without_its_memory_nothing_passes() {
    let bench = Bench::new(Algorithm::Es256);
    let filter =
        Arc::new(KeylessBypassFilter::new(Arc::new(passing::Failing), bench.clock.clone(), Settings::default()));
    let edge = Edge { bench, filter };
    assert_eq!(edge.send(&edge.bench.message(json!({}))).await.refused().0, 503);
}
