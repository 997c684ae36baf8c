//! Which operation an answer belongs to, and whose it seems to be.

use std::sync::{Arc, OnceLock};

use sidegate_uaf::relay::{Claim, Issue};
use sidegate_uaf::{Error, Incoming, StatusCode};

use super::super::{AnswerAt, FidoError, internal};
use super::Upstream;
use super::answer::refused;
use crate::store::operation::{ChallengeState, Operation, Refused};
use crate::store::{ChallengeDigest, ExtId, OperationId, StoreError};

/// An answer that belongs to no operation here.
pub(super) enum Astray {
    Check(Error),
    State(Refused),
    Store(StoreError),
    Kept(serde_json::Error),
}

/// An answer as it was read. What it belongs to is found out once, whatever is asked of it.
pub(super) struct Answer {
    pub(super) incoming: Incoming,
    challenge: ChallengeDigest,
    addressed: OnceLock<Addressed>,
}

/// What an answer belongs to.
pub(super) struct Addressed {
    id: OperationId,
    pub(super) issue: Issue,
    pub(super) claim: Result<Claim, Error>,
}

impl Answer {
    pub(super) fn new(incoming: Incoming) -> Result<Self, Error> {
        let challenge = ChallengeDigest::of(incoming.final_challenge()?.challenge.as_bytes());
        Ok(Self { incoming, challenge, addressed: OnceLock::new() })
    }
}

impl Addressed {
    fn new(id: OperationId, awaited: &ChallengeState, incoming: &Incoming) -> Result<Self, Astray> {
        let issue: Issue = serde_json::from_slice(&awaited.0).map_err(Astray::Kept)?;
        issue.check(incoming)?;
        let claim = issue.claim(incoming);
        Ok(Self { id, issue, claim })
    }
}

impl Upstream {
    /// Who seems to answer: the user whom the operation is for, if its request let the answering keys.
    pub(super) async fn presumed(&self, at: AnswerAt, answer: &Answer) -> Result<Option<ExtId>, StoreError> {
        match self.addressed(at, answer).await {
            Ok((operation, Addressed { claim: Ok(Claim::Keys { allowed: true, .. }), .. })) => {
                Ok(operation.user.clone())
            }
            Ok(_) => Ok(None),
            Err(Astray::Store(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// The operation whose challenge the answer bears, as it is now, if its answers belong here. Nothing moves yet.
    pub(super) async fn addressed<'a>(
        &self,
        at: AnswerAt,
        answer: &'a Answer,
    ) -> Result<(Arc<Operation>, &'a Addressed), Astray> {
        let known = answer.addressed.get();
        let id = match known {
            Some(known) => known.id,
            None => self.challenges.find(answer.challenge).await?.ok_or(Error::ChallengeSpent)?,
        };
        let operation = self.operations.get(id).await?.ok_or(Error::ChallengeSpent)?;
        if !at.takes(operation.purpose) {
            tracing::info!(purpose = ?operation.purpose, ?at, "a UAF answer came in at the wrong place");
            return Err(Error::ChallengeSpent.into());
        }
        let awaited = operation.awaited(self.clock.now())?;
        let addressed = match known {
            Some(known) => known,
            None => {
                let found = Addressed::new(id, awaited, &answer.incoming)?;
                answer.addressed.get_or_init(|| found)
            }
        };
        Ok((operation, addressed))
    }
}

impl From<Astray> for FidoError {
    fn from(astray: Astray) -> Self {
        match astray {
            Astray::Check(error) => refused(&error),
            Astray::State(state) => Self::Refused(StatusCode(state.answer_code())),
            Astray::Store(error) => Self::Store(error),
            Astray::Kept(error) => internal(&error),
        }
    }
}

impl From<Error> for Astray {
    fn from(error: Error) -> Self {
        Self::Check(error)
    }
}

impl From<Refused> for Astray {
    fn from(state: Refused) -> Self {
        Self::State(state)
    }
}

impl From<StoreError> for Astray {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
