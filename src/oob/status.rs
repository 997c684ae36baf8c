//! The status service (`http-api.md` 5). The session id is the credential.

use std::sync::Arc;

use serde::Serialize;
use sidegate_filters::clock::{Clock, Millis};
use uuid::Uuid;

use crate::store::operation::{Authenticator, Stage, Status, TokenInformation, TokenResult};
use crate::store::{OperationId, Operations, StoreError};

/// An operation as its relying party sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusView {
    status: &'static str,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uaf_status_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asm_status_code: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_error_code: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authenticators: Vec<Authenticator>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_information: Option<TokenView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenView {
    #[serde(skip_serializing_if = "Option::is_none")]
    dispatch_target_ext_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_result: Option<TokenResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dispatcher_information: Option<DispatcherView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct DispatcherView {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<String>,
}

/// The status service. Events, long-poll and cancel will stand beside [`Statuses::view`].
pub struct Statuses {
    /// Where operations are kept.
    pub operations: Arc<dyn Operations>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whether a user is named only once an answer has proved who it was: where an upstream judges answers
    /// (`http-api.md` 5, "Hybrid").
    pub proven_only: bool,
}

impl Statuses {
    /// Where the operation of this session id stands; any other text is `unknown`.
    ///
    /// # Errors
    /// When the store can't be asked.
    pub async fn view(&self, session_id: &str) -> Result<StatusView, StoreError> {
        let now = self.clock.now();
        let operation = match Uuid::try_parse(session_id) {
            Ok(id) => self.operations.get(OperationId(id)).await?,
            Err(_) => None,
        };
        let status = operation.and_then(|operation| operation.status(now)).map(|status| self.shown(status));
        Ok(status.map_or_else(|| StatusView::unknown(now), Into::into))
    }

    fn shown(&self, status: Status) -> Status {
        let proven = !self.proven_only || status.stage == Stage::Succeeded;
        Status { user: status.user.filter(|_| proven), ..status }
    }
}

impl StatusView {
    fn unknown(now: Millis) -> Self {
        Self {
            status: "unknown",
            timestamp: rfc3339(now),
            user_id: None,
            uaf_status_code: None,
            asm_status_code: None,
            client_error_code: None,
            authenticators: Vec::new(),
            token_information: None,
        }
    }
}

impl From<Status> for StatusView {
    fn from(status: Status) -> Self {
        Self {
            status: name(status.stage),
            timestamp: rfc3339(status.timestamp),
            user_id: status.user.map(|user| user.to_string()),
            uaf_status_code: status.uaf_status_code,
            asm_status_code: status.asm_status_code,
            client_error_code: status.client_error_code,
            authenticators: status.authenticators,
            token_information: status.token.map(Into::into),
        }
    }
}

impl From<TokenInformation> for TokenView {
    fn from(token: TokenInformation) -> Self {
        let (target, dispatcher) = match token.dispatch {
            None => (None, None),
            Some(dispatch) => {
                (dispatch.target, Some(DispatcherView { name: dispatch.dispatcher, response: dispatch.response }))
            }
        };
        Self { dispatch_target_ext_id: target, token_result: token.result, dispatcher_information: dispatcher }
    }
}

fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::TokenCreated => "tokenCreated",
        Stage::ClientRegistering => "clientRegistering",
        Stage::ClientAuthenticating => "clientAuthenticating",
        Stage::Succeeded => "succeeded",
        Stage::Failed => "failed",
    }
}

/// RFC 3339 with milliseconds, in UTC.
pub(crate) fn rfc3339(moment: Millis) -> String {
    jiff::Timestamp::from_millisecond(moment.0).map(|time| format!("{time:.3}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_have_milliseconds_and_z() {
        assert_eq!(rfc3339(Millis(1_795_305_600_000)), "2026-11-22T00:00:00.000Z");
        assert_eq!(rfc3339(Millis(1_795_305_600_042)), "2026-11-22T00:00:00.042Z");
    }
}
