//! Redeem (`http-api.md` 3): of any number of tries with one token, one gets the UAF request.

use std::sync::Arc;

use sidegate_filters::clock::Clock;
use sidegate_uaf::StatusCode;

use super::{DispatchToken, TokenKey};
use crate::fido::{Ask, Commission, Fido, FidoError, Scope, Subject, UafRequest};
use crate::jose::CryptoError;
use crate::store::operation::{ClaimId, Event, Operation, OperationKind};
use crate::store::{Operations, StoreError, TransitionError, Users};
use crate::telemetry::audit::Event as Audit;

/// Nothing was handed out.
#[derive(Debug, thiserror::Error)]
pub enum NotRedeemed {
    /// For the client: this UAF status code.
    #[error("UAF status {0}")]
    Refused(StatusCode),
    /// A store failed: 503.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// The redeem token service.
pub struct Redeem {
    /// Where operations are kept.
    pub operations: Arc<dyn Operations>,
    /// Who exists.
    pub users: Arc<dyn Users>,
    /// The UAF server.
    pub fido: Arc<dyn Fido>,
    /// Leads from a token to its operation.
    pub key: TokenKey,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Redeem {
    /// Redeems a token on the path of `kind`.
    ///
    /// # Errors
    /// Why this caller gets no request.
    pub async fn redeem(&self, kind: OperationKind, token: &str) -> Result<UafRequest, NotRedeemed> {
        let redeemed = self.try_redeem(kind, token).await;
        let code = match &redeemed {
            Ok(_) => StatusCode::OK,
            Err(NotRedeemed::Refused(code)) => *code,
            Err(_) => StatusCode::INTERNAL,
        };
        Audit::Redeem { operation: kind.word(), code: code.0 }.record();
        redeemed
    }

    async fn try_redeem(&self, kind: OperationKind, token: &str) -> Result<UafRequest, NotRedeemed> {
        let token = DispatchToken::parse(token).ok_or_else(not_found)?;
        let id = self.key.operation(&token)?;
        let operation = self.operations.get(id).await?.ok_or_else(not_found)?;
        // The token's state answers before anything is known of its user.
        operation.redeemable(kind, self.clock.now()).map_err(TransitionError::from)?;
        let ask: Ask = serde_json::from_str(&operation.context).map_err(|error| {
            tracing::error!(%error, "a stored context can't be read");
            NotRedeemed::Refused(StatusCode::INTERNAL)
        })?;
        let user = self.user(&operation).await?;
        match (&ask, user) {
            (Ask::Deregistration(scope), Some(user)) => self.deregister(&operation, &user, scope).await,
            (_, user) => self.hand_out(&operation, user, &ask).await,
        }
    }

    /// The user for whom the token was made, who must still exist.
    async fn user(&self, operation: &Operation) -> Result<Option<Subject>, NotRedeemed> {
        let Some(ext_id) = &operation.user else { return Ok(None) };
        let user = self.users.by_ext_id(ext_id).await?.ok_or_else(not_found)?;
        Ok(Some(Subject { ext_id: user.ext_id, name: user.name }))
    }

    /// The request is made first, which changes nothing; then one atomic step decides who gets one.
    async fn hand_out(
        &self,
        operation: &Operation,
        user: Option<Subject>,
        ask: &Ask,
    ) -> Result<UafRequest, NotRedeemed> {
        let commission = Commission { id: operation.id, purpose: operation.purpose, user, ask };
        let (request, challenge) = self.fido.request(&commission).await?;
        self.operations.transition(operation.id, Event::Redeem { kind: operation.kind, challenge }).await?;
        Ok(request)
    }

    /// The credentials go while the token is claimed; if they can't, it is free again.
    async fn deregister(
        &self,
        operation: &Operation,
        user: &Subject,
        scope: &Scope,
    ) -> Result<UafRequest, NotRedeemed> {
        let claim = ClaimId::random();
        self.operations.transition(operation.id, Event::Claim { kind: operation.kind, claim }).await?;
        match self.fido.deregister(user, scope).await {
            Ok(request) => {
                self.operations.transition(operation.id, Event::Complete { claim }).await?;
                Ok(request)
            }
            Err(fault) => {
                self.operations.transition(operation.id, Event::Release { claim }).await?;
                Err(fault.into())
            }
        }
    }
}

fn not_found() -> NotRedeemed {
    NotRedeemed::Refused(StatusCode::NOT_FOUND)
}

impl From<TransitionError> for NotRedeemed {
    fn from(error: TransitionError) -> Self {
        match error {
            TransitionError::Refused(refused) => Self::Refused(StatusCode(refused.redeem_code())),
            TransitionError::Store(error) => Self::Store(error),
        }
    }
}

impl From<FidoError> for NotRedeemed {
    fn from(error: FidoError) -> Self {
        match error {
            FidoError::Refused(code) => Self::Refused(code),
            FidoError::Store(error) => Self::Store(error),
        }
    }
}
