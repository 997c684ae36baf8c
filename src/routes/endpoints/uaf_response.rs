//! POST `/nevisfido/uaf/1.1/registration` and `…/authentication` (`http-api.md` 6). No answer here makes a session.

use std::sync::Arc;

use async_trait::async_trait;
use sidegate_filters::{Exchange, Problem, Reply};
use sidegate_uaf::StatusCode;
use sidegate_uaf::wire::{SendUafResponse, ServerResponse};

use super::answers::{Outcome, fido_uaf, reply, to_the_end};
use super::asker::asker;
use super::body::read;
use super::problems::UafFault;
use crate::fido::{AnswerAt, Arrival, Fido, check_device};
use crate::routes::{Endpoint, Media, Medium};

/// Takes UAF answers outside the login endpoints.
pub struct UafResponseEndpoint {
    fido: Arc<dyn Fido>,
    at: AnswerAt,
}

impl UafResponseEndpoint {
    /// For registrations.
    #[must_use]
    pub fn registration(fido: Arc<dyn Fido>) -> Self {
        Self { fido, at: AnswerAt::Registration }
    }

    /// For authentications.
    #[must_use]
    pub fn authentication(fido: Arc<dyn Fido>) -> Self {
        Self { fido, at: AnswerAt::Authentication }
    }

    async fn take(&self, exchange: &Exchange) -> Outcome {
        let answer = read::<SendUafResponse>(exchange)?;
        if self.at == AnswerAt::Registration {
            check_device(answer.context.as_deref()).map_err(|fault| Problem::bad_request(fault.to_string()))?;
        }
        let (fido, at, from) = (Arc::clone(&self.fido), self.at, asker(exchange, false).network());
        let judge = async move {
            let (uaf_response, context) = (answer.uaf_response.as_str(), answer.context.as_deref());
            fido.open(&Arrival { at, uaf_response, context, from }).take().await
        };
        let judged = to_the_end(judge).await?;
        match judged.map_err(Into::into) {
            Ok(_) => Ok(fido_uaf(&ServerResponse::of(StatusCode::OK))),
            Err(UafFault::Code(code)) => Ok(fido_uaf(&ServerResponse::of(code))),
            Err(UafFault::Problem(problem)) => Err(problem),
        }
    }
}

#[async_trait]
impl Endpoint for UafResponseEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[Medium::FidoUaf], gives: &[Medium::FidoUaf] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.take(&exchange).await)
    }
}
