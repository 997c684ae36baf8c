//! POST `/nevisfido/uaf/1.1/request/{operation}` (`http-api.md` 6).

use std::sync::Arc;

use async_trait::async_trait;
use sidegate_filters::{Exchange, Problem, Reply};
use sidegate_uaf::wire::{GetUafRequest, ReturnUafRequest};

use super::answers::{Outcome, fido_uaf, reply};
use super::asker::asker;
use super::body::read;
use super::problems::UafFault;
use crate::fido::{UafRequest, uaf_operation};
use crate::oob::Requests;
use crate::routes::{Endpoint, Media, Medium};
use crate::store::operation::OperationKind;

/// Hands out UAF requests for one operation.
pub struct UafRequestEndpoint {
    requests: Arc<Requests>,
    kind: OperationKind,
    anonymous_content: bool,
}

impl UafRequestEndpoint {
    /// The endpoint for `kind`; `anonymous_content` as for a dispatch.
    #[must_use]
    pub fn new(requests: Arc<Requests>, kind: OperationKind, anonymous_content: bool) -> Self {
        Self { requests, kind, anonymous_content }
    }

    async fn request(&self, exchange: &Exchange) -> Outcome {
        let request = read::<GetUafRequest>(exchange)?;
        check_operation(&request, self.kind, "op")?;
        let asker = asker(exchange, self.anonymous_content);
        handed_out(self.requests.request(&asker, self.kind, request.context.as_deref()).await)
    }
}

#[async_trait]
impl Endpoint for UafRequestEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[Medium::FidoUaf], gives: &[Medium::FidoUaf] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.request(&exchange).await)
    }
}

/// `op` may be absent, since the path says it; where it is there it has to say the same.
pub(super) fn check_operation(request: &GetUafRequest, kind: OperationKind, member: &str) -> Result<(), Problem> {
    match request.op {
        Some(operation) if operation != uaf_operation(kind) => {
            Err(Problem::bad_request(format!("{member}: another operation than the path's")))
        }
        _ => Ok(()),
    }
}

/// ReturnUAFRequest: the request, or the code that says why there is none.
pub(super) fn handed_out(result: Result<UafRequest, impl Into<UafFault>>) -> Outcome {
    match result.map_err(Into::into) {
        Ok(request) => Ok(fido_uaf(&request.into_reply())),
        Err(UafFault::Code(status_code)) => {
            Ok(fido_uaf(&ReturnUafRequest { status_code, uaf_request: None, op: None, lifetime_millis: None }))
        }
        Err(UafFault::Problem(problem)) => Err(problem),
    }
}
