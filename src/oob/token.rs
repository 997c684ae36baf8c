//! Dispatch and create token (`http-api.md` 2 and 4): an operation begins, and its token goes to a phone or back to
//! whoever asked.

mod browser_login;
mod dispatch;

use std::sync::Arc;

use sidegate_filters::clock::Clock;

use crate::dispatchers::{DispatchData, DispatchFailure, Dispatchers, Recipients};
use crate::fido::{Ask, Context, ContextFault, Fido, uaf_operation};
use crate::jose::CryptoError;
use crate::store::operation::{CONTEXT_LIMIT, Dispatch, Draft, Era, Limits, Operation, OperationKind, Purpose, Room};
use crate::store::{OperationId, Operations, StoreError, Targets as TargetStore};
use crate::telemetry::audit::{self, Event};

use super::{Acting, ActingFor, Asker, Deed, DispatchToken, Named, NotPermitted, TokenKey};

/// How tokens are made.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenSettings {
    /// Time limits of operations.
    pub limits: Limits,
    /// Whether the status shows what the dispatcher answered (`status-response`): it holds the token, so the session id
    /// then becomes as good as the token.
    pub status_response: bool,
}

/// What a relying party asks to be dispatched, as it was read.
#[derive(Debug, Clone)]
pub struct DispatchRequest {
    /// The operation that the path names.
    pub kind: OperationKind,
    /// The dispatcher that the request names.
    pub dispatcher: Option<String>,
    /// The dispatch target that it names.
    pub target: Option<String>,
    /// `dispatchInformation.data`.
    pub data: DispatchData,
    /// Whether `dispatchInformation.notification` has texts of the caller.
    pub notification: bool,
    /// The context of `getUafRequest`.
    pub context: Option<String>,
}

/// The `dispatchResult` of a dispatch that did not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DispatchResult {
    /// The way to the phone failed.
    DispatchError,
    /// The target's push address is gone.
    DispatchTargetExpired,
    /// No such target, or not one of this user.
    DispatchTargetNotFound,
    /// No such dispatcher.
    DispatcherNotFound,
    /// No such user.
    UserNotFound,
    /// Our own fault.
    InternalError,
}

/// The answer to a dispatch.
#[derive(Debug)]
pub enum DispatchAnswer {
    /// The token is on its way.
    Dispatched {
        /// The token.
        token: DispatchToken,
        /// Names the operation towards the status service.
        session_id: OperationId,
        /// The dispatcher's type.
        dispatcher: &'static str,
        /// Its text for the caller.
        response: Option<String>,
    },
    /// It is not, and nothing redeemable was left behind.
    Not(DispatchResult),
}

/// A token was not made.
#[derive(Debug, thiserror::Error)]
pub enum TokenFault {
    /// The request can't be served as it is: 400.
    #[error("{member}: {reason}")]
    Malformed {
        /// The member at fault.
        member: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The caller may not.
    #[error(transparent)]
    NotPermitted(#[from] NotPermitted),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// The dispatch and the create token service.
pub struct Tokens {
    /// Where operations are kept.
    pub operations: Arc<dyn Operations>,
    /// Where targets are kept.
    pub targets: Arc<dyn TargetStore>,
    /// Who acts for whom.
    pub acting: Acting,
    /// The configured dispatchers.
    pub dispatchers: Dispatchers,
    /// Encryption keys of targets.
    pub recipients: Recipients,
    /// The UAF server.
    pub fido: Arc<dyn Fido>,
    /// Leads from a token to its operation.
    pub key: TokenKey,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How tokens are made.
    pub settings: TokenSettings,
}

/// What an operation is made of, once its user is known.
struct Beginning<'a> {
    kind: OperationKind,
    permit: &'a ActingFor,
    context: String,
    purpose: Purpose,
    room: Room,
    /// Of the user, where a browser is to be logged in.
    login: Option<Era>,
}

impl Tokens {
    /// Makes a token for whoever asks, without dispatching it.
    ///
    /// # Errors
    /// Why none was made.
    pub async fn create(
        &self,
        asker: &Asker<'_>,
        kind: OperationKind,
        context: Option<&str>,
    ) -> Result<(DispatchToken, OperationId), TokenFault> {
        let Context { username, ask } = self.understand(kind, context)?;
        let named = username.as_deref().map_or(Named::Nobody, Named::Username);
        let permit = self.acting.permit(asker, deed(kind, ask.has_transaction()), named).await?;
        let beginning = self.beginning(kind, &permit, &ask)?;
        let token = DispatchToken::random();
        let operation = self.operation(&token, &beginning, None)?;
        let id = operation.id;
        self.operations.create(operation, &asker.origin()).await?;
        audit::about(id.in_log().as_deref());
        let (operation, dispatcher, result) = (kind.word(), "-", "dispatched");
        Event::Dispatch { operation, dispatcher, result, user: permit.audited(), target: None }.record();
        Ok((token, id))
    }

    fn understand(&self, kind: OperationKind, context: Option<&str>) -> Result<Context, TokenFault> {
        let context = Context::parse(uaf_operation(kind), context)?;
        self.fido.check(&context.ask)?;
        Ok(context)
    }

    fn beginning<'a>(
        &self,
        kind: OperationKind,
        permit: &'a ActingFor,
        ask: &Ask,
    ) -> Result<Beginning<'a>, ContextFault> {
        let (context, purpose, room) = (stored(ask)?, purpose(ask), self.fido.room(ask));
        Ok(Beginning { kind, permit, context, purpose, room, login: None })
    }

    fn operation(
        &self,
        token: &DispatchToken,
        beginning: &Beginning<'_>,
        dispatch: Option<Dispatch>,
    ) -> Result<Operation, CryptoError> {
        let draft = Draft {
            id: self.key.operation(token)?,
            purpose: beginning.purpose,
            kind: beginning.kind,
            user: beginning.permit.user().map(|user| user.ext_id.clone()),
            stranger: beginning.permit.stranger().map(str::to_owned),
            warrant: beginning.permit.warrant(),
            context: beginning.context.clone(),
            dispatch,
            room: beginning.room,
        };
        let operation = Operation::with_token(draft, self.settings.limits, self.clock.now());
        Ok(match beginning.login {
            Some(era) => operation.for_login(era),
            None => operation,
        })
    }
}

/// What the purpose of an operation outside the login endpoints is.
pub(super) fn purpose(ask: &Ask) -> Purpose {
    match ask {
        Ask::Registration { .. } => Purpose::Registration,
        Ask::Authentication { .. } if ask.has_transaction() => Purpose::Transaction,
        Ask::Authentication { .. } => Purpose::OutOfBand,
        Ask::Deregistration(_) => Purpose::Deregistration,
    }
}

pub(super) fn deed(kind: OperationKind, content: bool) -> Deed {
    match kind {
        OperationKind::Reg => Deed::Registration,
        OperationKind::Dereg => Deed::Own,
        OperationKind::Auth if content => Deed::AuthenticationWithContent,
        OperationKind::Auth => Deed::Authentication,
    }
}

/// What is asked, as the operation keeps it until it is redeemed.
pub(super) fn stored(ask: &Ask) -> Result<String, ContextFault> {
    // An ask of strings and bytes always has a JSON form.
    let text = serde_json::to_string(ask).unwrap_or_default();
    if text.len() > CONTEXT_LIMIT {
        return Err(ContextFault { member: "context", reason: "longer than 8 KiB" });
    }
    Ok(text)
}

impl DispatchResult {
    /// As the documents name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DispatchError => "dispatchError",
            Self::DispatchTargetExpired => "dispatchTargetExpired",
            Self::DispatchTargetNotFound => "dispatchTargetNotFound",
            Self::DispatcherNotFound => "dispatcherNotFound",
            Self::UserNotFound => "userNotFound",
            Self::InternalError => "internalError",
        }
    }
}

impl From<ContextFault> for TokenFault {
    fn from(fault: ContextFault) -> Self {
        Self::Malformed { member: fault.member, reason: fault.reason }
    }
}

impl From<DispatchFailure> for DispatchResult {
    fn from(failure: DispatchFailure) -> Self {
        match failure {
            DispatchFailure::Failed => Self::DispatchError,
            DispatchFailure::TargetExpired => Self::DispatchTargetExpired,
            DispatchFailure::Internal => Self::InternalError,
        }
    }
}
