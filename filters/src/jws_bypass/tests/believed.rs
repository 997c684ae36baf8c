//! In front of a server that owns the keys: what is stopped, what passes, and when a request is used up.

use rstest::rstest;

use super::*;

/// A filter without keys, and a phone.
pub(super) struct Edge {
    pub(super) bench: Bench,
    pub(super) uses: Arc<Uses>,
    pub(super) filter: Arc<dyn Filter>,
}

impl Edge {
    pub(super) fn new() -> Self {
        let bench = Bench::new(Algorithm::Es256);
        let replays = Arc::new(MemoryReplayGuard::new(1000, bench.clock.clone()));
        Self::remembering(bench, replays, MODIFY_LIMIT)
    }

    pub(super) fn remembering(bench: Bench, replays: Arc<dyn ReplayGuard>, limit: Limit) -> Self {
        let uses = Arc::new(Uses::new(replays, bench.clock.clone(), limit));
        let filter = Arc::new(JwsBypassFilter::new(Proof::ServerBehind, uses.clone(), SKEW));
        Self { bench, uses, filter }
    }

    pub(super) async fn send(&self, message: &str) -> Outcome {
        self.send_to(TARGET, message).await
    }

    pub(super) async fn send_to(&self, target: &str, message: &str) -> Outcome {
        match admit(&self.filter, exchange(target), message.to_owned()).await {
            Outcome::Passed(exchange) => commit(&self.filter, *exchange).await,
            refused @ Outcome::Refused(_) => refused,
        }
    }

    /// The server behind answers.
    pub(super) async fn answered(&self, exchange: &Exchange, status: u16) {
        Chain::new(vec![self.filter.clone()]).response(exchange, StatusCode::from_u16(status).unwrap()).await;
    }
}

fn used() -> (u16, String) {
    (401, "requestId was used before".to_owned())
}

fn sent() -> (u16, String) {
    (401, "requestId was sent before, and what became of it is not known yet: sign a new one".to_owned())
}

/// The same claims, signed once more: the signature is another one.
fn signed_again(edge: &Edge, message: &str) -> String {
    let again = edge.bench.message(json!({}));
    assert_ne!(again, message, "an ECDSA signature has a random part");
    again
}

#[tokio::test]
async fn what_the_server_took_is_good_once_however_it_is_written() {
    let edge = Edge::new();
    let message = edge.bench.message(json!({}));
    let passed = edge.send(&message).await.passed();
    edge.answered(&passed, 204).await;
    drop(passed);
    for target in [TARGET, &TARGET.to_uppercase(), "another-target"] {
        assert_eq!(edge.send_to(target, &message).await.refused(), used(), "{target}");
    }
    assert_eq!(edge.send(&signed_again(&edge, &message)).await.refused(), used());
    edge.send(&edge.bench.message(json!({"requestId": "r-2"}))).await.passed();
}

/// Another change under the request id of every message here.
fn other_change(edge: &Edge) -> String {
    edge.bench.message(json!({"name": "another"}))
}

#[tokio::test]
async fn another_change_of_the_target_under_a_used_request_id_is_refused_also_after_a_restart() {
    let replays = Arc::new(MemoryReplayGuard::new(1000, Arc::new(ManualClock::new(NOW))));
    let edge = Edge::remembering(Bench::new(Algorithm::Es256), replays.clone(), MODIFY_LIMIT);
    let message = edge.bench.message(json!({}));
    let passed = edge.send(&message).await.passed();
    edge.answered(&passed, 204).await;
    drop(passed);
    assert!(edge.uses.is_sending_nothing());
    let restarted = Edge::remembering(Bench::new(Algorithm::Es256), replays, MODIFY_LIMIT);
    for edge in [&edge, &restarted] {
        for target in [TARGET, &TARGET.to_uppercase()] {
            assert_eq!(edge.send_to(target, &other_change(edge)).await.refused(), used(), "{target}");
            assert_eq!(edge.send_to(target, &message).await.refused(), used(), "{target}");
        }
        // The request id is good once for each target.
        drop(edge.send_to("another-target", &other_change(edge)).await.passed());
    }
}

#[tokio::test]
async fn another_change_under_a_request_id_whose_outcome_is_unknown_is_refused() {
    let edge = Edge::new();
    let under_way = edge.send(&edge.bench.message(json!({}))).await.passed();
    assert_eq!(edge.send(&other_change(&edge)).await.refused(), sent());
    drop(under_way);
    assert_eq!(edge.send(&other_change(&edge)).await.refused(), sent());
}

#[rstest]
#[case(503)]
#[case(401)]
#[tokio::test]
async fn after_a_failure_neither_the_message_nor_its_request_id_is_used(#[case] status: u16) {
    let edge = Edge::new();
    let message = edge.bench.message(json!({}));
    let first = edge.send(&message).await.passed();
    assert_eq!(edge.send(&other_change(&edge)).await.refused(), sent());
    edge.answered(&first, status).await;
    assert!(edge.uses.is_sending_nothing());
    let other = edge.send(&other_change(&edge)).await.passed();
    assert_eq!(edge.send(&message).await.refused(), sent());
    edge.answered(&other, status).await;
    edge.send(&message).await.passed();
}

#[tokio::test]
async fn of_changes_under_one_request_id_that_were_let_in_at_the_same_time_one_is_sent() {
    let edge = Edge::new();
    let (message, other) = (edge.bench.message(json!({})), other_change(&edge));
    let first = admit(&edge.filter, exchange(TARGET), message.clone()).await.passed();
    let second = admit(&edge.filter, exchange(TARGET), other.clone()).await.passed();
    let under_way = commit(&edge.filter, first).await.passed();
    assert_eq!(commit(&edge.filter, second).await.refused(), sent());
    // The one that was not sent used up nothing of its own.
    edge.answered(&under_way, 503).await;
    edge.send(&other).await.passed();
}

#[tokio::test]
async fn an_answer_that_comes_after_its_time_frees_nothing_of_a_later_change() {
    let edge = Edge::new();
    let late = edge.send(&edge.bench.message(json!({}))).await.passed();
    edge.bench.clock.advance(LONGEST_SKEW + Duration::from_millis(1));
    let now = NOW.after(LONGEST_SKEW).0 + 1;
    let change = |name: &str| edge.bench.message(json!({"name": name, "creationTimeInEpochMillis": now}));
    let _under_way = edge.send(&change("one")).await.passed();
    edge.answered(&late, 503).await;
    assert_eq!(edge.send(&change("another")).await.refused(), sent());
}

#[rstest]
#[case::escaped("6e4b9c0a%20")]
#[case::plus("6e4b9c0a+")]
#[case::dot_at_the_end("abc.")]
#[case::dot_in_front(".abc")]
#[case::not_ascii("%C3%A9")]
#[tokio::test]
async fn an_id_that_a_server_may_read_in_two_ways_goes_nowhere(#[case] target: &str) {
    let edge = Edge::new();
    let gone = (404, "there is no such dispatch target".to_owned());
    assert_eq!(edge.send_to(target, &edge.bench.message(json!({}))).await.refused(), gone);
    edge.send_to("Abc.d-e_1", &edge.bench.message(json!({}))).await.passed();
}

#[rstest]
#[case(501)]
#[case(503)]
#[case(401)]
#[case(404)]
#[case(302)]
#[tokio::test]
async fn after_a_failure_a_phone_may_try_again(#[case] status: u16) {
    let edge = Edge::new();
    let message = edge.bench.message(json!({}));
    let passed = edge.send(&message).await.passed();
    edge.answered(&passed, status).await;
    edge.send(&message).await.passed();
}

#[rstest]
#[case(408)]
#[case(500)]
#[case(502)]
#[case(504)]
#[case(520)]
#[case(999)]
#[tokio::test]
async fn an_answer_that_leaves_open_what_was_done_tells_nothing(#[case] status: u16) {
    let edge = Edge::new();
    let message = edge.bench.message(json!({}));
    let passed = edge.send(&message).await.passed();
    edge.answered(&passed, status).await;
    drop(passed);
    assert_eq!(edge.send(&message).await.refused(), sent());
}

#[tokio::test]
async fn a_retry_need_not_wait_for_the_end_of_what_was_answered() {
    let edge = Edge::new();
    let message = edge.bench.message(json!({}));
    let first = edge.send(&message).await.passed();
    edge.answered(&first, 503).await;
    let second = edge.send(&message).await.passed();
    drop(first);
    assert_eq!(edge.send(&message).await.refused(), sent(), "the first's end does not forget the second");
    drop(second);
}

#[tokio::test]
async fn of_two_copies_at_the_same_time_one_passes_and_who_hangs_up_has_used_it() {
    let edge = Edge::new();
    let message = edge.bench.message(json!({}));
    let first = edge.send(&message).await.passed();
    for target in [TARGET, &TARGET.to_uppercase()] {
        assert_eq!(edge.send_to(target, &message).await.refused(), sent());
    }
    // No answer ever came.
    drop(first);
    assert_eq!(edge.send(&message).await.refused(), sent());
    edge.bench.clock.advance(minutes(5) + Duration::from_millis(1));
    let late = edge.send(&message).await.refused();
    assert_eq!(late, (401, "creationTimeInEpochMillis is too far from the time here".to_owned()));
    assert!(!edge.uses.is_sending_nothing(), "a row with a larger skew may be to come");
    edge.bench.clock.advance(minutes(5));
    assert!(edge.uses.is_sending_nothing(), "what row 7 refuses with any skew need not be kept");
}

#[tokio::test]
async fn copies_that_were_let_in_at_the_same_time_are_sent_once() {
    let edge = Edge::new();
    let message = edge.bench.message(json!({}));
    let mut admitted = Vec::new();
    for _ in 0..5 {
        admitted.push(admit(&edge.filter, exchange(TARGET), message.clone()).await.passed());
    }
    let mut under_way = Vec::new();
    for exchange in admitted {
        if let Outcome::Passed(exchange) = commit(&edge.filter, exchange).await {
            under_way.push(exchange);
        }
    }
    assert_eq!(under_way.len(), 1);
}

#[tokio::test]
async fn rows_that_lead_to_the_same_targets_have_one_memory() {
    let edge = Edge::new();
    let second: Arc<dyn Filter> = Arc::new(JwsBypassFilter::new(Proof::ServerBehind, edge.uses.clone(), SKEW));
    let message = edge.bench.message(json!({}));
    let _under_way = edge.send(&message).await.passed();
    assert_eq!(admit(&second, exchange(TARGET), message).await.refused(), sent());
}

#[tokio::test]
async fn what_was_let_in_and_not_sent_is_unused() {
    let edge = Edge::new();
    let message = edge.bench.message(json!({}));
    drop(admit(&edge.filter, exchange(TARGET), message.clone()).await.passed());
    edge.send(&message).await.passed();
}

/// Remembers nothing once it is full, and tells so.
struct Forgetful;

#[async_trait]
impl ReplayGuard for Forgetful {
    async fn remember(&self, _: &[ReplayId], _: Millis) -> Result<Seen, FilterError> {
        Err(FilterError::unavailable("the replay store"))
    }

    async fn is_remembered(&self, _: &ReplayId) -> Result<bool, FilterError> {
        Ok(false)
    }
}

#[tokio::test]
async fn what_could_not_be_remembered_is_refused_all_the_same() {
    let bench = Bench::new(Algorithm::Es256);
    let edge = Edge::remembering(bench, Arc::new(Forgetful), MODIFY_LIMIT);
    let message = edge.bench.message(json!({}));
    let passed = edge.send(&message).await.passed();
    edge.answered(&passed, 204).await;
    drop(passed);
    assert_eq!(edge.send(&message).await.refused(), sent());
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
async fn one_request_is_sent_so_often_and_others_are_not_held_up() {
    let limit = Limit { burst: std::num::NonZeroU32::MIN, every: Duration::from_secs(6) };
    let bench = Bench::new(Algorithm::Es256);
    let replays = Arc::new(MemoryReplayGuard::new(1000, bench.clock.clone()));
    let edge = Edge::remembering(bench, replays, limit);
    let message = edge.bench.message(json!({}));
    let passed = edge.send(&message).await.passed();
    edge.answered(&passed, 503).await;
    assert_eq!(edge.send(&message).await.refused().0, 429);
    // Strangers who send changes of the target, and hang up, cost its phone nothing.
    for stranger in 0..20 {
        drop(edge.send(&edge.bench.message(json!({"requestId": format!("f-{stranger}")}))).await.passed());
    }
    // A clock that is set back makes nobody wait for the length of the step.
    edge.bench.clock.set_back(Duration::from_secs(60));
    assert_eq!(edge.send(&message).await.refused().0, 429);
    edge.bench.clock.advance(Duration::from_secs(6));
    edge.send(&message).await.passed();
}

#[tokio::test]
async fn an_id_that_no_server_made_goes_nowhere() {
    let edge = Edge::new();
    assert_eq!(edge.send_to(&"x".repeat(257), &edge.bench.message(json!({}))).await.refused().0, 404);
}

#[tokio::test]
async fn without_its_memory_nothing_passes() {
    let bench = Bench::new(Algorithm::Es256);
    let edge = Edge::remembering(bench, Arc::new(passing::Failing), MODIFY_LIMIT);
    assert_eq!(edge.send(&edge.bench.message(json!({}))).await.refused().0, 503);
}

#[rstest]
#[case::short_first(2, 600)]
#[case::long_first(600, 2)]
#[case::longer_later(300, 900)]
#[tokio::test]
async fn rows_of_different_skews_let_a_change_pass_once(#[case] first: u64, #[case] second: u64) {
    for with_keys in [true, false] {
        let edge = Edge::new();
        let row = |seconds: u64| -> Arc<dyn Filter> {
            let proof = if with_keys { Proof::Keys(edge.bench.keys.clone()) } else { Proof::ServerBehind };
            Arc::new(JwsBypassFilter::new(proof, edge.uses.clone(), Duration::from_secs(seconds)))
        };
        let one = row(first);
        let message = edge.bench.message(json!({}));
        let passed = admit(&one, exchange(TARGET), message.clone()).await.passed();
        let passed = commit(&one, passed).await.passed();
        Chain::new(vec![one.clone()]).response(&passed, StatusCode::NO_CONTENT).await;
        drop(passed);
        for seconds in [0, 3, 596] {
            edge.bench.clock.advance(Duration::from_secs(seconds));
            // As after a reload: this one was not there when the change was used.
            for row in [&one, &row(second)] {
                assert_eq!(admit(row, exchange(TARGET), message.clone()).await.refused().0, 401, "after {seconds} s");
            }
        }
    }
}
