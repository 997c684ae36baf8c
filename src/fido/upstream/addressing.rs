//! Which operation an answer belongs to, and whose it seems to be.

use std::sync::Arc;

use sidegate_uaf::relay::{Claim, Issue};
use sidegate_uaf::{Error, Incoming, StatusCode};

use super::super::{AnswerAt, FidoError, internal};
use super::Upstream;
use super::answer::refused;
use crate::store::operation::{Operation, Refused};
use crate::store::{ChallengeDigest, ExtId, StoreError};

/// An answer that belongs to no operation here.
pub(super) enum Astray {
    Check(Error),
    State(Refused),
    Store(StoreError),
    Kept(serde_json::Error),
}

impl Upstream {
    /// Who seems to answer: the user whom the operation is for, if its request let the answering keys.
    pub(super) async fn presumed(&self, at: AnswerAt, incoming: &Incoming) -> Result<Option<ExtId>, StoreError> {
        match self.addressed(at, incoming).await {
            Ok((operation, issue)) => match issue.claim(incoming) {
                Ok(Claim::Keys { allowed: true, .. }) => Ok(operation.user.clone()),
                _ => Ok(None),
            },
            Err(Astray::Store(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// The operation whose challenge the answer bears, if its answers belong here. Nothing moves yet.
    pub(super) async fn addressed(&self, at: AnswerAt, incoming: &Incoming) -> Result<(Arc<Operation>, Issue), Astray> {
        let challenge = incoming.final_challenge()?.challenge;
        let id = self.challenges.find(ChallengeDigest::of(challenge.as_bytes())).await?;
        let id = id.ok_or(Error::ChallengeSpent)?;
        let operation = self.operations.get(id).await?.ok_or(Error::ChallengeSpent)?;
        if !at.takes(operation.purpose) {
            tracing::info!(purpose = ?operation.purpose, ?at, "a UAF answer came in at the wrong place");
            return Err(Error::ChallengeSpent.into());
        }
        let issue: Issue = serde_json::from_slice(&operation.awaited(self.clock.now())?.0).map_err(Astray::Kept)?;
        issue.check(incoming)?;
        Ok((operation, issue))
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
