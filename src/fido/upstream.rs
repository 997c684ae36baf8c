//! A UAF server behind, asked over the UAF HTTP transport (`http-api.md` 3 and 5, "Hybrid"): it has the keys and judges
//! answers. What a request issued is kept with its operation, so that an answer is passed on only where it belongs, and
//! its verdict moves no other operation and names no other user.

mod addressing;
mod answer;
mod keys;
mod named;
mod registration;
mod request;
mod taking_back;
mod transport;
mod verdict;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sidegate_filters::UsernameMapper;
use sidegate_filters::clock::Clock;
use sidegate_uaf::StatusCode;

use super::{
    Arrival, Ask, Commission, ContextFault, Fido, FidoError, Received, Scope, Subject, USUAL_STATE, UafRequest,
};
use crate::store::operation::{ChallengeState, Room};
use crate::store::{Challenges, Eras, KeysBehind, Operations, SourceNetwork, StoreError, Users};

pub use named::Named;
use transport::Place;
pub(crate) use transport::secured;
pub use transport::{Bounds, Endpoint, EndpointFault, UafServer};

/// How an upstream is asked.
#[derive(Debug, Clone, Copy)]
pub struct UpstreamSettings {
    /// What users are called there.
    pub username: UsernameMapper,
    /// From handing out a request until its answer must be there.
    pub answer: Duration,
    /// How long a challenge leads to its operation: as long as that may be known.
    pub remembered: Duration,
}

/// The UAF server behind.
#[derive(Clone)]
pub struct Upstream {
    /// Where it is.
    pub endpoint: Endpoint,
    /// Where operations are kept.
    pub operations: Arc<dyn Operations>,
    /// Which operation a challenge of its was issued for.
    pub challenges: Arc<dyn Challenges>,
    /// Whose keys it is known to have: those that were registered or used through this gateway.
    pub keys: Arc<dyn KeysBehind>,
    /// Whose keys its requests named.
    pub named: Named,
    /// The most bytes that a request of its had beside the keys. Only its requests tell, and what a reload forgets is known
    /// again after the first.
    pub standing: Arc<AtomicUsize>,
    /// Who exists.
    pub users: Arc<dyn Users>,
    /// Whether what their sessions began still holds.
    pub eras: Eras,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How it is asked.
    pub settings: UpstreamSettings,
}

#[async_trait]
impl Fido for Upstream {
    /// Which policies there are only the upstream knows.
    fn check(&self, _ask: &Ask) -> Result<(), ContextFault> {
        Ok(())
    }

    fn is_elsewhere(&self) -> bool {
        true
    }

    async fn guards(&self, user: &Subject) -> Result<bool, StoreError> {
        self.has_key(user).await
    }

    async fn request(&self, commission: &Commission<'_>) -> Result<(UafRequest, ChallengeState), FidoError> {
        self.fetch(commission).await
    }

    fn room(&self, ask: &Ask) -> Room {
        if ask.policy().is_none() {
            return Room::default();
        }
        let standing = self.standing.load(Ordering::Relaxed);
        Room { challenge: USUAL_STATE.saturating_add(standing), beside: self.challenges.room() }
    }

    async fn withdraw(&self, challenge: &ChallengeState) {
        if let Err(error) = self.forget(challenge).await {
            tracing::error!(%error, "a challenge that was not handed out is remembered until it expires");
        }
    }

    async fn deregister(
        &self,
        user: &Subject,
        scope: &Scope,
        from: Option<SourceNetwork>,
    ) -> Result<UafRequest, FidoError> {
        self.remove(user, scope, from).await
    }

    fn open(&self, arrival: &Arrival<'_>) -> Box<dyn Received + '_> {
        Box::new(self.read(arrival))
    }
}

impl Upstream {
    /// A place for a question, or the code for a client whose question is not asked.
    fn place(&self, from: Option<SourceNetwork>) -> Result<Place, FidoError> {
        self.endpoint.place(from).map_err(|_| FidoError::Refused(StatusCode::INTERNAL))
    }
}

/// What the upstream says in place of 1200. "Accepted, not finished" is no end of anything, and a client that read it
/// would wait where nothing more comes: like a number that is no status code of UAF it counts as a fault over there.
fn refused_there(code: StatusCode) -> FidoError {
    if matches!(code.0, 1400 | 1401 | 1403 | 1404 | 1408 | 1480 | 1481 | 1490..=1498 | 1500) {
        tracing::info!(code = code.0, "the UAF upstream refuses");
        return FidoError::Refused(code);
    }
    tracing::warn!(code = code.0, "the UAF upstream answers with a code that settles nothing");
    FidoError::Refused(StatusCode::INTERNAL)
}
