//! RateLimitFilter: so many requests of one origin at once, then one every so long (`gateway.md` 3).
//!
//! Nobody can use up what belongs to another. What counts for a user are requests that were authenticated as the user;
//! what counts for a segment of the path, which anybody can write, counts for whoever wrote it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::body::BodySource;
use crate::exchange::Exchange;
use crate::filter::{Filter, FilterError, Verdict};
use crate::identity::Caller;
use crate::network::SourceNetwork;
use crate::path::small;
use crate::rate::{Limit, Rate};
use crate::reply::Problem;

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Per {
    /// Those from one network: what one household or one attacker has for the asking.
    Address,
    /// Those of one user; nobody's are not counted.
    User,
    /// Those of one session; nobody's are not counted.
    Session,
    /// Those of one user, or else from one network, with one value in this segment `{name}` of the path.
    Segment(String),
}

/// What is limited, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// Whose requests are counted together.
    pub per: Per,
    /// How many.
    pub limit: Limit,
    /// Whether internal callers are not counted at all.
    pub exempts_internal: bool,
}

impl RateLimit {
    /// Whether it has to know who is calling.
    #[must_use]
    pub fn asks_who(&self) -> bool {
        self.exempts_internal || matches!(self.per, Per::User | Per::Session)
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} for each ", self.limit)?;
        match &self.per {
            Per::Address => write!(out, "address (/32, /56)"),
            Per::User => write!(out, "user"),
            Per::Session => write!(out, "session"),
            Per::Segment(name) => write!(out, "{{{name}}} of each user or address"),
        }?;
        if self.exempts_internal { write!(out, "; no internal caller") } else { Ok(()) }
    }
}

/// For whom a request counts.
#[derive(Hash)]
enum Counted<'a> {
    Network(SourceNetwork),
    /// Domain and extId.
    User(&'a str, &'a str),
    Session(&'a str),
    Internal(&'a str),
}

/// What is counted together, with the value of the path's segment if that counts.
type Name<'a> = (Counted<'a>, Option<String>);

/// The filter `rate-limit`.
pub struct RateLimitFilter {
    settings: RateLimit,
    rate: Arc<Rate>,
}

impl RateLimitFilter {
    /// The filter that counts in `rate`, which goes by the limit of the settings: all filters of one name share it.
    #[must_use]
    pub fn new(settings: RateLimit, rate: Arc<Rate>) -> Self {
        Self { settings, rate }
    }

    /// `None`: the request is not counted.
    fn name<'a>(&self, exchange: &'a Exchange) -> Result<Option<Name<'a>>, FilterError> {
        let internal = matches!(exchange.caller, Caller::Internal(_));
        if internal && self.settings.exempts_internal {
            return Ok(None);
        }
        let network = Counted::Network(SourceNetwork::of(exchange.client.address));
        let of_caller = match &exchange.caller {
            Caller::User(session) => Some(Counted::User(&session.domain, &session.ext_id)),
            Caller::Internal(caller) => Some(Counted::Internal(&caller.name)),
            Caller::Anonymous => None,
        };
        Ok(match (&self.settings.per, &exchange.caller) {
            (Per::Address, _) => Some((network, None)),
            (Per::Session, Caller::User(session)) => Some((Counted::Session(&session.sid), None)),
            (Per::User | Per::Session, _) => of_caller.map(|caller| (caller, None)),
            (Per::Segment(name), _) => {
                let missing = || FilterError::Internal(format!("the path of the row has no segment {{{name}}}"));
                let value = exchange.params.get(name).ok_or_else(missing)?;
                // A server behind may take small and capital letters for the same: else each spelling had a count of its own.
                Some((of_caller.unwrap_or(network), Some(small(value))))
            }
        })
    }
}

#[async_trait]
impl Filter for RateLimitFilter {
    fn name(&self) -> &'static str {
        "rate-limit"
    }

    fn settings(&self) -> String {
        self.settings.to_string()
    }

    async fn request(&self, exchange: &mut Exchange, _: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        let Some(name) = self.name(exchange)? else { return Ok(Verdict::Pass) };
        Ok(self.rate.take(&name).map_or_else(|wait| Verdict::Answer(too_many(wait).into()), |()| Verdict::Pass))
    }

    async fn again(&self, _: &mut Exchange) -> Result<Verdict, FilterError> {
        Ok(Verdict::Pass)
    }
}

fn too_many(wait: Duration) -> Problem {
    Problem::too_many("too many requests; try again after the time in Retry-After", wait)
}

#[cfg(test)]
mod tests;
