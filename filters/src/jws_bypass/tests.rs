//! A phone, a gateway's filter, and everything that may go wrong between the two.

mod audit;
mod believed;
mod committing;
mod kept_back;
mod order;
mod passing;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

use super::*;
use crate::chain::Chain;
use crate::clock::{ManualClock, Millis};
use crate::jws::Algorithm;
use crate::jws::signing::SigningKey;
use crate::memory::{MemoryReplayGuard, MemoryTargetKeys};
use crate::path::PathTemplate;
use crate::reply::{Problem, Reply};
use crate::testing::{fields, request};

pub(super) const TARGET: &str = "6e4b9c0a-51c4-4e9c-a9ba-9d5f4a8a0b11";
const NOW: Millis = Millis(1_700_000_000_000);

pub(super) struct Bench {
    pub(super) clock: Arc<ManualClock>,
    pub(super) keys: Arc<MemoryTargetKeys>,
    pub(super) key: SigningKey,
    pub(super) filter: Arc<dyn Filter>,
}

/// What the filter made of a message.
#[derive(Debug)]
pub(super) enum Outcome {
    Passed(Box<Exchange>),
    Refused(Problem),
}

impl Outcome {
    /// The status, with the text that tells one row from another.
    pub(super) fn refused(self) -> (u16, String) {
        match self {
            Self::Refused(problem) => (problem.status.as_u16(), problem.detail),
            Self::Passed(exchange) => panic!("passed: {exchange:?}"),
        }
    }

    pub(super) fn passed(self) -> Exchange {
        match self {
            Self::Passed(exchange) => *exchange,
            Self::Refused(problem) => panic!("refused: {problem:?}"),
        }
    }
}

impl Bench {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        Self::with(SigningKey::for_algorithm(algorithm), MODIFY_LIMIT)
    }

    pub(super) fn with(key: SigningKey, limit: Limit) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let keys = Arc::new(MemoryTargetKeys::new(10));
        keys.register(TARGET, Arc::new(key.verification_key())).unwrap();
        let replays = Arc::new(MemoryReplayGuard::new(1000, clock.clone()));
        let uses = Arc::new(Uses::new(replays, clock.clone(), limit));
        let filter = Arc::new(JwsBypassFilter::new(Proof::Keys(keys.clone()), uses, SKEW));
        Self { clock, keys, key, filter }
    }

    pub(super) fn replace(mut self, keys: Arc<dyn TargetKeys>, replays: Arc<dyn ReplayGuard>) -> Self {
        let uses = Arc::new(Uses::new(replays, self.clock.clone(), MODIFY_LIMIT));
        self.filter = Arc::new(JwsBypassFilter::new(Proof::Keys(keys), uses, SKEW));
        self
    }

    /// Sends `body` to the target of the path, as the gateway does: through a chain, and on its way.
    pub(super) async fn send(&self, body: impl Into<Bytes>) -> Outcome {
        self.run(exchange(TARGET), body).await
    }

    pub(super) async fn run(&self, exchange: Exchange, body: impl Into<Bytes>) -> Outcome {
        match admit(&self.filter, exchange, body).await {
            Outcome::Passed(exchange) => commit(&self.filter, *exchange).await,
            refused @ Outcome::Refused(_) => refused,
        }
    }

    /// A good message but for what the caller puts into the claims (`null` takes a claim out).
    pub(super) fn message(&self, changed: Value) -> String {
        self.signed(Algorithm::Es256, &json!({"alg": "ES256"}), changed)
    }

    pub(super) fn signed(&self, algorithm: Algorithm, header: &Value, changed: Value) -> String {
        self.key.sign(algorithm, &header.to_string(), &claims(changed).to_string())
    }
}

pub(super) fn claims(changed: Value) -> Value {
    let mut claims = json!({"requestId": "r-1", "creationTimeInEpochMillis": NOW.0, "name": "my new phone"});
    for (name, value) in changed.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

pub(super) fn exchange(target_id: &str) -> Exchange {
    let request = request(Method::PATCH, &format!("/targets/{target_id}"));
    let params = PathTemplate::parse("/targets/{id}").unwrap().matches(&request.path).unwrap();
    let headers =
        [("content-type", "application/jose;charset=UTF-8"), ("cookie", "session=1"), ("authorization", "Bearer 1")];
    Exchange { headers: fields(&headers), params, ..request }
}

/// What becomes of a message before it is sent.
pub(super) async fn admit(filter: &Arc<dyn Filter>, mut exchange: Exchange, body: impl Into<Bytes>) -> Outcome {
    let verdict = Chain::new(vec![filter.clone()]).request(&mut exchange, &mut body.into()).await;
    outcome(verdict, exchange)
}

/// What becomes of one that passed when it is to be sent.
pub(super) async fn commit(filter: &Arc<dyn Filter>, mut exchange: Exchange) -> Outcome {
    let verdict = Chain::new(vec![filter.clone()]).commit(&mut exchange).await;
    outcome(verdict, exchange)
}

fn outcome(verdict: Verdict, exchange: Exchange) -> Outcome {
    match verdict {
        Verdict::Pass => Outcome::Passed(Box::new(exchange)),
        Verdict::Answer(Reply::Problem(problem)) => {
            assert!(exchange.proofs.is_empty());
            Outcome::Refused(problem)
        }
        Verdict::Answer(Reply::Response(_)) => panic!("the filter only answers with problems"),
    }
}

pub(super) fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}
