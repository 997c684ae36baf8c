//! What another filter keeps back, and what another memory took meanwhile.

use super::audit::Audit;
use super::believed::Edge;
use super::*;

/// Keeps every request back when it is to be sent.
struct Refusing;

#[async_trait]
impl Filter for Refusing {
    fn name(&self) -> &'static str {
        "refusing"
    }

    async fn request(&self, _: &mut Exchange, _: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        Ok(Verdict::Pass)
    }

    async fn commit(&self, _: &mut Exchange) -> Result<Verdict, FilterError> {
        Err(FilterError::unavailable("nothing"))
    }
}

#[tokio::test]
async fn what_a_later_filter_keeps_back_was_not_sent() {
    let (edge, audit) = (Edge::new(), Audit::default());
    let _guard = tracing::subscriber::set_default(audit.clone());
    let message = edge.bench.message(json!({}));
    let chain = Chain::new(vec![edge.filter.clone(), Arc::new(Refusing)]);
    let mut kept_back = admit(&edge.filter, exchange(TARGET), message.clone()).await.passed();
    let Verdict::Answer(reply) = chain.commit(&mut kept_back).await else { panic!("passed") };
    assert_eq!(reply.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(kept_back);
    assert!(audit.lines().is_empty(), "{:?}", audit.lines());
    assert!(edge.uses.is_sending_nothing());
    let sent = edge.send(&message).await.passed();
    edge.answered(&sent, 204).await;
}

#[tokio::test]
async fn what_a_later_filter_keeps_back_is_not_audited_as_passed() {
    let (bench, audit) = (Bench::new(Algorithm::Es256), Audit::default());
    let _guard = tracing::subscriber::set_default(audit.clone());
    let chain = Chain::new(vec![bench.filter.clone(), Arc::new(Refusing)]);
    let mut kept_back = admit(&bench.filter, exchange(TARGET), bench.message(json!({}))).await.passed();
    let Verdict::Answer(reply) = chain.commit(&mut kept_back).await else { panic!("passed") };
    assert_eq!(reply.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(audit.lines().is_empty(), "{:?}", audit.lines());
}

#[tokio::test]
async fn a_change_that_was_taken_is_used_up_though_its_request_id_was_used_meanwhile() {
    let replays = Arc::new(MemoryReplayGuard::new(1000, Arc::new(ManualClock::new(NOW))));
    let edge = || Edge::remembering(Bench::new(Algorithm::Es256), replays.clone(), MODIFY_LIMIT);
    let (one, other) = (edge(), edge());
    let (first, second) = (one.bench.message(json!({})), other.bench.message(json!({"name": "another"})));
    let (one_sent, other_sent) = (one.send(&first).await.passed(), other.send(&second).await.passed());
    one.answered(&one_sent, 204).await;
    other.answered(&other_sent, 204).await;
    drop((one_sent, other_sent));
    for message in [first, second] {
        let again = one.send_to("another-target", &message).await.refused();
        assert_eq!(again, (401, "requestId was used before".to_owned()));
    }
}
