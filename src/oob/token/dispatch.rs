//! The dispatch itself (`http-api.md` 2): user, target, dispatcher, then the operation, then the sending.

use std::sync::Arc;

use super::{
    ActingFor, Asker, Beginning, Context, DispatchAnswer, DispatchRequest, DispatchResult, DispatchToken, Named,
    NotPermitted, TokenFault, Tokens, deed,
};
use crate::dispatchers::{Dispatcher, Order, Recipient, Rendered};
use crate::store::operation::Dispatch;
use crate::store::{StoreError, Target};
use crate::telemetry::audit::{self, Event};

/// A dispatch that ends early: with a result of its own, or with a fault.
pub(super) enum Early {
    Result(DispatchResult),
    Fault(TokenFault),
}

impl Tokens {
    /// Makes a token and dispatches it.
    ///
    /// # Errors
    /// When it was no request, or the caller may not; a dispatch that does not work is no error.
    pub async fn dispatch(&self, asker: &Asker<'_>, request: &DispatchRequest) -> Result<DispatchAnswer, TokenFault> {
        self.told(request, self.try_dispatch(asker, request).await)
    }

    /// A dispatch that did not work is on record, and an answer.
    pub(super) fn told(
        &self,
        request: &DispatchRequest,
        dispatched: Result<DispatchAnswer, Early>,
    ) -> Result<DispatchAnswer, TokenFault> {
        dispatched.or_else(|early| match early {
            Early::Result(result) => {
                let dispatcher = request.dispatcher.as_deref().and_then(|name| self.dispatchers.get(name));
                record(request, dispatcher.map_or("-", |dispatcher| dispatcher.name()), result.name(), None);
                Ok(DispatchAnswer::Not(result))
            }
            Early::Fault(fault) => Err(fault),
        })
    }

    async fn try_dispatch(&self, asker: &Asker<'_>, request: &DispatchRequest) -> Result<DispatchAnswer, Early> {
        if request.dispatcher.is_none() && request.target.is_none() {
            let (member, reason) = ("dispatcher", "name a dispatcher, a dispatchTargetId or both");
            return Err(Early::Fault(TokenFault::Malformed { member, reason }));
        }
        let context = self.understand(request.kind, request.context.as_deref()).map_err(Early::Fault)?;
        let target = self.target(request).await?;
        let permit = self.permit(asker, request, &context, target.as_ref()).await?;
        let target = of_user(request, target, &permit)?;
        let dispatcher = self.dispatcher(request, target.as_ref())?;
        let beginning = self.beginning(request.kind, &permit, &context.ask)?;
        self.bring(asker, request, &beginning, target.as_ref(), dispatcher.as_ref()).await
    }

    async fn target(&self, request: &DispatchRequest) -> Result<Option<Target>, Early> {
        match &request.target {
            None => Ok(None),
            Some(id) => Ok(self.targets.get(id).await?),
        }
    }

    /// A target alone means its owner. Whoever may not act for the owner learns no more than that there is no such
    /// target of theirs.
    async fn permit(
        &self,
        asker: &Asker<'_>,
        request: &DispatchRequest,
        context: &Context,
        target: Option<&Target>,
    ) -> Result<ActingFor, Early> {
        let content = context.ask.has_transaction() || request.notification || !request.data.is_empty();
        let (deed, names_target) = (deed(request.kind, content), request.target.is_some());
        let username = context.username.as_deref();
        let named = match (username, target) {
            (Some(username), _) => Named::Username(username),
            (None, Some(target)) => Named::Owner(&target.owner),
            (None, None) => Named::Nobody,
        };
        self.acting.permit(asker, deed, named).await.map_err(|refusal| match (refusal, named) {
            // The target of a user who was removed is as good as gone.
            (NotPermitted::UnknownUser, Named::Owner(_)) => Early::Result(DispatchResult::DispatchTargetNotFound),
            (NotPermitted::UnknownUser, _) => Early::Result(DispatchResult::UserNotFound),
            (NotPermitted::OtherUser, Named::Owner(_)) => Early::Result(DispatchResult::DispatchTargetNotFound),
            (NotPermitted::Unnamed, _) if names_target => Early::Result(DispatchResult::DispatchTargetNotFound),
            (refusal, _) => Early::Fault(refusal.into()),
        })
    }

    /// An explicit dispatcher wins over the target's.
    pub(super) fn dispatcher(
        &self,
        request: &DispatchRequest,
        target: Option<&Target>,
    ) -> Result<Arc<dyn Dispatcher>, Early> {
        let named = request.dispatcher.as_deref().or(target.map(|target| target.dispatcher.as_str()));
        let found = named.and_then(|name| self.dispatchers.get(name)).cloned();
        let dispatcher = found.ok_or(Early::Result(DispatchResult::DispatcherNotFound))?;
        if dispatcher.needs_target() && target.is_none() {
            return Err(Early::Result(DispatchResult::DispatchTargetNotFound));
        }
        Ok(dispatcher)
    }

    pub(super) async fn bring(
        &self,
        asker: &Asker<'_>,
        request: &DispatchRequest,
        beginning: &Beginning<'_>,
        target: Option<&Target>,
        dispatcher: &dyn Dispatcher,
    ) -> Result<DispatchAnswer, Early> {
        let token = DispatchToken::random();
        let rendered = self.render(request, &token, target, dispatcher)?;
        let dispatch = Dispatch {
            target: target.map(|target| target.id.clone()),
            dispatcher: dispatcher.name().to_owned(),
            response: rendered.response.clone().filter(|_| self.settings.status_response),
        };
        let operation = self.operation(&token, beginning, Some(dispatch)).map_err(internal)?;
        let id = operation.id;
        self.operations.create(operation, &asker.origin()).await?;
        if let Err(failure) = dispatcher.send(&rendered).await {
            self.operations.discard(id).await?;
            return Err(Early::Result(failure.into()));
        }
        audit::about(id.in_log().as_deref());
        record(request, dispatcher.name(), "dispatched", beginning.permit.audited());
        Ok(DispatchAnswer::Dispatched {
            token,
            session_id: id,
            dispatcher: dispatcher.name(),
            response: rendered.response,
        })
    }

    pub(super) fn render(
        &self,
        request: &DispatchRequest,
        token: &DispatchToken,
        target: Option<&Target>,
        dispatcher: &dyn Dispatcher,
    ) -> Result<Rendered, Early> {
        let recipient = target.map(|target| self.recipients.key(target)).transpose().map_err(internal)?;
        let order = Order {
            kind: request.kind,
            token: &token.expose(),
            data: &request.data,
            recipient: recipient.map(|key| Recipient { key }),
        };
        dispatcher.render(&order).map_err(|failure| Early::Result(failure.into()))
    }
}

/// The target that was named, if it is the user's.
fn of_user(request: &DispatchRequest, target: Option<Target>, permit: &ActingFor) -> Result<Option<Target>, Early> {
    if request.target.is_none() {
        return Ok(None);
    }
    let owner = permit.user().map(|user| &user.ext_id);
    match target {
        Some(target) if owner == Some(&target.owner) => Ok(Some(target)),
        _ => Err(Early::Result(DispatchResult::DispatchTargetNotFound)),
    }
}

/// A target is named only where it is known to be the user's: another text of the client's could be anything.
fn record(request: &DispatchRequest, dispatcher: &str, result: &'static str, user: Option<&str>) {
    let target = request.target.as_deref().filter(|_| user.is_some());
    Event::Dispatch { operation: request.kind.word(), dispatcher, result, user, target }.record();
}

fn internal(error: impl std::fmt::Display) -> Early {
    tracing::error!(%error, "a token could not be dispatched");
    Early::Result(DispatchResult::InternalError)
}

impl From<StoreError> for Early {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<crate::fido::ContextFault> for Early {
    fn from(fault: crate::fido::ContextFault) -> Self {
        Self::Fault(fault.into())
    }
}
