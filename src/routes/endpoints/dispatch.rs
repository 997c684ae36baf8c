//! POST `/nevisfido/token/dispatch/{operation}` (`http-api.md` 2).

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sidegate_filters::{Exchange, Problem, Reply};
use sidegate_uaf::wire::GetUafRequest;

use super::answers::{Outcome, json, reply};
use super::asker::asker;
use super::body::read;
use super::problems;
use super::uaf_request::check_operation;
use crate::dispatchers::DispatchData;
use crate::oob::{DispatchAnswer, DispatchRequest, Tokens};
use crate::routes::{Endpoint, Media, Medium};
use crate::store::operation::OperationKind;

/// Dispatches tokens for one operation.
pub struct DispatchEndpoint {
    tokens: Arc<Tokens>,
    kind: OperationKind,
    anonymous_content: bool,
}

impl DispatchEndpoint {
    /// The endpoint for `kind`; `anonymous_content` lets anybody put words before a user's eyes (`http-api.md` 0.3).
    #[must_use]
    pub fn new(tokens: Arc<Tokens>, kind: OperationKind, anonymous_content: bool) -> Self {
        Self { tokens, kind, anonymous_content }
    }

    async fn dispatch(&self, exchange: &Exchange) -> Outcome {
        let request = read::<Body>(exchange)?.into_request(self.kind)?;
        let asker = asker(exchange, self.anonymous_content);
        let answer = self.tokens.dispatch(&asker, &request).await.map_err(|fault| problems::token(&fault))?;
        Ok(json(StatusCode::OK, &Answer::from(&answer)))
    }
}

#[async_trait]
impl Endpoint for DispatchEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[Medium::Json], gives: &[Medium::Json] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.dispatch(&exchange).await)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    dispatcher: Option<String>,
    dispatch_target_id: Option<String>,
    dispatch_information: Option<Information>,
    get_uaf_request: GetUafRequest,
    number_matching: Option<bool>,
}

#[derive(Deserialize, Default)]
struct Information {
    data: Option<Map<String, Value>>,
    notification: Option<Map<String, Value>>,
}

impl Body {
    fn into_request(self, kind: OperationKind) -> Result<DispatchRequest, Problem> {
        check_operation(&self.get_uaf_request, kind, "getUafRequest.op")?;
        if self.number_matching == Some(true) {
            return Err(Problem::bad_request(
                "numberMatching: only a push can ask for the number, a link shows it to itself",
            ));
        }
        let Information { data, notification } = self.dispatch_information.unwrap_or_default();
        let data = DispatchData::new(data.unwrap_or_default())
            .map_err(|fault| Problem::bad_request(format!("dispatchInformation.data: {fault}")))?;
        Ok(DispatchRequest {
            kind,
            dispatcher: self.dispatcher,
            target: self.dispatch_target_id,
            data,
            notification: notification.is_some_and(|texts| !texts.is_empty()),
            context: self.get_uaf_request.context,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<zeroize::Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    dispatch_result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dispatcher_information: Option<DispatcherInformation<'a>>,
}

#[derive(Serialize)]
struct DispatcherInformation<'a> {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<&'a str>,
}

impl<'a> From<&'a DispatchAnswer> for Answer<'a> {
    fn from(answer: &'a DispatchAnswer) -> Self {
        match answer {
            DispatchAnswer::Dispatched { token, session_id, dispatcher, response } => Self {
                token: Some(token.expose()),
                session_id: Some(session_id.to_string()),
                dispatch_result: "dispatched",
                dispatcher_information: Some(DispatcherInformation { name: dispatcher, response: response.as_deref() }),
            },
            DispatchAnswer::Not(result) => {
                Self { token: None, session_id: None, dispatch_result: result.name(), dispatcher_information: None }
            }
        }
    }
}
