//! HeadersFilter: what an upstream and a client are told or spared because the operator says so (`gateway.md` 3, 4).
//!
//! Who is calling is for `delegation` to say, and what a message is, where it ends and whose session it belongs to is for
//! the gateway: no rule here changes any of that.

use std::fmt;

use async_trait::async_trait;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::body::BodySource;
use crate::delegation::{RemovedHeaders, fold, is_kept_from_upstreams, is_of_message, is_reserved};
use crate::exchange::Exchange;
use crate::filter::{Filter, FilterError, Verdict};

/// What is done with the fields of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// This one stands in place of all that are there.
    Set(HeaderValue),
    /// This one stands beside those that are there.
    Add(HeaderValue),
    /// None is left.
    Remove,
}

impl Deed {
    /// An upstream may know the gateway by the value.
    fn kept_secret(mut self) -> Self {
        if let Self::Set(value) | Self::Add(value) = &mut self {
            value.set_sensitive(true);
        }
        self
    }
}

/// A deed and the name of the fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The name.
    pub name: HeaderName,
    /// What is done.
    pub deed: Deed,
}

impl Change {
    /// Makes it in the head of an answer.
    pub fn make(&self, headers: &mut HeaderMap) {
        match &self.deed {
            Deed::Set(value) => drop(headers.insert(self.name.clone(), value.clone())),
            Deed::Add(value) => drop(headers.append(self.name.clone(), value.clone())),
            Deed::Remove => drop(headers.remove(&self.name)),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deed = match self.deed {
            Deed::Set(_) => "set",
            Deed::Add(_) => "add",
            Deed::Remove => "remove",
        };
        write!(out, "{deed} {}", self.name)
    }
}

/// Why a change may not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It tells an upstream who is calling or where from, or by which method.
    #[error(
        "this header says who is calling, from where or by which method, which rules of delegation and the gateway do"
    )]
    Identity,
    /// The message hangs on it, or the connection.
    #[error("a message or a connection hangs on this header, which the gateway sees to itself")]
    Message,
    /// Sessions and logins hang on it.
    #[error("sessions and logins hang on this header, which the gateway sees to itself")]
    Session,
}

/// Whether a client asks by a field of this name, [folded](crate::delegation::fold), for another method than the one that
/// was checked.
#[must_use]
pub fn is_method_override(folded: &str) -> bool {
    METHOD_OVERRIDES.contains(&folded)
}

const METHOD_OVERRIDES: &[&str] = &["x-http-method", "x-http-method-override", "x-method-override"];
/// In answers.
const OF_SESSIONS: &[&str] = &["authentication-info", "clear-site-data", "set-cookie", "set-cookie2"];
const OF_ANSWERS: &[&str] = &["content-range", "x-request-id"];

/// The handshake of a WebSocket was checked, too.
fn hangs_on(folded: &str) -> bool {
    is_of_message(folded) || folded.starts_with("sec-websocket-")
}

/// A value of a rule, without anything that a server may read as the end of it.
#[must_use]
pub fn value(text: &str) -> Option<HeaderValue> {
    let is_plain = !text.is_empty() && text.is_ascii() && text.trim() == text && !text.contains(char::is_control);
    HeaderValue::from_str(text).ok().filter(|_| is_plain)
}

/// Changes that may be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderRules {
    request: Vec<Change>,
    response: Vec<Change>,
}

impl HeaderRules {
    /// Adds a change of requests on their way to an upstream.
    ///
    /// # Errors
    /// When no rule may make it.
    pub fn change_request(&mut self, change: Change) -> Result<(), Denied> {
        let folded = fold(change.name.as_str());
        if folded == AUTHORIZATION.as_str() || is_method_override(&folded) {
            return Err(Denied::Identity);
        }
        if hangs_on(&folded) {
            return Err(Denied::Message);
        }
        if is_reserved(&change.name) || is_kept_from_upstreams(&change.name) {
            return Err(Denied::Identity);
        }
        self.request.push(Change { deed: change.deed.kept_secret(), ..change });
        Ok(())
    }

    /// Adds a change of answers on their way to the client.
    ///
    /// # Errors
    /// When no rule may make it.
    pub fn change_response(&mut self, change: Change) -> Result<(), Denied> {
        let folded = fold(change.name.as_str());
        if OF_SESSIONS.contains(&folded.as_str()) || folded == WWW_AUTHENTICATE.as_str() {
            return Err(Denied::Session);
        }
        if hangs_on(&folded) || OF_ANSWERS.contains(&folded.as_str()) {
            return Err(Denied::Message);
        }
        self.response.push(change);
        Ok(())
    }

    /// The names of what is changed in requests.
    pub fn changed_in_requests(&self) -> impl Iterator<Item = &HeaderName> {
        self.request.iter().map(|change| &change.name)
    }

    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.request.is_empty() && self.response.is_empty()
    }
}

impl fmt::Display for HeaderRules {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |way, changes: &[Change]| {
            let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
            (!changes.is_empty()).then(|| format!("{way}: {}", changes.join(", ")))
        };
        let both = told("request", &self.request).into_iter().chain(told("response", &self.response));
        out.write_str(&both.collect::<Vec<_>>().join("; "))
    }
}

/// The filter `headers`. Whoever mounts it makes the changes of [`Exchange::answer_changes`].
pub struct HeadersFilter(HeaderRules);

impl HeadersFilter {
    /// The filter for a route to an upstream whose rules and settings keep `removed` from clients.
    ///
    /// # Errors
    /// The name that a rule of this filter changes though it is among them: it tells that upstream who is calling.
    pub fn new(rules: HeaderRules, removed: &RemovedHeaders) -> Result<Self, HeaderName> {
        match rules.request.iter().find(|change| removed.covers(change.name.as_str())) {
            Some(change) => Err(change.name.clone()),
            None => Ok(Self(rules)),
        }
    }
}

#[async_trait]
impl Filter for HeadersFilter {
    fn name(&self) -> &'static str {
        "headers"
    }

    /// Without the values: what an upstream is told may be a secret.
    fn settings(&self) -> String {
        self.0.to_string()
    }

    async fn request(&self, exchange: &mut Exchange, _: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        self.0.request.iter().for_each(|change| make(change, exchange));
        exchange.answer_changes.extend_from_slice(&self.0.response);
        Ok(Verdict::Pass)
    }
}

fn make(Change { name, deed }: &Change, exchange: &mut Exchange) {
    match deed {
        Deed::Remove => take_out(name, exchange),
        Deed::Set(value) => {
            take_out(name, exchange);
            exchange.upstream_headers.push((name.clone(), value.clone()));
        }
        Deed::Add(value) => {
            // What is set for the upstream stands in place of what the client says.
            if !exchange.upstream_headers.iter().any(|(set, _)| set == name) {
                let said = exchange.headers.get_all(name).iter();
                exchange.upstream_headers.extend(said.map(|value| (name.clone(), value.clone())));
            }
            exchange.upstream_headers.push((name.clone(), value.clone()));
        }
    }
}

/// In every spelling that a server may fold into the name.
fn take_out(name: &HeaderName, exchange: &mut Exchange) {
    let folded = fold(name.as_str());
    let is_it = |other: &HeaderName| fold(other.as_str()) == folded;
    for other in exchange.headers.keys().filter(|other| is_it(other)).cloned().collect::<Vec<_>>() {
        exchange.headers.remove(other);
    }
    exchange.upstream_headers.retain(|(other, _)| !is_it(other));
}

#[cfg(test)]
mod tests;
