//! Answers of authenticators.

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde_json::Value;

use super::Operation;
use crate::identity::Caller;
use crate::jws::json;
use crate::reason::Reason;
use crate::reply::{Problem, Reply};
use crate::uaf_body::{BodyFilter, Members};

/// What a reader might go by in place of `uafResponse`.
const NOT_BESIDE_ANSWERS: &[&str] = &["getUafRequest", "op", "operation", "sendUafResponse", "uafProtocolMessage"];

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

    /// Whether a text is an array of messages of the operation, however it is read.
    fn is_of(self, text: &str) -> bool {
        let Ok(Value::Array(messages)) = json::value(text.as_bytes()) else { return false };
        !messages.is_empty() && messages.into_iter().all(|message| self.bears(message).unwrap_or(false))
    }

    fn bears(self, message: Value) -> Result<bool, Problem> {
        let Some(mut message) = Members::of(message) else { return Ok(false) };
        let Some(header) = message.take("header")? else { return Ok(false) };
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

impl BodyFilter for UafAnswerFilter {
    const NAME: &'static str = "uaf-answer";

    fn settings(&self) -> String {
        format!("op {}", self.operation)
    }

    fn check(&self, _: &Caller, body: &[u8]) -> Result<(), Reply> {
        let body = Members::of_body(body)?;
        body.refuse(NOT_BESIDE_ANSWERS)?;
        let message = body.text("uafResponse")?;
        let message = message.ok_or_else(|| Problem::bad_request("uafResponse: missing"))?;
        if self.is_of(message.text) { Ok(()) } else { Err(Reply::refusal(not_uaf(), Reason::OtherOperation)) }
    }
}
