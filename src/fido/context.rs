//! What the `context` of a GetUAFRequest asks for: a string holding JSON (`http-api.md` 6).

use serde::{Deserialize, Serialize};
use sidegate_uaf::transaction::check_renderings;
use sidegate_uaf::wire::{Operation, Reply, Transaction};
use sidegate_uaf::{Aaid, KeyId, KeyRef};

use super::renderings::{self, Rendering};

/// The longest context, in bytes (`http-api.md` 0.5).
const MAX_CONTEXT: usize = crate::store::operation::CONTEXT_LIMIT;
/// The longest id and the longest name of a device, in bytes: those of a dispatch target's.
const MAX_DEVICE: usize = 256;
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

/// What a UAF request is to ask of the phone; kept with the operation until its token is redeemed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// A new key.
    Registration {
        /// Name of the policy.
        policy: String,
    },
    /// Proof of a key.
    Authentication {
        /// Name of the policy.
        policy: String,
        /// What to confirm, in one or more renderings; none for a plain authentication.
        #[serde(with = "renderings")]
        transaction: Vec<Transaction>,
    },
    /// The end of keys.
    Deregistration(Scope),
}

/// Which keys a deregistration ends: the context's `mode`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// All keys of the user.
    User,
    /// The user's keys of one model.
    Model(Aaid),
    /// One key of the user.
    Key(KeyRef),
}

impl Ask {
    /// Whether it puts words of the caller before the user's eyes.
    #[must_use]
    pub fn has_transaction(&self) -> bool {
        matches!(self, Self::Authentication { transaction, .. } if !transaction.is_empty())
    }

    /// The policy that it names.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        match self {
            Self::Registration { policy } | Self::Authentication { policy, .. } => Some(policy),
            Self::Deregistration(_) => None,
        }
    }
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

/// Checks what the context of an answer to a registration calls the device, which is kept with its keys.
///
/// # Errors
/// A name that can't be kept. A context that can't be read is no fault here: its answer is refused where it is judged.
pub fn check_device(context: Option<&str>) -> Result<(), ContextFault> {
    let Some(Ok(reply)) = context.map(serde_json::from_str::<Reply>) else { return Ok(()) };
    for (member, text) in [("context.deviceId", reply.device_id), ("context.deviceName", reply.device_name)] {
        let text = text.unwrap_or_default();
        if text.len() > MAX_DEVICE {
            return Err(fault(member, "longer than 256 bytes"));
        }
        if text.chars().any(char::is_control) {
            return Err(fault(member, "has control characters"));
        }
    }
    Ok(())
}

fn scope(mode: Option<String>, aaid: Option<String>, key_id: Option<String>) -> Result<Scope, ContextFault> {
    let model = || -> Result<Aaid, ContextFault> {
        let text = aaid.as_deref().ok_or(fault("context.aaid", "this mode needs it"))?;
        text.parse().map_err(|_| fault("context.aaid", "not an AAID (four hexadecimal digits, #, four more)"))
    };
    match mode.as_deref() {
        None | Some("username") => Ok(Scope::User),
        Some("aaid") => Ok(Scope::Model(model()?)),
        Some("key") => {
            let text = key_id.as_deref().ok_or(fault("context.keyId", "this mode needs it"))?;
            let key_id = KeyId::from_base64url(text)
                .map_err(|_| fault("context.keyId", "not base64url without padding of 32 to 2048 bytes"))?;
            Ok(Scope::Key(KeyRef { aaid: model()?, key_id }))
        }
        Some(_) => Err(fault("context.mode", "not one of username, aaid, key")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn an_absent_context_asks_for_the_default() {
        let plain = Context::parse(Operation::Auth, None).unwrap();
        assert_eq!(plain.username, None);
        assert_eq!(plain.ask, Ask::Authentication { policy: "default".into(), transaction: vec![] });
        assert!(!plain.ask.has_transaction());
        assert_eq!(Context::parse(Operation::Dereg, None).unwrap().ask, Ask::Deregistration(Scope::User));
    }

    #[test]
    fn a_transaction_is_kept_byte_for_byte() {
        let text = r#"{"username":"jeff","policy":"bank","transaction":[{"contentType":"text/plain","content":"UGF5IDE"}],"x":[1]}"#;
        let context = Context::parse(Operation::Auth, Some(text)).unwrap();
        assert_eq!(context.username.as_deref(), Some("jeff"));
        assert_eq!(context.ask.policy(), Some("bank"));
        let Ask::Authentication { transaction, .. } = &context.ask else { panic!("{context:?}") };
        assert_eq!(transaction[0].content.as_bytes(), b"Pay 1");
        let kept = serde_json::to_string(&context.ask).unwrap();
        assert_eq!(serde_json::from_str::<Ask>(&kept).unwrap(), context.ask);
    }

    #[test]
    fn a_text_of_200_characters_is_the_longest() {
        let with = |length: usize| {
            let content = sidegate_uaf::encoding::encode(&vec![b'a'; length]);
            format!(r#"{{"transaction":[{{"contentType":"text/plain","content":"{content}"}}]}}"#)
        };
        assert!(Context::parse(Operation::Auth, Some(&with(200))).is_ok());
        assert!(Context::parse(Operation::Auth, Some(&with(201))).is_err());
    }

    #[test]
    fn a_device_is_called_by_256_bytes_at_most() {
        for member in ["deviceId", "deviceName"] {
            let check = |text: &str| check_device(Some(&serde_json::json!({member: text}).to_string()));
            assert_eq!(check(&"é".repeat(128)), Ok(()));
            for bad in [&"é".repeat(129), "a\nb", "\u{1b}[2J"] {
                assert_eq!(check(bad).unwrap_err().member, format!("context.{member}"));
            }
        }
        for no_name in [None, Some("{}"), Some(r#"{"deviceId":null}"#), Some(r#"{"deviceId":1}"#), Some("no JSON")] {
            assert_eq!(check_device(no_name), Ok(()));
        }
    }

    #[test]
    fn a_context_of_8_kib_is_the_longest() {
        let with = |length: usize| format!(r#"{{"x":"{}"}}"#, "a".repeat(length - 8));
        assert!(Context::parse(Operation::Auth, Some(&with(MAX_CONTEXT))).is_ok());
        assert_eq!(Context::parse(Operation::Auth, Some(&with(MAX_CONTEXT + 1))).unwrap_err().member, "context");
    }

    #[test]
    fn a_deregistration_has_three_modes() {
        let ask = |text: &str| Context::parse(Operation::Dereg, Some(text)).unwrap().ask;
        let aaid: Aaid = "FFFF#FC01".parse().unwrap();
        assert_eq!(ask(r#"{"mode":"username"}"#), Ask::Deregistration(Scope::User));
        assert_eq!(ask(r#"{"mode":"aaid","aaid":"ffff#fc01"}"#), Ask::Deregistration(Scope::Model(aaid)));
        let key = format!(r#"{{"mode":"key","aaid":"FFFF#FC01","keyId":"{KEY}"}}"#);
        let key_id = KeyId::new([0; 32]).unwrap();
        assert_eq!(ask(&key), Ask::Deregistration(Scope::Key(KeyRef { aaid, key_id })));
    }

    #[rstest]
    #[case(Operation::Auth, "", "context")]
    #[case(Operation::Auth, "[]", "context")]
    #[case(Operation::Auth, "{} x", "context")]
    #[case(Operation::Auth, r#"{"username":"a","username":"b"}"#, "context")]
    #[case(Operation::Auth, r#"{"username":1}"#, "context.username")]
    #[case(Operation::Auth, r#"{"policy":[]}"#, "context.policy")]
    #[case(Operation::Auth, r#"{"transaction":[]}"#, "context.transaction")]
    #[case(Operation::Auth, r#"{"transaction":[{"contentType":"text/plain"}]}"#, "context.transaction")]
    #[case(
        Operation::Auth,
        r#"{"transaction":[{"contentType":"text/plain","content":"UGF5IDE"},{"contentType":"text/plain","content":"UGF5IDEwMDA"}]}"#,
        "context.transaction"
    )]
    #[case(
        Operation::Auth,
        r#"{"transaction":[{"contentType":"image/png","content":"UGF5"}]}"#,
        "context.transaction.content"
    )]
    #[case(
        Operation::Auth,
        r#"{"transaction":[{"contentType":"text/plain","content":"UGF5"},{"contentType":"text/html","content":"UGF5"}]}"#,
        "context.transaction.contentType"
    )]
    #[case(
        Operation::Auth,
        r#"{"transaction":[{"contentType":"text/plain","content":"UGF5IA=="}]}"#,
        "context.transaction.content"
    )]
    #[case(
        Operation::Auth,
        r#"{"transaction":[{"contentType":"text/plain","content":"w6k"}]}"#,
        "context.transaction.content"
    )]
    #[case(Operation::Reg, r#"{"transaction":[{"contentType":"text/plain","content":"UGF5"}]}"#, "context.transaction")]
    #[case(Operation::Dereg, r#"{"mode":"all"}"#, "context.mode")]
    #[case(Operation::Dereg, r#"{"mode":"aaid"}"#, "context.aaid")]
    #[case(Operation::Dereg, r#"{"mode":"aaid","aaid":"FFFF"}"#, "context.aaid")]
    #[case(Operation::Dereg, r#"{"mode":"key","aaid":"FFFF#FC01"}"#, "context.keyId")]
    #[case(Operation::Dereg, r#"{"mode":"key","aaid":"FFFF#FC01","keyId":"AA"}"#, "context.keyId")]
    fn what_cannot_be_served_is_named(#[case] operation: Operation, #[case] text: &str, #[case] member: &str) {
        assert_eq!(Context::parse(operation, Some(text)).unwrap_err().member, member);
    }
}
