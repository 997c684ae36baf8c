//! Answers: the challenge inside fcParams leads to the operation, serverData must be the one issued beside it, the
//! challenge is taken once, and only then the upstream is asked. Its 1200 is believed for that operation, and for its
//! user only if the request named the keys that answer.

use std::sync::Arc;

use sidegate_uaf::relay::{Claim, Issue};
use sidegate_uaf::wire::ServerResponse;
use sidegate_uaf::{Error, Incoming, KeyRef, StatusCode};

use super::super::conclusion::{self, Conclusion};
use super::super::{AnswerAt, Answered, FidoError, Subject, internal, uaf_operation};
use super::transport::Place;
use super::{Upstream, refused_there};
use crate::store::operation::{Operation, Refused};
use crate::store::{ChallengeDigest, ExtId, SourceNetwork, StoreError};

/// An answer that belongs to no operation here.
enum Astray {
    Check(Error),
    State(Refused),
    Store(StoreError),
    Kept(serde_json::Error),
}

/// An answer by keys whose challenge was taken: it is judged once.
pub(super) struct Taken<'a> {
    pub(super) at: AnswerAt,
    pub(super) operation: &'a Operation,
    pub(super) issue: &'a Issue,
    pub(super) incoming: &'a Incoming,
    pub(super) keys: &'a [KeyRef],
    /// Where it is asked about.
    pub(super) place: &'a Arc<Place>,
    pub(super) conclusion: &'a Conclusion,
}

/// What the upstream made of an answer.
pub(super) enum Verdict {
    /// It took it for good.
    Good,
    /// It did not take it, or never got it.
    Refused(FidoError),
    /// It may have taken it.
    Unknown(FidoError),
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
        from: Option<SourceNetwork>,
    ) -> Result<Answered, FidoError> {
        let answered = self.judge(at, uaf_response, context, from).await;
        conclusion::record(at, &answered);
        answered
    }

    async fn judge(
        &self,
        at: AnswerAt,
        uaf_response: &str,
        context: Option<&str>,
        from: Option<SourceNetwork>,
    ) -> Result<Answered, FidoError> {
        let incoming =
            Incoming::parse(uaf_operation(at.kind()), uaf_response, context).map_err(|error| refused(&error))?;
        let (operation, issue) = self.addressed(at, &incoming).await?;
        let conclusion = &Conclusion(self.operations.clone());
        match issue.claim(&incoming) {
            Ok(Claim::Denial(denial)) => {
                conclusion.take_challenge(operation.id).await?;
                // It is one whatever the upstream says to it, and even where it can't be told.
                if let Ok(place) = self.place(from) {
                    verdict(&place, at, &incoming).await;
                }
                Err(conclusion.deny(operation.id, denial).await)
            }
            Ok(Claim::Keys { keys, allowed }) => {
                // Where there is none the challenge stays: the same answer may come again.
                let place = &Arc::new(self.place(from)?);
                conclusion.take_challenge(operation.id).await?;
                let (operation, issue, incoming, keys) = (&*operation, &issue, &incoming, &*keys);
                self.prove(Taken { at, operation, issue, incoming, keys, place, conclusion }, allowed).await
            }
            Err(error) => {
                conclusion.take_challenge(operation.id).await?;
                Err(conclusion.fail(operation.id, refused(&error)).await)
            }
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

    async fn prove(&self, taken: Taken<'_>, allowed: bool) -> Result<Answered, FidoError> {
        let user = match self.named(taken.operation).await {
            Ok(Some(_)) if !allowed => Err(refused(&Error::NotInPolicy)),
            user => user,
        };
        match (user, taken.at) {
            (Err(fault), _) => Err(taken.fail(fault).await),
            (Ok(Some(user)), AnswerAt::Registration) => self.register(&taken, user).await,
            (Ok(None), AnswerAt::Registration) => Err(taken.fail(refused(&Error::UserNotAuthenticated)).await),
            (Ok(user), _) => self.authenticate(&taken, user).await,
        }
    }

    /// The user whom our request named, who must still exist.
    async fn named(&self, operation: &Operation) -> Result<Option<Subject>, FidoError> {
        let Some(ext_id) = &operation.user else { return Ok(None) };
        let user = self.users.by_ext_id(ext_id).await?.ok_or_else(|| refused(&Error::UserNotAuthenticated))?;
        Ok(Some(Subject::from(&user)))
    }

    async fn authenticate(&self, taken: &Taken<'_>, user: Option<Subject>) -> Result<Answered, FidoError> {
        let (mut authenticators, new) = match self.known(taken.keys, user.as_ref()).await {
            Ok(known) => known,
            Err(fault) => return Err(taken.fail(fault).await),
        };
        if let Verdict::Refused(fault) | Verdict::Unknown(fault) = taken.verdict().await {
            return Err(taken.fail(fault).await);
        }
        if let Some(user) = &user {
            match self.learn(user, &new, taken.issue).await {
                Ok(learnt) => authenticators.extend(learnt),
                Err(fault) => return Err(taken.fail(fault).await),
            }
        }
        let answered = Answered { id: taken.operation.id, user, authenticators };
        taken.conclusion.succeed(&answered).await.map(|()| answered)
    }
}

impl Taken<'_> {
    /// Asks the upstream, with the answer as it was understood here.
    pub(super) async fn verdict(&self) -> Verdict {
        verdict(self.place, self.at, self.incoming).await
    }

    /// Ends the operation so.
    pub(super) async fn fail(&self, fault: FidoError) -> FidoError {
        self.conclusion.fail(self.operation.id, fault).await
    }
}

async fn verdict(place: &Place, at: AnswerAt, incoming: &Incoming) -> Verdict {
    let path = if at == AnswerAt::Registration { "registration" } else { "authentication" };
    match place.post::<ServerResponse>(path, &incoming.to_transport()).await {
        Ok(ServerResponse { status_code: StatusCode::OK, .. }) => Verdict::Good,
        Ok(ServerResponse { status_code, .. }) => {
            let refusal = refused_there(status_code);
            if leaves_open(&refusal) { Verdict::Unknown(refusal) } else { Verdict::Refused(refusal) }
        }
        Err(reason) => {
            let fault = FidoError::Refused(StatusCode::INTERNAL);
            if reason.is_unheard() { Verdict::Refused(fault) } else { Verdict::Unknown(fault) }
        }
    }
}

/// A fault of the upstream's own leaves open what comes of it; so does what settles nothing. A refusal that was heard is
/// believed: else whoever sends a copy of another's key could have that key refused here, or removed over there.
const fn leaves_open(refusal: &FidoError) -> bool {
    matches!(refusal, FidoError::Refused(StatusCode::INTERNAL))
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
