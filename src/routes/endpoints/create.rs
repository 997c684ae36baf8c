//! POST `/nevisfido/token/create/{operation}` (`http-api.md` 4).

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use serde::Serialize;
use sidegate_filters::{Exchange, Reply};
use sidegate_uaf::wire::GetUafRequest;

use super::answers::{Outcome, json, reply};
use super::asker::asker;
use super::body::read;
use super::problems;
use super::uaf_request::check_operation;
use crate::oob::Tokens;
use crate::routes::{Endpoint, Media, Medium};
use crate::store::operation::OperationKind;

/// Makes tokens for one operation.
pub struct CreateEndpoint {
    tokens: Arc<Tokens>,
    kind: OperationKind,
    anonymous_content: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    token: zeroize::Zeroizing<String>,
    session_id: String,
}

impl CreateEndpoint {
    /// The endpoint for `kind`; `anonymous_content` as for a dispatch.
    #[must_use]
    pub fn new(tokens: Arc<Tokens>, kind: OperationKind, anonymous_content: bool) -> Self {
        Self { tokens, kind, anonymous_content }
    }

    async fn create(&self, exchange: &Exchange) -> Outcome {
        let request = read::<GetUafRequest>(exchange)?;
        check_operation(&request, self.kind, "op")?;
        let asker = asker(exchange, self.anonymous_content);
        let created = self.tokens.create(&asker, self.kind, request.context.as_deref()).await;
        let (token, id) = created.map_err(|fault| problems::token(&fault))?;
        Ok(json(StatusCode::OK, &Answer { token: token.expose(), session_id: id.to_string() }))
    }
}

#[async_trait]
impl Endpoint for CreateEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[Medium::FidoUaf], gives: &[Medium::Json] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.create(&exchange).await)
    }
}
