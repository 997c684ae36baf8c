//! Answers of authenticators.

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde_json::Value;

use super::Operation;
use crate::exchange::Exchange;
use crate::filter::{Filter, FilterError, Verdict};
use crate::jws::json;
use crate::reply::{Problem, Reply};
use crate::uaf_body::{self, Members};

/// The filter `uaf-answer`: the head of the UAF message in `uafResponse` bears the row's operation.
#[derive(Debug, Clone, Copy)]
pub struct UafAnswerFilter {
    operation: Operation,
}

impl UafAnswerFilter {
    /// For a row that takes answers of this operation.
    #[must_use]
    pub fn new(operation: Operation) -> Self {
        Self { operation }
    }

    fn check(self, body: &[u8]) -> Result<(), Reply> {
        let body = Members::of_body(body)?;
        let message = body.text("uafResponse")?;
        let message = message.ok_or_else(|| Problem::bad_request("uafResponse: missing"))?;
        if self.is_of(message.text) { Ok(()) } else { Err(Reply::Response(not_uaf())) }
    }

    /// Whether a text is an array of messages of the operation, however it is read.
    fn is_of(self, text: &str) -> bool {
        let Ok(Value::Array(messages)) = json::value(text.as_bytes()) else { return false };
        !messages.is_empty() && messages.into_iter().all(|message| self.bears(message).unwrap_or(false))
    }

    fn bears(self, message: Value) -> Result<bool, Problem> {
        let Some(header) = Members::of(message).map(|message| message.object("header")).transpose()?.flatten() else {
            return Ok(false);
        };
        Ok(header.text("op")?.is_some_and(|op| self.operation.is(op.text)))
    }
}

/// What our own endpoint answers to a message that is none of its operation (`http-api.md` 0.1).
fn not_uaf() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(br#"{"statusCode":1400}"#));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/fido+uaf;charset=UTF-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[async_trait]
impl Filter for UafAnswerFilter {
    fn name(&self) -> &'static str {
        "uaf-answer"
    }

    fn settings(&self) -> String {
        format!("op {}", self.operation)
    }

    fn body_limit(&self) -> Option<usize> {
        Some(uaf_body::LIMIT)
    }

    fn before_body(&self, exchange: &Exchange) -> Verdict {
        uaf_body::check_head(exchange).map_or_else(|problem| Verdict::Answer(problem.into()), |()| Verdict::Pass)
    }

    async fn request(&self, exchange: &mut Exchange) -> Result<Verdict, FilterError> {
        let body = exchange.body.as_deref();
        let body = body.ok_or_else(|| FilterError::Internal("uaf-answer was given no body".to_owned()))?;
        Ok(self.check(body).map_or_else(Verdict::Answer, |()| Verdict::Pass))
    }
}
