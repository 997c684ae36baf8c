//! The outer body of a request (`http-api.md` 0.1): one JSON object, no member twice, every known member of its type,
//! nothing behind. Members that are not known are ignored; `null` stands for an absent optional member.

use serde::de::DeserializeOwned;
use serde_json::Value;
use sidegate_filters::jws::json::{self, JsonError};
use sidegate_filters::{Exchange, Problem};

/// Reads the body as a `T`.
///
/// # Errors
/// 400; it names the member at fault and never repeats a value.
pub(super) fn read<T: DeserializeOwned>(exchange: &Exchange) -> Result<T, Problem> {
    let object = json::object(exchange.body.as_deref().unwrap_or_default()).map_err(|error| not_json(&error))?;
    serde_path_to_error::deserialize(Value::Object(object)).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
        Problem::bad_request(match missing {
            Some((name, _)) if path == "." => format!("{name}: missing"),
            Some((name, _)) => format!("{path}.{name}: missing"),
            None => format!("{path}: of the wrong type, or not one of the values it may have"),
        })
    })
}

fn not_json(error: &JsonError) -> Problem {
    Problem::bad_request(match error {
        JsonError::NotAnObject => "the body must be a JSON object",
        JsonError::Malformed(source) if source.is_data() => "a member of the body appears twice",
        JsonError::Malformed(_) => "the body is not JSON, or something follows it",
    })
}
