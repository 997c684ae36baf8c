//! The token of a login that a browser asks for and a phone approves (`gateway.md` 3.1).

use sidegate_filters::identity_creation::SessionDomain;

use super::{
    ActingFor, Asker, Beginning, Context, Deed, DispatchAnswer, DispatchRequest, DispatchToken, Named, OperationId,
    TokenFault, Tokens,
};
use crate::dispatchers::DispatchData;
use crate::jose::CryptoError;
use crate::store::operation::{Era, OperationKind, Purpose};

impl Tokens {
    /// Whom a login of a browser to a domain is for: who is called so, else whose session it has there.
    ///
    /// # Errors
    /// Why for nobody.
    pub async fn permit_login(
        &self,
        asker: &Asker<'_>,
        name: Option<&str>,
        domain: &SessionDomain,
    ) -> Result<ActingFor, TokenFault> {
        let acting = self.acting.clone().logging_in(domain.clone());
        // Without a name it is the asker's own affair.
        let (deed, named) =
            name.map_or((Deed::Own, Named::Nobody), |name| (Deed::Authentication, Named::Username(name)));
        Ok(acting.permit(asker, deed, named).await?)
    }

    /// Makes the token of a login that was permitted, in this era of its user, and dispatches it.
    ///
    /// # Errors
    /// When a store failed; a dispatch that does not work is no error.
    pub async fn log_in(
        &self,
        asker: &Asker<'_>,
        permit: &ActingFor,
        era: Era,
        dispatcher: &str,
    ) -> Result<DispatchAnswer, TokenFault> {
        let request = by(dispatcher);
        let Context { ask, .. } = self.understand(request.kind, None)?;
        let (purpose, login) = (Purpose::BrowserLogin, Some(era));
        let beginning = Beginning { purpose, login, ..self.beginning(request.kind, permit, &ask)? };
        let dispatched = match self.dispatcher(&request, None) {
            Ok(dispatcher) => self.bring(asker, &request, &beginning, None, dispatcher.as_ref()).await,
            Err(early) => Err(early),
        };
        self.told(&request, dispatched)
    }

    /// The operation of a token, whether there is one or not.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn operation_of(&self, token: &DispatchToken) -> Result<OperationId, CryptoError> {
        self.key.operation(token)
    }

    /// What [`Tokens::log_in`] answered beside this token: it is stored nowhere, so it is made once more.
    #[must_use]
    pub fn shown(&self, token: &DispatchToken, dispatcher: &str) -> Option<String> {
        let request = by(dispatcher);
        let dispatcher = self.dispatchers.get(dispatcher)?;
        self.render(&request, token, None, dispatcher.as_ref()).ok()?.response
    }
}

/// An authentication without words of anybody.
fn by(dispatcher: &str) -> DispatchRequest {
    DispatchRequest {
        kind: OperationKind::Auth,
        dispatcher: Some(dispatcher.to_owned()),
        target: None,
        data: DispatchData::default(),
        notification: false,
        context: None,
    }
}
