//! Answers: serverData leads to the operation, the challenge is taken once, then the answer is checked and its outcome
//! written (`uaf.md` A7, A8, A13).

mod finish;

use std::collections::BTreeSet;

use async_trait::async_trait;
use sidegate_uaf::{Denial, Error, Opened};
use uuid::Uuid;

use super::super::conclusion::{self, Conclusion};
use super::super::{AnswerAt, Answered, Arrival, Claimed, Counted, FidoError, Received, Subject, uaf_operation};
use super::Embedded;
use super::credential::record_key;
use crate::store::operation::{Authenticator, Purpose};
use crate::store::{CredentialKey, ExtId, OperationId, Removal, StoreError};
use crate::telemetry::audit::{Change, Event as Audit};

/// An answer, or why it is none.
pub(super) struct Reading<'a> {
    server: &'a Embedded,
    at: AnswerAt,
    opened: Result<Opened, Error>,
}

#[async_trait]
impl Received for Reading<'_> {
    async fn claimant(&self) -> Result<Option<Claimed>, StoreError> {
        match &self.opened {
            Ok(opened) => self.server.presumed(opened).await,
            Err(_) => Ok(None),
        }
    }

    /// It is written down how it went.
    async fn take(self: Box<Self>) -> Result<Answered, FidoError> {
        let Self { server, at, opened } = *self;
        let answered = server.judge(at, opened).await.map_err(|fault| server.folded(fault));
        conclusion::record(at, &answered);
        answered
    }
}

/// What the checks of an answer came to.
enum Finished {
    Good {
        user: Subject,
        authenticators: Vec<Authenticator>,
        /// As in [`Answered::confirmed`].
        confirmed: BTreeSet<[u8; 32]>,
        /// The credentials that were not there before.
        added: Vec<CredentialKey>,
    },
    Denied(Denial),
}

impl Embedded {
    pub(super) fn read(&self, &Arrival { at, uaf_response, context, .. }: &Arrival<'_>) -> Reading<'_> {
        let opened = self.relying_party.open(uaf_operation(at.kind()), uaf_response, context);
        Reading { server: self, at, opened }
    }

    /// Who seems to answer, before its signatures are verified: where users are hidden, whoever was asked, be it with a key or a
    /// decoy; else who owns the key. Nobody owns a decoy, and that takes as long.
    async fn presumed(&self, opened: &Opened) -> Result<Option<Claimed>, StoreError> {
        if self.decoys.is_some()
            && let Some(asked) = self.asked(opened).await?
        {
            return Ok(Some(asked));
        }
        let Some(key) = opened.keys().first() else { return Ok(None) };
        let owner = self.credentials.get(&record_key(key)).await?.map(|record| record.owner);
        let Some(decoys) = &self.decoys else {
            return Ok(owner.map(|ext_id| Claimed { ext_id, counted: Counted::User }));
        };
        let is_decoy = decoys.find("", key).is_ok_and(|decoy| decoy.is_some());
        let ext_id = owner.or_else(|| is_decoy.then(|| ExtId::from("")));
        Ok(ext_id.map(|ext_id| Claimed { ext_id, counted: Counted::Nobody }))
    }

    /// Who was asked, if the answer is to a request for somebody.
    async fn asked(&self, opened: &Opened) -> Result<Option<Claimed>, StoreError> {
        let Ok(id) = Uuid::try_parse(opened.operation_id()) else { return Ok(None) };
        let operation = self.operations.get(OperationId(id)).await?;
        Ok(operation.and_then(|operation| {
            let counted = operation.stranger.clone().map_or(Counted::User, Counted::Called);
            operation.user.clone().map(|ext_id| Claimed { ext_id, counted })
        }))
    }

    /// The codes of a store's refusal are folded like those of a check.
    pub(super) fn folded(&self, fault: FidoError) -> FidoError {
        match fault {
            FidoError::Refused(code) => FidoError::Refused(self.settings.folding.apply(code)),
            FidoError::Store(_) => fault,
        }
    }

    /// Nothing moves before serverData, challenge and purpose are known to be ours.
    async fn judge(&self, at: AnswerAt, opened: Result<Opened, Error>) -> Result<Answered, FidoError> {
        let opened = opened.map_err(|error| self.refuse(&error))?;
        let id = self.addressed(at, &opened)?;
        let conclusion = Conclusion(self.operations.clone());
        let (asked, state) = conclusion.take_challenge(id).await?;
        let finished = match self.finish(&asked, &state, &opened).await {
            Ok(finished) => finished,
            Err(fault) => return Err(conclusion.fail(id, fault).await),
        };
        match finished {
            Finished::Denied(denial) => Err(conclusion.deny(id, denial).await),
            Finished::Good { user, authenticators, confirmed, added } => {
                let answered = Answered { id, user: Some(user.clone()), authenticators, confirmed };
                // What ended the session that began it, before the keys were there, did not see them.
                let done = match self.eras.check(&asked).await {
                    Ok(()) => conclusion.succeed(&answered).await,
                    Err(ended) => Err(conclusion.fail(id, ended.into()).await),
                };
                if let Err(fault) = done {
                    self.take_back(&user, added).await?;
                    return Err(fault);
                }
                Ok(answered)
            }
        }
    }

    /// The operation ended otherwise while its answer was checked, so it must not leave a credential behind.
    async fn take_back(&self, user: &Subject, added: Vec<CredentialKey>) -> Result<(), StoreError> {
        for key in added {
            for key in self.credentials.remove(&user.ext_id, &Removal::Key(key)).await? {
                Audit::Credential { change: Change::Removed, user: user.ext_id.as_str(), aaid: key.aaid() }.record();
            }
        }
        Ok(())
    }

    /// The operation that serverData names, if its answers belong here.
    fn addressed(&self, at: AnswerAt, opened: &Opened) -> Result<OperationId, FidoError> {
        let purpose = opened.server_data().purpose();
        if !Purpose::parse(purpose).is_some_and(|purpose| at.takes(purpose)) {
            tracing::info!(purpose, at = at.name(), "a UAF answer came in at the wrong place");
            return Err(self.refuse(&Error::ChallengeSpent));
        }
        let id = Uuid::try_parse(opened.operation_id()).map_err(|_| self.refuse(&Error::ServerDataBroken))?;
        Ok(OperationId(id))
    }
}
