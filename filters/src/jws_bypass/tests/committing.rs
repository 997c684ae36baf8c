//! With the keys at hand: nothing is used up before the change goes to its destination.

use super::*;

#[tokio::test]
async fn a_request_that_was_not_sent_may_be_sent_again() {
    let bench = Bench::new(Algorithm::Es256);
    let message = bench.message(json!({}));
    let first = admit(&bench.filter, exchange(TARGET), message.clone()).await.passed();
    assert!(first.proofs.get::<VerifiedModify>().is_none(), "nobody may apply it yet");
    drop(first);
    bench.send(message.clone()).await.passed();
    assert_eq!(bench.send(message).await.refused().0, 401);
}

#[tokio::test]
async fn of_copies_that_were_let_in_at_the_same_time_one_is_used() {
    let bench = Bench::new(Algorithm::Es256);
    let message = bench.message(json!({}));
    let first = admit(&bench.filter, exchange(TARGET), message.clone()).await.passed();
    let second = admit(&bench.filter, exchange(TARGET), message).await.passed();
    commit(&bench.filter, first).await.passed();
    assert_eq!(commit(&bench.filter, second).await.refused(), (401, "requestId was used before".to_owned()));
}

#[tokio::test]
async fn a_request_is_committed_once() {
    let bench = Bench::new(Algorithm::Es256);
    let sent = bench.send(bench.message(json!({}))).await.passed();
    assert!(sent.proofs.get::<VerifiedModify>().is_some());
    let Outcome::Refused(problem) = commit_again(&bench.filter, sent).await else { panic!() };
    assert_eq!(problem.status, StatusCode::INTERNAL_SERVER_ERROR);
}

async fn commit_again(filter: &Arc<dyn Filter>, mut exchange: Exchange) -> Outcome {
    exchange.proofs.remove::<VerifiedModify>();
    commit(filter, exchange).await
}
