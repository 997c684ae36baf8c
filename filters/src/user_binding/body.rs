//! Where a request names its user, read so that every reader finds the same name or none.

use std::fmt;

use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use crate::jws::json;
use crate::reply::Problem;

/// Where a body has the name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Place {
    /// `username` in `context`, a string that holds JSON: UAF requests and created tokens.
    #[default]
    Context,
    /// The same below `getUafRequest`: dispatched tokens.
    GetUafRequest,
    /// The member `username`: dispatch targets. Without it the server behind takes the user whom it is told of.
    Username,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Context => "context.username",
            Self::GetUafRequest => "getUafRequest.context.username",
            Self::Username => "username",
        })
    }
}

impl Place {
    /// Whether a request has to name its user.
    pub(super) fn is_mandatory(self) -> bool {
        self != Self::Username
    }

    /// The name; `None` where there is none.
    pub(super) fn read(self, body: &[u8]) -> Result<Option<String>, Problem> {
        let members = json::object(body).map_err(|error| Problem::bad_request(format!("the body is {error}")))?;
        match self {
            Self::Username => text(&members, "username", "username"),
            Self::Context => of_context(&members, "context"),
            Self::GetUafRequest => match member(&members, "getUafRequest", "getUafRequest")? {
                None => Ok(None),
                Some(Value::Object(request)) => of_context(request, "getUafRequest.context"),
                Some(_) => Err(Problem::bad_request("getUafRequest must be an object")),
            },
        }
    }
}

fn of_context(members: &Map<String, Value>, path: &str) -> Result<Option<String>, Problem> {
    let Some(context) = text(members, "context", path)? else { return Ok(None) };
    // What is wrong with it may quote it.
    let unreadable = |_| Problem::bad_request(format!("{path} must be a string that holds one strict JSON object"));
    let members = json::object(context.as_bytes()).map_err(unreadable)?;
    text(&members, "username", &format!("{path}.username"))
}

fn text(members: &Map<String, Value>, name: &str, path: &str) -> Result<Option<String>, Problem> {
    match member(members, name, path)? {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Problem::bad_request(format!("{path} must be a string"))),
    }
}

/// A member by its name. Another spelling of the name is the same member to readers that do not mind the case.
fn member<'m>(members: &'m Map<String, Value>, name: &str, path: &str) -> Result<Option<&'m Value>, Problem> {
    let is_other = |other: &String| other != name && other.trim().to_uppercase().to_lowercase() == name.to_lowercase();
    if members.keys().any(is_other) {
        return Err(Problem::bad_request(format!("{path} is there in another spelling")));
    }
    Ok(members.get(name))
}

/// The body has to be JSON in UTF-8, and to say so: in another encoding or form it might say something else.
pub(super) fn check_media(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |detail: &str| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(refused("the body must not be compressed"));
    }
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let text = match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(text), None) => text.to_ascii_lowercase(),
        _ => return Err(refused("send one Content-Type: application/json or application/fido+uaf")),
    };
    let mut parts = text.split(';').map(str::trim);
    if !parts.next().is_some_and(|essence| matches!(essence, "application/json" | "application/fido+uaf")) {
        return Err(refused("the body must be of type application/json or application/fido+uaf"));
    }
    let is_utf8 = |part: &str| matches!(part, "" | "charset=utf-8" | "charset=\"utf-8\"");
    if parts.all(is_utf8) { Ok(()) } else { Err(refused("the body must be in UTF-8")) }
}
