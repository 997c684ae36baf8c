//! Answers: the challenge inside fcParams leads to the operation, serverData must be the one issued beside it, the
//! challenge is taken once, and only then the upstream is asked. Its 1200 is believed for that operation, and for its
//! user only if the request named the keys that answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use sidegate_uaf::relay::{Claim, Issue};
use sidegate_uaf::{Error, Incoming, KeyRef};

use super::super::conclusion::{self, Conclusion};
use super::super::{AnswerAt, Answered, Arrival, Claimed, Counted, FidoError, Received, Subject, uaf_operation};
use super::Upstream;
use super::addressing::{Addressed, Answer};
use super::transport::Place;
use super::verdict::Verdict;
use crate::store::operation::Operation;
use crate::store::{SourceNetwork, StoreError};

/// An answer, or why it is none.
pub(super) struct Reading<'a> {
    server: &'a Upstream,
    at: AnswerAt,
    from: Option<SourceNetwork>,
    answer: Result<Answer, Error>,
}

#[async_trait]
impl Received for Reading<'_> {
    async fn claimant(&self) -> Result<Option<Claimed>, StoreError> {
        let Ok(answer) = &self.answer else { return Ok(None) };
        let user = self.server.presumed(self.at, answer).await?;
        Ok(user.map(|ext_id| Claimed { ext_id, counted: Counted::User }))
    }

    /// It is written down how it went.
    async fn take(self: Box<Self>) -> Result<Answered, FidoError> {
        let Self { server, at, from, answer } = *self;
        let answered = server.judge(at, from, answer).await;
        conclusion::record(at, &answered);
        answered
    }
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

impl Upstream {
    pub(super) fn read(&self, &Arrival { at, uaf_response, context, from }: &Arrival<'_>) -> Reading<'_> {
        let incoming = Incoming::parse(uaf_operation(at.kind()), uaf_response, context);
        Reading { server: self, at, from, answer: incoming.and_then(Answer::new) }
    }

    async fn judge(
        &self,
        at: AnswerAt,
        from: Option<SourceNetwork>,
        answer: Result<Answer, Error>,
    ) -> Result<Answered, FidoError> {
        let answer = answer.map_err(|error| refused(&error))?;
        let (operation, Addressed { issue, claim, .. }) = self.addressed(at, &answer).await?;
        let (conclusion, incoming) = (&Conclusion(self.operations.clone()), &answer.incoming);
        match claim {
            Ok(Claim::Denial(denial)) => {
                conclusion.take_challenge(operation.id).await?;
                // It is one whatever the upstream says to it, and even where it can't be told.
                if let Ok(place) = self.place(from) {
                    place.verdict(at, incoming).await;
                }
                Err(conclusion.deny(operation.id, *denial).await)
            }
            Ok(Claim::Keys { keys, allowed }) => {
                // Where there is none the challenge stays: the same answer may come again.
                let place = &Arc::new(self.place(from)?);
                conclusion.take_challenge(operation.id).await?;
                let operation = &*operation;
                self.prove(Taken { at, operation, issue, incoming, keys, place, conclusion }, *allowed).await
            }
            Err(error) => {
                conclusion.take_challenge(operation.id).await?;
                Err(conclusion.fail(operation.id, refused(error)).await)
            }
        }
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

    /// The user whom our request named, who must still exist, as must what the session rested on that began it.
    async fn named(&self, operation: &Operation) -> Result<Option<Subject>, FidoError> {
        let Some(ext_id) = &operation.user else { return Ok(None) };
        let user = self.users.by_ext_id(ext_id).await?.ok_or_else(|| refused(&Error::UserNotAuthenticated))?;
        self.eras.check(operation).await?;
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
        let answered = Answered { id: taken.operation.id, user, authenticators, confirmed: BTreeSet::new() };
        taken.conclusion.succeed(&answered).await.map(|()| answered)
    }
}

impl Taken<'_> {
    /// Asks the upstream, with the answer as it was understood here.
    pub(super) async fn verdict(&self) -> Verdict {
        self.place.verdict(self.at, self.incoming).await
    }

    /// Ends the operation so.
    pub(super) async fn fail(&self, fault: FidoError) -> FidoError {
        self.conclusion.fail(self.operation.id, fault).await
    }
}

/// The code for the client; the log gets the check that failed.
pub(super) fn refused(error: &Error) -> FidoError {
    tracing::info!(reason = %error, "a UAF answer is refused");
    FidoError::Refused(error.status())
}
