//! Answers: serverData leads to the operation, the challenge is taken once, then the answer is checked and its outcome
//! written (`uaf.md` A7, A8, A13).

mod finish;

use sidegate_uaf::{Denial, Error, Incoming, Opened, StatusCode};
use uuid::Uuid;

use super::super::{AnswerAt, Answered, FidoError, Subject, uaf_operation};
use super::Embedded;
use super::credential::record_key;
use super::request::purpose_name;
use crate::store::operation::{Applied, Authenticator, ChallengeState, Event, Outcome, Purpose};
use crate::store::{CredentialKey, ExtId, OperationId, Removal, StoreError, TransitionError};
use crate::telemetry::audit::{Change, Event as Audit};

/// What the checks of an answer came to.
enum Finished {
    Good {
        user: Subject,
        authenticators: Vec<Authenticator>,
        /// The credentials that were not there before.
        added: Vec<CredentialKey>,
    },
    Denied(Denial),
}

const PURPOSES: [Purpose; 4] = [Purpose::InBandLogin, Purpose::OutOfBand, Purpose::Transaction, Purpose::Registration];

impl Embedded {
    /// Who seems to answer, before anything is verified.
    pub(super) async fn presumed(&self, at: AnswerAt, uaf_response: &str) -> Result<Option<ExtId>, StoreError> {
        let Ok(incoming) = Incoming::parse(uaf_operation(at.kind()), uaf_response, None) else { return Ok(None) };
        match incoming.keys().first() {
            Some(key) => Ok(self.credentials.get(&record_key(key)).await?.map(|record| record.owner)),
            None => Ok(None),
        }
    }

    /// Takes an answer, and writes down how it went.
    pub(super) async fn take(
        &self,
        at: AnswerAt,
        uaf_response: &str,
        context: Option<&str>,
    ) -> Result<Answered, FidoError> {
        let answered = self.judge(at, uaf_response, context).await.map_err(|fault| self.folded(fault));
        let (code, user) = match &answered {
            Ok(answered) => (StatusCode::OK, Some(answered.user.ext_id.as_str())),
            Err(FidoError::Refused(code)) => (*code, None),
            Err(FidoError::Store(_)) => (StatusCode::INTERNAL, None),
        };
        let operation = at.kind().word();
        Audit::Answer { operation, code: code.0, user }.record();
        answered
    }

    /// The codes of a store's refusal are folded like those of a check.
    fn folded(&self, fault: FidoError) -> FidoError {
        match fault {
            FidoError::Refused(code) => FidoError::Refused(self.settings.folding.apply(code)),
            FidoError::Store(_) => fault,
        }
    }

    /// Nothing moves before serverData, challenge and purpose are known to be ours.
    async fn judge(&self, at: AnswerAt, uaf_response: &str, context: Option<&str>) -> Result<Answered, FidoError> {
        let operation = uaf_operation(at.kind());
        let incoming = Incoming::parse(operation, uaf_response, context).map_err(|error| self.refuse(&error))?;
        let opened = incoming.open(self.relying_party.server_data_key()).map_err(|error| self.refuse(&error))?;
        let id = self.addressed(at, &opened)?;
        let state = self.take_challenge(id).await?;
        let finished = match self.finish(&state, &opened).await {
            Ok(finished) => finished,
            Err(fault) => return Err(self.fail(id, fault).await),
        };
        match finished {
            Finished::Denied(denial) => Err(self.deny(id, denial).await),
            Finished::Good { user, authenticators, added } => {
                let outcome =
                    Outcome::Succeeded { user: Some(user.ext_id.clone()), authenticators: authenticators.clone() };
                match self.end(id, outcome).await {
                    Ok(()) => Ok(Answered { id, user, authenticators }),
                    Err(fault) => {
                        self.take_back(&user, added).await?;
                        Err(fault)
                    }
                }
            }
        }
    }

    /// The operation ended otherwise while its answer was checked, so it must not leave a credential behind.
    async fn take_back(&self, user: &Subject, added: Vec<CredentialKey>) -> Result<(), StoreError> {
        for key in added {
            Audit::Credential { change: Change::Removed, user: user.ext_id.as_str(), aaid: key.aaid() }.record();
            self.credentials.remove(&user.ext_id, &Removal::Key(key)).await?;
        }
        Ok(())
    }

    /// The operation that serverData names, if its answers belong here.
    fn addressed(&self, at: AnswerAt, opened: &Opened) -> Result<OperationId, FidoError> {
        let purpose = opened.server_data().purpose();
        if !PURPOSES.iter().any(|known| purpose_name(*known) == purpose && at.takes(*known)) {
            tracing::info!(purpose, at = at.name(), "a UAF answer came in at the wrong place");
            return Err(self.refuse(&Error::ChallengeSpent));
        }
        let id = Uuid::try_parse(opened.operation_id()).map_err(|_| self.refuse(&Error::ServerDataBroken))?;
        Ok(OperationId(id))
    }

    async fn take_challenge(&self, id: OperationId) -> Result<ChallengeState, FidoError> {
        match self.operations.transition(id, Event::Answer).await {
            Ok(transition) => match transition.applied {
                Applied::Taken(state) => Ok(state),
                Applied::Moved => Err(super::internal(&"an answer took no challenge")),
            },
            Err(error) => Err(transition_fault(error)),
        }
    }

    /// The answer is refused: its operation ends so. A store that fails meanwhile does not make a bad answer good.
    async fn fail(&self, id: OperationId, fault: FidoError) -> FidoError {
        let code = match &fault {
            FidoError::Refused(code) => *code,
            FidoError::Store(_) => StatusCode::INTERNAL,
        };
        let outcome = Outcome::Failed { code: code.0, asm_status_code: None, client_error_code: None };
        self.end(id, outcome).await.err().filter(is_store).unwrap_or(fault)
    }

    async fn deny(&self, id: OperationId, denial: Denial) -> FidoError {
        let outcome = Outcome::Failed {
            code: Denial::STATUS.0,
            asm_status_code: denial.asm_status_code.map(i64::from),
            client_error_code: denial.client_error_code.map(i64::from),
        };
        match self.end(id, outcome).await {
            Ok(()) => FidoError::Refused(Denial::STATUS),
            Err(fault) => fault,
        }
    }

    async fn end(&self, id: OperationId, outcome: Outcome) -> Result<(), FidoError> {
        self.operations.transition(id, Event::Finish(outcome)).await.map(|_| ()).map_err(transition_fault)
    }
}

fn transition_fault(error: TransitionError) -> FidoError {
    match error {
        TransitionError::Refused(refused) => FidoError::Refused(StatusCode(refused.answer_code())),
        TransitionError::Store(error) => FidoError::Store(error),
    }
}

fn is_store(fault: &FidoError) -> bool {
    matches!(fault, FidoError::Store(StoreError::Unavailable(_)))
}
