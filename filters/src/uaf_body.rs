//! Bodies for a FIDO server behind, read so that every reader finds the same in them or none does.

use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use crate::exchange::Exchange;
use crate::jws::json;
use crate::reply::Problem;

/// The longest body that is read, in bytes: what a proxy can hold back.
pub(crate) const LIMIT: usize = 64 * 1024;

/// An object of a body.
pub(crate) struct Members {
    /// Where it stands; empty for the body itself.
    path: String,
    members: Map<String, Value>,
}

/// A text of a body, and where it stands.
pub(crate) struct Found<'m> {
    pub(crate) path: String,
    pub(crate) text: &'m str,
}

impl Members {
    /// The body itself.
    pub(crate) fn of_body(body: &[u8]) -> Result<Self, Problem> {
        let members = json::object(body).map_err(|error| Problem::bad_request(format!("the body is {error}")))?;
        Ok(Self { path: String::new(), members })
    }

    /// A value that was read strictly, if it is an object.
    pub(crate) fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(members) => Some(Self { path: String::new(), members }),
            _ => None,
        }
    }

    /// A member by its name; `null` stands for none. Another spelling of the name is the same member to some readers.
    pub(crate) fn value(&self, name: &str) -> Result<Option<&Value>, Problem> {
        if self.members.keys().any(|other| other != name && folded(other) == folded(name)) {
            return Err(Problem::bad_request(format!("{} is there in another spelling", self.path_of(name))));
        }
        Ok(self.members.get(name).filter(|value| !value.is_null()))
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<Found<'_>>, Problem> {
        let path = self.path_of(name);
        match self.value(name)? {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(Found { path, text })),
            Some(_) => Err(Problem::bad_request(format!("{path} must be a string"))),
        }
    }

    pub(crate) fn object(&self, name: &str) -> Result<Option<Self>, Problem> {
        let path = self.path_of(name);
        match self.value(name)? {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self { path, members: members.clone() })),
            Some(_) => Err(Problem::bad_request(format!("{path} must be an object"))),
        }
    }

    /// The object that a string holds.
    fn embedded(&self, name: &str) -> Result<Option<Self>, Problem> {
        let Some(Found { path, text }) = self.text(name)? else { return Ok(None) };
        // What is wrong with it may quote it.
        let unreadable = |_| Problem::bad_request(format!("{path} must be a string that holds one strict JSON object"));
        let members = json::object(text.as_bytes()).map_err(unreadable)?;
        Ok(Some(Self { path, members }))
    }

    /// `username`. A `null` is refused: there are readers to whom it is a user called null.
    fn username(&self) -> Result<Option<Found<'_>>, Problem> {
        let name = self.text("username")?;
        if name.is_none() && self.members.contains_key("username") {
            return Err(Problem::bad_request(format!("{} must be a string", self.path_of("username"))));
        }
        Ok(name)
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// A name as a reader may take it that minds neither case nor what stands between letters: `user_name`, `USERNAME`.
fn folded(name: &str) -> String {
    name.to_uppercase().to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// GetUAFRequest (`http-api.md` 2, 6) wherever a server may look for one: the body, and its `getUafRequest`.
pub(crate) struct Asked {
    requests: Vec<Members>,
    contexts: Vec<Members>,
}

impl Asked {
    pub(crate) fn read(body: &[u8]) -> Result<Self, Problem> {
        let body = Members::of_body(body)?;
        let inner = body.object("getUafRequest")?;
        let requests: Vec<Members> = std::iter::once(body).chain(inner).collect();
        let contexts = requests.iter().filter_map(|request| request.embedded("context").transpose());
        let contexts = contexts.collect::<Result<_, _>>()?;
        Ok(Self { requests, contexts })
    }

    /// Every `op`.
    pub(crate) fn operations(&self) -> Result<Vec<Found<'_>>, Problem> {
        self.requests.iter().filter_map(|request| request.text("op").transpose()).collect()
    }

    /// Every `username`.
    pub(crate) fn usernames(&self) -> Result<Vec<Found<'_>>, Problem> {
        let places = self.requests.iter().chain(&self.contexts);
        places.filter_map(|place| place.username().transpose()).collect()
    }

    /// Where words stand that the user may get to read: a transaction, or whatever a dispatcher is told.
    pub(crate) fn words(&self) -> Result<Option<String>, Problem> {
        let told = self.requests.iter().map(|request| (request, "dispatchInformation"));
        let confirmed = self.requests.iter().chain(&self.contexts).map(|place| (place, "transaction"));
        let mut first = None;
        for (place, name) in told.chain(confirmed) {
            if place.value(name)?.is_some_and(says_something) && first.is_none() {
                first = Some(place.path_of(name));
            }
        }
        Ok(first)
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(says_something),
        Value::Object(members) => members.values().any(says_something),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// The body has to be JSON in UTF-8 and to say so, since in another encoding or form it might say something else; and all
/// of the request: a reader may take members out of a query.
pub(crate) fn check_head(exchange: &Exchange) -> Result<(), Problem> {
    check_media(&exchange.headers)?;
    match exchange.query.as_deref() {
        None | Some("") => Ok(()),
        Some(_) => Err(Problem::bad_request("this request takes no query: say everything in the body")),
    }
}

fn check_media(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |detail: &str| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(refused("the body must not be compressed, and have no Content-Encoding"));
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
