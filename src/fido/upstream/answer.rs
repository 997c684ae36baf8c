//! Answers: the challenge inside fcParams leads to the operation, serverData must be the one issued beside it, the
//! challenge is taken once, and only then the upstream is asked. Its 1200 is believed for that operation, and for its
//! user only if the request named the keys that answer.

use std::sync::Arc;

use sidegate_uaf::relay::{Claim, Issue};
use sidegate_uaf::wire::{Reply, ServerResponse};
use sidegate_uaf::{Denial, Error, Incoming, KeyRef, StatusCode};

use super::super::conclusion::{self, Conclusion};
use super::super::{AnswerAt, Answered, FidoError, Scope, Subject, internal, uaf_operation};
use super::{Upstream, refused_there};
use crate::store::operation::{Operation, Refused};
use crate::store::{ChallengeDigest, ExtId, StoreError};

/// An answer that belongs to no operation here.
enum Astray {
    Check(Error),
    State(Refused),
    Store(StoreError),
    Kept(serde_json::Error),
}

/// What a forwarded answer came to.
enum Verdict {
    Good { user: Option<Subject>, keys: Vec<KeyRef> },
    Denied(Denial),
}

impl Upstream {
    /// Who seems to answer: the user whom the operation is for, if its request let the answering keys.
    pub(super) async fn presumed(&self, at: AnswerAt, uaf_response: &str) -> Result<Option<ExtId>, StoreError> {
        let Ok(incoming) = Incoming::parse(uaf_operation(at.kind()), uaf_response, None) else { return Ok(None) };
        match self.addressed(at, &incoming).await {
            Ok((operation, issue)) => match issue.claim(&incoming) {
                Ok(Claim::Keys { allowed: true, .. }) => Ok(operation.user.clone()),
                _ => Ok(None),
            },
            Err(Astray::Store(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Takes an answer, and writes down how it went.
    pub(super) async fn take(
        &self,
        at: AnswerAt,
        uaf_response: &str,
        context: Option<&str>,
    ) -> Result<Answered, FidoError> {
        let answered = self.judge(at, uaf_response, context).await;
        conclusion::record(at, &answered);
        answered
    }

    async fn judge(&self, at: AnswerAt, uaf_response: &str, context: Option<&str>) -> Result<Answered, FidoError> {
        let incoming =
            Incoming::parse(uaf_operation(at.kind()), uaf_response, context).map_err(|error| refused(&error))?;
        let (operation, issue) = self.addressed(at, &incoming).await?;
        let conclusion = Conclusion(self.operations.clone());
        conclusion.take_challenge(operation.id).await?;
        let verdict = match self.pass_on(at, &operation, &issue, &incoming).await {
            Ok(verdict) => verdict,
            Err(fault) => return Err(conclusion.fail(operation.id, fault).await),
        };
        match verdict {
            Verdict::Denied(denial) => Err(conclusion.deny(operation.id, denial).await),
            Verdict::Good { user, keys } => self.conclude(at, &conclusion, &operation, &incoming, user, keys).await,
        }
    }

    /// The operation whose challenge the answer bears, if its answers belong here. Nothing moves yet.
    async fn addressed(&self, at: AnswerAt, incoming: &Incoming) -> Result<(Arc<Operation>, Issue), Astray> {
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

    /// Asks the upstream, with the answer as it was understood here.
    async fn pass_on(
        &self,
        at: AnswerAt,
        operation: &Operation,
        issue: &Issue,
        incoming: &Incoming,
    ) -> Result<Verdict, FidoError> {
        let claim = issue.claim(incoming).map_err(|error| refused(&error))?;
        let user = self.named(operation).await?;
        if let (Claim::Keys { allowed: false, .. }, Some(_)) = (&claim, &user) {
            return Err(refused(&Error::NotInPolicy));
        }
        let path = if at == AnswerAt::Registration { "registration" } else { "authentication" };
        let answer = self.endpoint.post::<ServerResponse>(path, &incoming.to_transport()).await;
        match (claim, answer) {
            // Whatever the upstream says to it, a denial is one.
            (Claim::Denial(denial), _) => Ok(Verdict::Denied(denial)),
            (_, Err(reason)) => {
                tracing::warn!(path, %reason, "no verdict from the UAF upstream");
                Err(FidoError::Refused(StatusCode::INTERNAL))
            }
            (Claim::Keys { keys, .. }, Ok(ServerResponse { status_code: StatusCode::OK, .. })) => {
                Ok(Verdict::Good { user, keys })
            }
            (_, Ok(answer)) => Err(refused_there(answer.status_code)),
        }
    }

    /// The user whom our request named, who must still exist.
    async fn named(&self, operation: &Operation) -> Result<Option<Subject>, FidoError> {
        let Some(ext_id) = &operation.user else { return Ok(None) };
        let user = self.users.by_ext_id(ext_id).await?.ok_or_else(|| refused(&Error::UserNotAuthenticated))?;
        Ok(Some(Subject { ext_id: user.ext_id, name: user.name }))
    }

    async fn conclude(
        &self,
        at: AnswerAt,
        conclusion: &Conclusion,
        operation: &Operation,
        incoming: &Incoming,
        user: Option<Subject>,
        keys: Vec<KeyRef>,
    ) -> Result<Answered, FidoError> {
        let known = match &user {
            None => Ok(Vec::new()),
            // What a phone says of itself counts when it registers.
            Some(user) if at == AnswerAt::Registration => self.learn(user, &keys, incoming.reply()).await,
            Some(user) => self.learn(user, &keys, &Reply::default()).await,
        };
        let concluded = match known {
            Err(fault) => Err(conclusion.fail(operation.id, fault).await),
            Ok(authenticators) => {
                let answered = Answered { id: operation.id, user: user.clone(), authenticators };
                conclusion.succeed(&answered).await.map(|()| answered)
            }
        };
        if let (Err(_), Some(user), AnswerAt::Registration) = (&concluded, &user, at) {
            self.take_back(user, keys).await;
        }
        concluded
    }

    /// A registration that came to nothing here must not leave keys over there.
    async fn take_back(&self, user: &Subject, keys: Vec<KeyRef>) {
        for key in keys {
            if let Err(error) = self.remove(user, &Scope::Key(key)).await {
                tracing::warn!(%error, "a key stays with the UAF upstream whose registration came to nothing here");
            }
        }
    }
}

/// The code for the client; the log gets the check that failed.
pub(super) fn refused(error: &Error) -> FidoError {
    tracing::info!(reason = %error, "a UAF answer is refused");
    FidoError::Refused(error.status())
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
