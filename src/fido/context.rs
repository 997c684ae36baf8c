//! What the `context` of a GetUAFRequest asks for: a string holding JSON (`http-api.md` 6).

mod ask;
mod device;

use serde::Deserialize;
use sidegate_uaf::transaction::check_renderings;
use sidegate_uaf::wire::{Operation, Transaction};
use sidegate_uaf::{Aaid, KeyId, KeyRef};

use super::renderings::Rendering;

pub use ask::{Ask, Scope};
pub use device::check_device;

/// The longest context, in bytes (`http-api.md` 0.5).
const MAX_CONTEXT: usize = crate::store::operation::CONTEXT_LIMIT;
/// The policy for requests that name none.
pub(super) const DEFAULT_POLICY: &str = "default";

/// A context that can't be served: HTTP 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {reason}")]
pub struct ContextFault {
    /// The member at fault, with its path.
    pub member: &'static str,
    /// What is wrong with it; never its value.
    pub reason: &'static str,
}

/// A context as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Whom the operation is for.
    pub username: Option<String>,
    /// What is asked.
    pub ask: Ask,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Members {
    username: Option<String>,
    policy: Option<String>,
    transaction: Option<Vec<Rendering>>,
    mode: Option<String>,
    aaid: Option<String>,
    #[serde(alias = "keyID")]
    key_id: Option<String>,
}

impl Context {
    /// Reads the context of a request for `operation`; an absent one asks for what the operation does by default.
    ///
    /// # Errors
    /// The member that can't be served: nothing is ever ignored that would change what the user confirms.
    pub fn parse(operation: Operation, text: Option<&str>) -> Result<Self, ContextFault> {
        let text = text.unwrap_or("{}");
        if text.len() > MAX_CONTEXT {
            return Err(fault("context", "longer than 8 KiB"));
        }
        let members = members(text)?;
        if members.transaction.is_some() && operation != Operation::Auth {
            return Err(fault("context.transaction", "only an authentication confirms a transaction"));
        }
        let ask = match operation {
            Operation::Reg => Ask::Registration { policy: policy(members.policy) },
            Operation::Auth => {
                Ask::Authentication { policy: policy(members.policy), transaction: transaction(members.transaction)? }
            }
            Operation::Dereg => Ask::Deregistration(scope(members.mode, members.aaid, members.key_id)?),
        };
        Ok(Self { username: members.username, ask })
    }
}

fn fault(member: &'static str, reason: &'static str) -> ContextFault {
    ContextFault { member, reason }
}

fn members(text: &str) -> Result<Members, ContextFault> {
    let object = sidegate_filters::jws::json::object(text.as_bytes())
        .map_err(|_| fault("context", "not a JSON object, or a member occurs twice"))?;
    let value = serde_json::Value::Object(object);
    serde_path_to_error::deserialize(value).map_err(|error| {
        let member = match error.path().iter().next().map(ToString::to_string).as_deref() {
            Some("username") => "context.username",
            Some("policy") => "context.policy",
            Some("transaction") => "context.transaction",
            Some("mode") => "context.mode",
            Some("aaid") => "context.aaid",
            Some("keyId" | "keyID") => "context.keyId",
            _ => "context",
        };
        fault(member, "of the wrong type")
    })
}

fn policy(name: Option<String>) -> String {
    name.unwrap_or_else(|| DEFAULT_POLICY.to_owned())
}

fn transaction(renderings: Option<Vec<Rendering>>) -> Result<Vec<Transaction>, ContextFault> {
    match renderings {
        None => Ok(Vec::new()),
        Some(list) if list.is_empty() => Err(fault("context.transaction", "an empty list")),
        Some(list) => {
            let list: Vec<_> = list.iter().map(Rendering::read).collect::<Result<_, _>>()?;
            check_renderings(&list)
                .map_err(|_| fault("context.transaction", "more than one text, or two pictures of one size"))?;
            Ok(list)
        }
    }
}

fn scope(mode: Option<String>, aaid: Option<String>, key_id: Option<String>) -> Result<Scope, ContextFault> {
    let model = || -> Result<Aaid, ContextFault> {
        let text = aaid.as_deref().ok_or(fault("context.aaid", "this mode needs it"))?;
        text.parse().map_err(|_| fault("context.aaid", "not an AAID (four hexadecimal digits, #, four more)"))
    };
    // What names less than the mode removes is a mistake: all that is named goes, and nothing else.
    match (mode.as_deref(), &aaid, &key_id) {
        (None | Some("username"), Some(_), _) => Err(fault(
            "context.aaid",
            "without a mode, or with username, all keys go: write mode aaid, or key with keyId",
        )),
        (None | Some("username"), None, Some(_)) => {
            Err(fault("context.keyId", "without a mode, or with username, all keys go: write mode key, with aaid"))
        }
        (None | Some("username"), None, None) => Ok(Scope::User),
        (Some("aaid"), _, Some(_)) => Err(fault("context.keyId", "all keys of the model go: write mode key for one")),
        (Some("aaid"), _, None) => Ok(Scope::Model(model()?)),
        (Some("key"), _, _) => {
            let text = key_id.as_deref().ok_or(fault("context.keyId", "this mode needs it"))?;
            let key_id = KeyId::from_base64url(text)
                .map_err(|_| fault("context.keyId", "not base64url without padding of 32 to 2048 bytes"))?;
            Ok(Scope::Key(KeyRef { aaid: model()?, key_id }))
        }
        (Some(_), _, _) => Err(fault("context.mode", "not one of username, aaid, key")),
    }
}

#[cfg(test)]
mod tests;
