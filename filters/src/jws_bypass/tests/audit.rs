//! Each use of the bypass leaves one audit line, and nothing secret in it.

use std::fmt::{Debug, Write};
use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::span;
use tracing::subscriber::Subscriber;

use super::*;

/// Keeps the lines of the audit.
#[derive(Clone, Default)]
pub(super) struct Audit(Arc<Mutex<Vec<String>>>);

impl Audit {
    pub(super) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Audit {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "audit"
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn a_use_and_a_misuse_are_audited() {
    let (bench, audit) = (Bench::new(Algorithm::Es256), Audit::default());
    let message = bench.message(json!({"target": "push-token"}));
    let _guard = tracing::subscriber::set_default(audit.clone());
    bench.send(message.clone()).await.passed();
    bench.send(message.clone()).await.refused();
    let lines = audit.lines();
    let [passed, refused] = lines.as_slice() else { panic!("{lines:?}") };
    let key = bench.key.verification_key().thumbprint().to_string();
    for part in ["event=\"jws-bypass\"", "outcome=\"passed\"", TARGET, key.as_str()] {
        assert!(passed.contains(part), "{part}: {passed}");
    }
    for part in ["event=\"jws-bypass\"", "outcome=\"refused\"", TARGET, "requestId was used before"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    for secret in ["push-token", message.as_str()] {
        assert!(!lines.concat().contains(secret));
    }
}

#[tokio::test]
async fn what_a_stranger_writes_into_the_path_is_not_logged() {
    let (bench, audit) = (Bench::new(Algorithm::Es256), Audit::default());
    let _guard = tracing::subscriber::set_default(audit.clone());
    let made_up = "4711-or-a-name";
    bench.run(exchange(made_up), "no JWS").await.refused();
    bench.run(exchange(made_up), bench.message(json!({}))).await.refused();
    bench.send("no JWS").await.refused();
    let lines = audit.lines();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| !line.contains(made_up) && !line.contains("target_id")), "{lines:?}");
}

#[tokio::test]
async fn what_nobody_knows_the_outcome_of_is_audited_as_such() {
    let (edge, audit) = (believed::Edge::new(), Audit::default());
    let _guard = tracing::subscriber::set_default(audit.clone());
    for (request, status) in [("r-1", Some(204)), ("r-2", Some(503)), ("r-3", None)] {
        let sent = edge.send(&edge.bench.message(json!({"requestId": request}))).await.passed();
        if let Some(status) = status {
            edge.answered(&sent, status).await;
        }
    }
    let lines = audit.lines();
    let outcomes = ["passed", "refused", "unknown"].map(|outcome| format!("outcome=\"{outcome}\""));
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (line, outcome) in lines.iter().zip(outcomes) {
        assert!(line.contains(&outcome), "{line}");
    }
}
