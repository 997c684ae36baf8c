//! DelegationFilter: tells the upstream who is calling, with a SecToken and chosen attributes (`gateway.md` 3.3).
//!
//! The filter only adds headers. The mount takes the client's own out of the request on **every** route to the same
//! upstream: all that [`RemovedHeaders`] covers, all that `Connection` nominates, and trailers. Then it sets these.

mod removed;
mod reserved;
mod rule;

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, StatusCode, header};
use zeroize::Zeroizing;

pub use removed::{RemovedHeaders, fold};
pub use reserved::is_reserved;
pub(crate) use reserved::{is_kept_from_upstreams, is_of_message};
pub use rule::{Rule, RuleError, SOURCES};

use crate::body::BodySource;
use crate::exchange::Exchange;
use crate::filter::{Filter, FilterError, Verdict};
use crate::identity::{AuthenticatedSession, Caller};
use crate::reply::Problem;
use rule::{Encoding, SessionAttribute, Source, UserAttribute};

/// Makes the signed statement about a session that an upstream gets in place of the session itself.
#[async_trait]
pub trait SecTokens: Send + Sync {
    /// A compact JWS for `audience` (the upstream's name), good for at least a quarter of its life.
    ///
    /// # Errors
    /// When it can't be made: the request is refused.
    async fn token(&self, session: &AuthenticatedSession, audience: &str) -> Result<SecToken, FilterError>;
}

/// A SecToken in its compact form. It does not print.
#[derive(Clone)]
pub struct SecToken(Arc<Zeroizing<String>>);

impl SecToken {
    /// Wraps a compact JWS.
    #[must_use]
    pub fn new(compact: String) -> Self {
        Self(Arc::new(Zeroizing::new(compact)))
    }

    /// The compact JWS, to be sent.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecToken(…)")
    }
}

/// The filter `delegation`.
pub struct DelegationFilter {
    rules: Vec<Rule>,
    audience: String,
    sec_tokens: Arc<dyn SecTokens>,
}

impl DelegationFilter {
    /// The filter for a route to the upstream named `audience`. `removed` holds what the rules of **all** routes to that
    /// upstream may set.
    ///
    /// # Errors
    /// When two rules set one header in any spelling, or a `HEADER` rule reads what is removed.
    pub fn new(
        rules: Vec<Rule>,
        audience: String,
        removed: &RemovedHeaders,
        sec_tokens: Arc<dyn SecTokens>,
    ) -> Result<Self, RuleError> {
        let mut seen = std::collections::HashSet::new();
        for rule in &rules {
            if !seen.insert(fold(rule.header.as_str())) {
                return Err(RuleError::Twice(rule.header.to_string()));
            }
        }
        let own: RemovedHeaders = rules.iter().map(Rule::header).collect();
        for rule in &rules {
            if let Source::Header(name) = &rule.source
                && (removed.covers(name.as_str()) || own.covers(name.as_str()))
            {
                return Err(RuleError::Removed(name.to_string()));
            }
        }
        Ok(Self { rules, audience, sec_tokens })
    }

    /// The filter with rules that are written as in the configuration, for the only route to its upstream. `ENV` is the
    /// environment of this process.
    ///
    /// # Errors
    /// What is wrong with one of the rules, or as [`DelegationFilter::new`].
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use http::HeaderName;
    /// use sidegate_filters::memory::MemorySecTokens;
    /// use sidegate_filters::{DelegationFilter, RemovedHeaders};
    ///
    /// let rules = ["AUTH:user.auth.LoginId:X-User", "CALLER:name:X-Caller"];
    /// let delegation = DelegationFilter::parse(&rules, "application", Arc::new(MemorySecTokens::new(1))).unwrap();
    /// let removed: RemovedHeaders = delegation.headers().collect();
    /// assert!(removed.keep_back(&HeaderName::from_static("x_user")));
    /// ```
    pub fn parse(rules: &[&str], audience: &str, sec_tokens: Arc<dyn SecTokens>) -> Result<Self, RuleError> {
        let parse = |rule: &&str| Rule::parse(rule, &|name| std::env::var(name).ok());
        let rules = rules.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        Self::new(rules, audience.to_owned(), &RemovedHeaders::default(), sec_tokens)
    }

    /// The headers that its rules set. Where it is on the only route to its upstream, they make up the [`RemovedHeaders`].
    pub fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.rules.iter().map(Rule::header)
    }

    /// The rule's value as text; `None` where there is nothing to say, as of an anonymous caller.
    async fn value(&self, source: &Source, exchange: &Exchange) -> Result<Option<String>, Refusal> {
        Ok(match (source, &exchange.caller) {
            (Source::Fixed(value), _) => Some(value.clone()),
            (Source::Header(name), _) => client_header(exchange, name)?,
            (Source::CallerName, Caller::Internal(caller)) => Some(caller.name.clone()),
            (Source::SecToken, Caller::User(session)) => {
                Some(self.sec_tokens.token(session, &self.audience).await?.expose().to_owned())
            }
            (Source::Auth(attribute), Caller::User(session)) => Some(user(*attribute, session)),
            (Source::Session(attribute), Caller::User(session)) => Some(match attribute {
                SessionAttribute::Sid => session.sid.clone(),
                SessionAttribute::Domain => session.domain.clone(),
                SessionAttribute::AuthenticatedAt => session.authenticated_at().0.to_string(),
            }),
            (Source::CallerName | Source::SecToken | Source::Auth(_) | Source::Session(_), _) => None,
        })
    }

    async fn header(&self, rule: &Rule, exchange: &Exchange) -> Result<Option<HeaderValue>, Refusal> {
        let Some(value) = self.value(&rule.source, exchange).await? else { return Ok(None) };
        if value.chars().any(char::is_control) {
            return Err(match rule.source {
                Source::Header(_) => Refusal::ClientValue,
                _ => Refusal::OwnValue(rule.to_string()),
            });
        }
        let sec_token = rule.source == Source::SecToken;
        let mut text = match rule.encoding {
            Encoding::None => value,
            Encoding::Base64 => STANDARD.encode(value),
            Encoding::UrlEncode => url_encode(&value),
            Encoding::Basic => {
                basic(&rule.source, &exchange.caller, value).ok_or_else(|| Refusal::OwnValue(rule.to_string()))?
            }
        };
        if sec_token && rule.header == header::AUTHORIZATION && rule.encoding != Encoding::Basic {
            text.insert_str(0, "Bearer ");
        }
        let mut header = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| Refusal::OwnValue(rule.to_string()))?;
        header.set_sensitive(sec_token || rule.encoding == Encoding::Basic);
        Ok(Some(header))
    }
}

/// Why a request does not go on.
enum Refusal {
    /// The client's own header holds what no header of ours may: 400.
    ClientValue,
    /// A value of ours does, a user's name say. Nobody at the other end can mend it: 500, and the log names the rule.
    OwnValue(String),
    Undecided(FilterError),
}

impl From<FilterError> for Refusal {
    fn from(error: FilterError) -> Self {
        Self::Undecided(error)
    }
}

#[async_trait]
impl Filter for DelegationFilter {
    fn name(&self) -> &'static str {
        "delegation"
    }

    fn settings(&self) -> String {
        let rules: Vec<String> = self.rules.iter().map(ToString::to_string).collect();
        format!("audience {}; {}", self.audience, rules.join(", "))
    }

    async fn request(&self, exchange: &mut Exchange, _: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::with_capacity(self.rules.len());
        for rule in &self.rules {
            match self.header(rule, exchange).await {
                Ok(Some(value)) => headers.push((rule.header.clone(), value)),
                Ok(None) => {}
                Err(Refusal::Undecided(error)) => return Err(error),
                Err(Refusal::OwnValue(rule)) => {
                    return Err(FilterError::Internal(format!("the value of {rule} fits into no header")));
                }
                Err(Refusal::ClientValue) => {
                    let detail = "a header that is passed on is there twice, or holds control or broken characters";
                    return Ok(Verdict::Answer(Problem::new(StatusCode::BAD_REQUEST, detail).into()));
                }
            }
        }
        exchange.upstream_headers.extend(headers);
        Ok(Verdict::Pass)
    }
}

/// What RFC 7617 makes of a user and a password; `None` where the name would end at a colon of its own.
fn basic(source: &Source, caller: &Caller, value: String) -> Option<String> {
    let credentials = match (source, caller) {
        (Source::Fixed(_), _) => value,
        (_, Caller::User(session)) if !session.name.contains(':') => format!("{}:{value}", session.name),
        _ => return None,
    };
    Some(format!("Basic {}", STANDARD.encode(credentials)))
}

fn user(attribute: UserAttribute, session: &AuthenticatedSession) -> String {
    match attribute {
        UserAttribute::UserId => session.ext_id.clone(),
        UserAttribute::LoginId => session.name.clone(),
        UserAttribute::AuthLevel => session.level().to_string(),
        UserAttribute::Roles => session.roles.join(","),
        UserAttribute::Realm => session.realm().to_owned(),
    }
}

fn client_header(exchange: &Exchange, name: &HeaderName) -> Result<Option<String>, Refusal> {
    let mut values = exchange.headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(only), None) => {
            std::str::from_utf8(only.as_bytes()).map(|text| Some(text.to_owned())).map_err(|_| Refusal::ClientValue)
        }
        _ => Err(Refusal::ClientValue),
    }
}

/// Percent-encodes every byte that is not unreserved (RFC 3986 2.3).
fn url_encode(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests;
