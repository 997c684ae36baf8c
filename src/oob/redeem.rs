//! Redeem (`http-api.md` 3): of any number of tries with one token, one gets the UAF request.

use std::sync::Arc;

use sidegate_filters::clock::Clock;
use sidegate_uaf::StatusCode;

use super::{DispatchToken, TokenKey};
use crate::fido::{Ask, Commission, Fido, FidoError, Subject, UafRequest};
use crate::jose::CryptoError;
use crate::store::operation::{ChallengeState, ClaimId, Event, Operation, OperationId, OperationKind};
use crate::store::{Ended, Eras, Growth, Operations, Origin, SourceNetwork, StoreError, TransitionError, Users};
use crate::telemetry::audit::{self, Event as Audit};

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
    /// Whether what their sessions began still holds.
    pub eras: Eras,
    /// The UAF server.
    pub fido: Arc<dyn Fido>,
    /// Leads from a token to its operation.
    pub key: TokenKey,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Redeem {
    /// Redeems a token on the path of `kind`; `from` as in [`Commission::from`].
    ///
    /// # Errors
    /// Why this caller gets no request.
    pub async fn redeem(
        &self,
        kind: OperationKind,
        token: &str,
        from: Option<SourceNetwork>,
    ) -> Result<UafRequest, NotRedeemed> {
        let (operation, redeemed) = match self.operation(token).await {
            Ok(operation) => {
                let redeemed = self.try_redeem(kind, &operation, from).await;
                (Some(operation), redeemed)
            }
            Err(refusal) => (None, Err(refusal)),
        };
        self.record(kind, operation.as_deref(), &redeemed).await;
        redeemed
    }

    async fn operation(&self, token: &str) -> Result<Arc<Operation>, NotRedeemed> {
        let token = DispatchToken::parse(token).ok_or_else(not_found)?;
        let id = self.key.operation(&token)?;
        let operation = self.operations.get(id).await?.ok_or_else(not_found)?;
        audit::about(id.in_log().as_deref());
        Ok(operation)
    }

    /// Writes the audit line: with the user and the target for whom the token was made, where one of ours was.
    async fn record(
        &self,
        kind: OperationKind,
        operation: Option<&Operation>,
        redeemed: &Result<UafRequest, NotRedeemed>,
    ) {
        let code = match redeemed {
            Ok(_) => StatusCode::OK,
            Err(NotRedeemed::Refused(code)) => *code,
            Err(_) => StatusCode::INTERNAL,
        };
        let user = match operation {
            Some(operation) => self.audited(operation).await,
            None => None,
        };
        let target = operation.and_then(|operation| operation.dispatch.as_ref()?.target.as_deref());
        Audit::Redeem { operation: kind.word(), code: code.0, user, target }.record();
    }

    /// The user whom the line may name: whom a stranger named may be nobody, and nobody has no extId.
    async fn audited<'a>(&self, operation: &'a Operation) -> Option<&'a str> {
        let ext_id = operation.user.as_ref()?;
        let exists = match operation.stranger {
            Some(_) => self.users.by_ext_id(ext_id).await.is_ok_and(|user| user.is_some()),
            None => true,
        };
        exists.then(|| ext_id.as_str())
    }

    async fn try_redeem(
        &self,
        kind: OperationKind,
        operation: &Operation,
        from: Option<SourceNetwork>,
    ) -> Result<UafRequest, NotRedeemed> {
        // The token's state answers before anything is known of its user.
        operation.redeemable(kind, self.clock.now()).map_err(TransitionError::from)?;
        let ask: Ask = serde_json::from_str(&operation.context).map_err(|error| {
            tracing::error!(%error, "a stored context can't be read");
            NotRedeemed::Refused(StatusCode::INTERNAL)
        })?;
        let errand = Errand { operation, user: self.user(operation).await?, ask: &ask, from };
        match (&ask, &errand.user) {
            (Ask::Deregistration(scope), Some(user)) => {
                self.claimed(operation, async |_| Ok((self.fido.deregister(user, scope, from).await?, None))).await
            }
            _ if self.fido.is_elsewhere() => {
                self.claimed(operation, async |origin| self.ask(&errand, &origin).await).await
            }
            _ => self.hand_out(&errand).await,
        }
    }

    /// The user for whom the token was made, who must still exist, or seem to where a stranger had it made. Where a session
    /// had it made, the token ended with what that rested on, and the one for a first key with a first key.
    async fn user(&self, operation: &Operation) -> Result<Option<Subject>, NotRedeemed> {
        let Some(ext_id) = &operation.user else { return Ok(None) };
        self.eras.check(operation).await?;
        match (self.users.by_ext_id(ext_id).await?, &operation.stranger) {
            (Some(user), _) => {
                let user = Subject::from(&user);
                if operation.is_for_first_key() && self.fido.guards(&user).await? {
                    return Err(NotRedeemed::Refused(StatusCode::UNAUTHORIZED));
                }
                Ok(Some(user))
            }
            (None, Some(name)) => Ok(Some(Subject { ext_id: ext_id.clone(), name: name.clone() })),
            (None, None) => Err(not_found()),
        }
    }

    /// The request is made first, which changes nothing; then one atomic step decides who gets one.
    async fn hand_out(&self, errand: &Errand<'_>) -> Result<UafRequest, NotRedeemed> {
        // Only a server behind leaves anything to be kept beside the operation.
        let (request, challenge) = self.fido.request(&errand.commission(&Origin::Internal)).await?;
        let Operation { id, kind, .. } = *errand.operation;
        self.operations.transition(id, Event::Redeem { kind, challenge }).await?;
        Ok(request)
    }

    /// The work is done while the token is claimed; if it can't be, the token is free again. What it gives after the
    /// lease has ended is discarded.
    async fn claimed(
        &self,
        operation: &Operation,
        work: impl AsyncFnOnce(Origin) -> Done,
    ) -> Result<UafRequest, NotRedeemed> {
        let (id, claim) = (operation.id, ClaimId::random());
        let claimed = self.operations.transition(id, Event::Claim { kind: operation.kind, claim }).await?;
        let done = match work(claimed.origin).await {
            Ok((request, challenge)) => self.end(id, claim, challenge).await.map(|()| request),
            Err(fault) => Err(fault.into()),
        };
        // A lease that has ended freed it before; what else stands in the way is not what the caller asked for.
        if done.is_err()
            && let Err(TransitionError::Store(error)) = self.operations.transition(id, Event::Release { claim }).await
        {
            tracing::error!(%error, "a token is not free again before its lease ends");
        }
        done
    }

    /// The token is used, or what was issued for it leads nowhere.
    async fn end(&self, id: OperationId, claim: ClaimId, challenge: Option<ChallengeState>) -> Result<(), NotRedeemed> {
        let event = match challenge.clone() {
            Some(challenge) => Event::Commit { claim, challenge },
            None => Event::Complete { claim },
        };
        let ended = self.operations.transition(id, event).await;
        if let (Err(_), Some(challenge)) = (&ended, &challenge) {
            self.fido.withdraw(challenge).await;
        }
        ended.map(drop).map_err(NotRedeemed::from)
    }

    async fn ask(&self, errand: &Errand<'_>, origin: &Origin) -> Done {
        let (request, challenge) = self.fido.request(&errand.commission(origin)).await?;
        Ok((request, Some(challenge)))
    }
}

/// What is redeemed, for whom, and from where.
struct Errand<'a> {
    operation: &'a Operation,
    user: Option<Subject>,
    ask: &'a Ask,
    from: Option<SourceNetwork>,
}

impl<'a> Errand<'a> {
    fn commission(&self, origin: &'a Origin) -> Commission<'a> {
        let Self { operation, ref user, ask, from } = *self;
        Commission {
            id: operation.id,
            purpose: operation.purpose,
            user: user.clone(),
            hidden_from: operation.stranger.as_deref(),
            ask,
            origin,
            // The token has room for it.
            growth: Growth::Granted,
            from,
        }
    }
}

/// A request to hand out, and the challenge that waits for its answer, if one follows.
type Done = Result<(UafRequest, Option<ChallengeState>), FidoError>;

fn not_found() -> NotRedeemed {
    NotRedeemed::Refused(StatusCode::NOT_FOUND)
}

impl From<Ended> for NotRedeemed {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Over => not_found(),
            Ended::Store(error) => Self::Store(error),
        }
    }
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
