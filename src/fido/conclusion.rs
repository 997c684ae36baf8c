//! How an operation ends once its answer is there: the challenge is taken once, and an outcome is written.

use std::sync::Arc;

use sidegate_uaf::{Denial, StatusCode};

use super::{AnswerAt, Answered, FidoError};
use crate::jose;
use crate::store::operation::{Applied, ChallengeState, Event, Outcome, Refused};
use crate::store::{Operation, OperationId, Operations, StoreError, TransitionError};
use crate::telemetry::audit::{self, Event as Audit};

/// Ends operations.
#[derive(Clone)]
pub(super) struct Conclusion(pub(super) Arc<dyn Operations>);

impl Conclusion {
    /// Takes the challenge: of all answers one does.
    pub(super) async fn take_challenge(&self, id: OperationId) -> Result<(Arc<Operation>, ChallengeState), FidoError> {
        let transition = self.0.transition(id, Event::Answer).await;
        if !matches!(transition, Err(TransitionError::Refused(Refused::Unknown))) {
            audit::about(id.in_log().as_deref());
        }
        match transition {
            Ok(transition) => match transition.applied {
                Applied::Taken(state) => Ok((transition.operation, state)),
                Applied::Moved | Applied::Collected(_) => Err(super::internal(&"an answer took no challenge")),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// The answer is good.
    pub(super) async fn succeed(&self, answered: &Answered) -> Result<(), FidoError> {
        let user = answered.user.as_ref().map(|user| user.ext_id.clone());
        self.end(answered.id, Outcome::Succeeded { user, authenticators: answered.authenticators.clone() }).await
    }

    /// The answer is refused: its operation ends so. A store that fails meanwhile does not make a bad answer good.
    pub(super) async fn fail(&self, id: OperationId, fault: FidoError) -> FidoError {
        let code = match &fault {
            FidoError::Refused(code) => *code,
            FidoError::Store(_) => StatusCode::INTERNAL,
        };
        let outcome = Outcome::Failed { code: code.0, asm_status_code: None, client_error_code: None };
        self.end(id, outcome).await.err().filter(is_store).unwrap_or(fault)
    }

    /// The user or the device said no.
    pub(super) async fn deny(&self, id: OperationId, denial: Denial) -> FidoError {
        let asm_status_code = denial.asm_status_code.map(i64::from);
        let client_error_code = denial.client_error_code.map(i64::from);
        tracing::info!(asm_status_code, client_error_code, "the user or the device said no");
        let outcome = Outcome::Failed { code: Denial::STATUS.0, asm_status_code, client_error_code };
        match self.end(id, outcome).await {
            Ok(()) => FidoError::Refused(Denial::STATUS),
            Err(fault) => fault,
        }
    }

    async fn end(&self, id: OperationId, outcome: Outcome) -> Result<(), FidoError> {
        self.0.transition(id, Event::Finish(outcome)).await?;
        Ok(())
    }
}

/// Writes the audit line of an answer.
pub(super) fn record(at: AnswerAt, answered: &Result<Answered, FidoError>) {
    let code = match answered {
        Ok(_) => StatusCode::OK,
        Err(FidoError::Refused(code)) => *code,
        Err(FidoError::Store(_)) => StatusCode::INTERNAL,
    };
    let good = answered.as_ref().ok();
    let user = good.and_then(|answered| answered.user.as_ref()).map(|user| user.ext_id.as_str());
    let confirmed: Vec<_> = good.iter().flat_map(|answered| &answered.confirmed).map(|hash| jose::hex(hash)).collect();
    let confirmed = (!confirmed.is_empty()).then(|| confirmed.join(" "));
    Audit::Answer { operation: at.kind().word(), code: code.0, user, confirmed: confirmed.as_deref() }.record();
}

impl From<TransitionError> for FidoError {
    fn from(error: TransitionError) -> Self {
        match error {
            TransitionError::Refused(refused) => Self::Refused(StatusCode(refused.answer_code())),
            TransitionError::Store(error) => Self::Store(error),
        }
    }
}

fn is_store(fault: &FidoError) -> bool {
    matches!(fault, FidoError::Store(StoreError::Unavailable(_)))
}
