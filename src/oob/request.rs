//! UAF requests without a token (`http-api.md` 6 and 7): in-band operations, whose request goes to whoever asks.

use std::sync::Arc;

use sidegate_filters::clock::Clock;

use super::token::{deed, purpose};
use super::{Acting, ActingFor, Asker, Deed, Named, TokenFault};
use crate::fido::{Ask, Commission, Context, Fido, FidoError, UafRequest, uaf_operation};
use crate::store::operation::{Draft, Limits, Operation, OperationKind, Purpose, Room};
use crate::store::{Growth, OperationId, Operations};

/// No request was handed out.
#[derive(Debug, thiserror::Error)]
pub enum NotRequested {
    /// The request can't be served, or the caller may not.
    #[error(transparent)]
    Token(#[from] TokenFault),
    /// The UAF server has none.
    #[error(transparent)]
    Fido(#[from] FidoError),
}

/// The services that answer with a UAF request.
pub struct Requests {
    /// Where operations are kept.
    pub operations: Arc<dyn Operations>,
    /// Who acts for whom.
    pub acting: Acting,
    /// The UAF server.
    pub fido: Arc<dyn Fido>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Time limits of operations.
    pub limits: Limits,
}

impl Requests {
    /// A request for an operation that never makes a session.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn request(
        &self,
        asker: &Asker<'_>,
        kind: OperationKind,
        context: Option<&str>,
    ) -> Result<UafRequest, NotRequested> {
        let Context { username, ask } = Context::parse(uaf_operation(kind), context).map_err(TokenFault::from)?;
        self.fido.check(&ask).map_err(TokenFault::from)?;
        let permit = self.permit(asker, deed(kind, ask.has_transaction()), username.as_deref()).await?;
        match (&ask, permit.user()) {
            (Ask::Deregistration(scope), Some(user)) => Ok(self.fido.deregister(user, scope, asker.network()).await?),
            _ => self.hand_out(asker, &permit, purpose(&ask), &ask).await,
        }
    }

    /// A request for a login: only its answer makes a session.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn login(&self, asker: &Asker<'_>, username: Option<&str>) -> Result<UafRequest, NotRequested> {
        let Context { ask, .. } = Context::parse(uaf_operation(OperationKind::Auth), None).map_err(TokenFault::from)?;
        let permit = self.permit(asker, Deed::Authentication, username).await?;
        self.hand_out(asker, &permit, Purpose::InBandLogin, &ask).await
    }

    async fn permit(&self, asker: &Asker<'_>, deed: Deed, username: Option<&str>) -> Result<ActingFor, TokenFault> {
        let named = username.map_or(Named::Nobody, Named::Username);
        Ok(self.acting.permit(asker, deed, named).await?)
    }

    async fn hand_out(
        &self,
        asker: &Asker<'_>,
        permit: &ActingFor,
        purpose: Purpose,
        ask: &Ask,
    ) -> Result<UafRequest, NotRequested> {
        let (id, user, origin) = (OperationId::random(), permit.user().cloned(), asker.origin());
        let from = asker.network();
        let stranger = permit.stranger().map(str::to_owned);
        let hidden_from = stranger.as_deref();
        let (user_asked, growth) = (user.clone(), Growth::Bounded);
        let commission = Commission { id, purpose, user: user_asked, hidden_from, ask, origin: &origin, growth, from };
        let (request, challenge) = self.fido.request(&commission).await?;
        let kind = if matches!(ask, Ask::Registration { .. }) { OperationKind::Reg } else { OperationKind::Auth };
        let user = user.map(|user| user.ext_id);
        // The context is for a redeem, and there is none to come.
        let (warrant, context) = (permit.warrant(), String::new());
        let (dispatch, room) = (None, Room::default());
        let draft = Draft { id, purpose, kind, user, stranger, warrant, context, dispatch, room };
        let operation = Operation::handed_out(draft, challenge.clone(), self.limits, self.clock.now());
        let created = self.operations.create(operation, &origin).await;
        if created.is_err() {
            self.fido.withdraw(&challenge).await;
        }
        created.map_err(TokenFault::from)?;
        Ok(request)
    }
}
