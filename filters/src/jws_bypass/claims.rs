//! What a modify request says.

use std::fmt;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::clock::Millis;
use crate::jws::json::{self, JsonError};

/// What a modify request asks to change; absent members stay as they are.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TargetChange {
    /// The new name.
    pub name: Option<String>,
    /// The new push token: whoever knows it can push to the phone.
    pub target: Option<Zeroizing<String>>,
    /// The new default dispatcher.
    pub dispatcher: Option<String>,
}

impl TargetChange {
    pub(super) fn is_empty(&self) -> bool {
        self.name.is_none() && self.target.is_none() && self.dispatcher.is_none()
    }
}

impl fmt::Debug for TargetChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TargetChange")
            .field("name", &self.name)
            .field("target", &self.target.as_ref().map(|_| "…"))
            .field("dispatcher", &self.dispatcher)
            .finish()
    }
}

/// Why a payload is no modify request (row 3).
#[derive(Debug, thiserror::Error)]
pub(super) enum ClaimsError {
    #[error("the payload is {0}")]
    Json(#[from] JsonError),
    #[error("the payload lacks {0}")]
    Missing(&'static str),
    #[error("{0} in the payload must be a string")]
    NotText(&'static str),
    #[error("requestId in the payload must have 1 to 64 characters")]
    RequestId,
    #[error("creationTimeInEpochMillis in the payload must be an integer")]
    CreationTime,
}

/// The claims of `http-api.md` 1.1, in their types. Whether they are signed depends on where the bytes came from.
pub(super) struct ModifyClaims {
    pub(super) target_id: Option<String>,
    pub(super) request_id: String,
    pub(super) created: Millis,
    pub(super) change: TargetChange,
}

impl ModifyClaims {
    pub(super) fn parse(payload: &[u8]) -> Result<Self, ClaimsError> {
        let members = json::object(payload)?;
        let request_id = text(&members, "requestId")?.ok_or(ClaimsError::Missing("requestId"))?;
        if !(1..=64).contains(&request_id.chars().count()) {
            return Err(ClaimsError::RequestId);
        }
        let created = members.get("creationTimeInEpochMillis");
        let created = created.ok_or(ClaimsError::Missing("creationTimeInEpochMillis"))?;
        Ok(Self {
            target_id: text(&members, "dispatchTargetId")?,
            request_id,
            created: Millis(created.as_i64().ok_or(ClaimsError::CreationTime)?),
            change: TargetChange {
                name: text(&members, "name")?,
                target: text(&members, "target")?.map(Zeroizing::new),
                dispatcher: text(&members, "dispatcher")?,
            },
        })
    }
}

fn text(members: &Map<String, Value>, name: &'static str) -> Result<Option<String>, ClaimsError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ClaimsError::NotText(name)),
    }
}
