//! Bodies for a FIDO server behind, read so that every reader finds the same in them or none does.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::body::{BodySource, LONGEST_BODY};
use crate::exchange::Exchange;
use crate::filter::{Filter, FilterError, Verdict};
use crate::identity::Caller;
use crate::jws::json;
use crate::plain_body;
use crate::reply::{Problem, Reply};

/// A filter that decides by who is calling and by such a body.
pub trait BodyFilter: Send + Sync {
    /// As [`Filter::name`].
    const NAME: &'static str;

    /// As [`Filter::settings`].
    fn settings(&self) -> String;

    /// Decides; an error is the answer.
    fn check(&self, caller: &Caller, body: &[u8]) -> Result<(), Reply>;
}

#[async_trait]
impl<F: BodyFilter> Filter for F {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn settings(&self) -> String {
        BodyFilter::settings(self)
    }

    async fn request(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        let read = plain_body::read(exchange, body, &["application/json", "application/fido+uaf"], LONGEST_BODY).await;
        let checked = read.map_err(Reply::from).and_then(|body| self.check(&exchange.caller, &body));
        Ok(checked.map_or_else(Verdict::Answer, |()| Verdict::Pass))
    }
}

/// An object of a body.
pub(crate) struct Members {
    /// Where it stands; empty for the body itself.
    path: String,
    members: Map<String, Value>,
    /// How many names of members a careless reader takes for this one: folded once, however often they are looked up.
    spellings: HashMap<String, usize>,
}

/// A text of a body, and where it stands.
pub(crate) struct Found<'m> {
    pub(crate) path: String,
    pub(crate) text: &'m str,
}

impl Members {
    fn new(path: String, members: Map<String, Value>) -> Self {
        let mut spellings = HashMap::new();
        for name in members.keys() {
            *spellings.entry(folded(name)).or_default() += 1;
        }
        Self { path, members, spellings }
    }

    /// The body itself.
    pub(crate) fn of_body(body: &[u8]) -> Result<Self, Problem> {
        let members = json::object(body).map_err(|error| Problem::bad_request(format!("the body is {error}")))?;
        Ok(Self::new(String::new(), members))
    }

    /// A value that was read strictly, if it is an object.
    pub(crate) fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(members) => Some(Self::new(String::new(), members)),
            _ => None,
        }
    }

    /// A member by its name; `null` stands for none. Another spelling of the name is the same member to some readers.
    pub(crate) fn value(&self, name: &str) -> Result<Option<&Value>, Problem> {
        let value = self.members.get(name);
        let spellings = self.spellings.get(&folded(name)).copied().unwrap_or_default();
        if spellings > usize::from(value.is_some()) {
            return Err(Problem::bad_request(format!("{} is there in another spelling", self.path_of(name))));
        }
        Ok(value.filter(|value| !value.is_null()))
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<Found<'_>>, Problem> {
        let path = self.path_of(name);
        match self.value(name)? {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(Found { path, text })),
            Some(_) => Err(Problem::bad_request(format!("{path} must be a string"))),
        }
    }

    /// Takes an object out: it is looked up once.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<Self>, Problem> {
        let path = self.path_of(name);
        if self.value(name)?.is_none() {
            return Ok(None);
        }
        match self.members.remove(name) {
            Some(Value::Object(members)) => Ok(Some(Self::new(path, members))),
            _ => Err(Problem::bad_request(format!("{path} must be an object"))),
        }
    }

    /// The object that a string holds.
    fn embedded(&self, name: &str) -> Result<Option<Self>, Problem> {
        let Some(Found { path, text }) = self.text(name)? else { return Ok(None) };
        // What is wrong with it may quote it.
        let unreadable = |_| Problem::bad_request(format!("{path} must be a string that holds one strict JSON object"));
        let members = json::object(text.as_bytes()).map_err(unreadable)?;
        Ok(Some(Self::new(path, members)))
    }

    /// `username`. A `null` is refused: there are readers to whom it is a user called null.
    fn username(&self) -> Result<Option<Found<'_>>, Problem> {
        let name = self.text("username")?;
        if name.is_none() && self.members.contains_key("username") {
            return Err(Problem::bad_request(format!("{} must be a string", self.path_of("username"))));
        }
        Ok(name)
    }

    /// Nothing may be here under these names, in any spelling.
    pub(crate) fn refuse(&self, names: &[&str]) -> Result<(), Problem> {
        for name in names {
            if self.value(name)?.is_some() {
                return Err(Problem::bad_request(format!("{} has no place here", self.path_of(name))));
            }
        }
        Ok(())
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// A name as a reader may take it that minds neither case nor what stands between letters: `user_name`, `USERNAME`.
fn folded(name: &str) -> String {
    let letters = name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    letters.filter(|letter| letter.is_alphanumeric()).collect()
}

/// GetUAFRequest (`http-api.md` 2, 6) wherever a server may look for one: the body, and its `getUafRequest`.
pub(crate) struct Asked {
    requests: Vec<Members>,
    contexts: Vec<Members>,
}

impl Asked {
    pub(crate) fn read(body: &[u8]) -> Result<Self, Problem> {
        let mut body = Members::of_body(body)?;
        let inner = body.take("getUafRequest")?;
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
        let told = place_of(&self.requests, "dispatchInformation", tells_something)?;
        let asked = place_of(&self.requests, "transaction", is_filled)?;
        let confirmed = place_of(&self.contexts, "transaction", is_filled)?;
        Ok(told.or(asked).or(confirmed))
    }

    /// Where a dispatch target is named.
    pub(crate) fn target(&self) -> Result<Option<String>, Problem> {
        place_of(&self.requests, "dispatchTargetId", |_| true)
    }

    /// Refuses what is for an operation, a target or words by its name, where the contract has no such member and so
    /// nobody looks at it here.
    pub(crate) fn check_places(&self) -> Result<(), Problem> {
        for (depth, request) in self.requests.iter().enumerate() {
            request.refuse(NOT_IN_REQUESTS)?;
            if depth > 0 {
                request.refuse(&["getUafRequest"])?;
            }
        }
        self.contexts.iter().try_for_each(|context| {
            context.refuse(NOT_IN_REQUESTS)?;
            context.refuse(NOT_IN_CONTEXTS)
        })
    }
}

const NOT_IN_REQUESTS: &[&str] = &["data", "notification", "operation", "transactions"];
const NOT_IN_CONTEXTS: &[&str] = &["context", "dispatchInformation", "dispatchTargetId", "getUafRequest", "op"];

/// Where a member of this name is found; all places are looked at, for other spellings.
fn place_of(places: &[Members], name: &str, counts: fn(&Value) -> bool) -> Result<Option<String>, Problem> {
    let mut found = None;
    for place in places {
        if place.value(name)?.is_some_and(counts) {
            found.get_or_insert_with(|| place.path_of(name));
        }
    }
    Ok(found)
}

/// Whether a dispatcher is told anything. Names may be words as well as what they name.
fn tells_something(information: &Value) -> bool {
    let is_known = |name: &str| matches!(name, "data" | "notification");
    match information {
        Value::Object(members) => members.iter().any(|(name, value)| !is_known(name) || is_filled(value)),
        other => is_filled(other),
    }
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::String(_) | Value::Bool(_) | Value::Number(_) => true,
    }
}
