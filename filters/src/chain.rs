//! The filters of one route, run in order. Whatever goes wrong in one of them is a refusal.

use std::sync::Arc;

use http::StatusCode;

use crate::body::BodySource;
use crate::exchange::{Exchange, Occasion};
use crate::filter::{Filter, FilterError, Verdict};
use crate::identity::Caller;
use crate::reply::{Problem, Reply};

/// The filters of a route in the order of the configuration.
#[derive(Clone, Default)]
pub struct Chain(Vec<Link>);

/// A filter, and what the log calls it.
#[derive(Clone)]
struct Link {
    name: Arc<str>,
    filter: Arc<dyn Filter>,
}

impl Chain {
    /// A chain of these filters, first one first.
    #[must_use]
    pub fn new(filters: Vec<Arc<dyn Filter>>) -> Self {
        Self(filters.into_iter().map(|filter| Link { name: filter.name().into(), filter }).collect())
    }

    /// The same of filters that have names of their own: of two of one kind, the log says which refused.
    #[must_use]
    pub fn named<'a>(filters: impl IntoIterator<Item = (&'a str, Arc<dyn Filter>)>) -> Self {
        Self(filters.into_iter().map(|(name, filter)| Link { name: name.into(), filter }).collect())
    }

    /// The filters, in order.
    pub fn filters(&self) -> impl Iterator<Item = &dyn Filter> {
        self.0.iter().map(|link| link.filter.as_ref())
    }

    /// Runs the filters until one answers, which is then named in the exchange. An error is answered with 503 or 500,
    /// never passed.
    pub async fn request(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Verdict {
        for link in &self.0 {
            if let Some(reply) = link.request(exchange, body).await {
                exchange.refused_by = Some(link.name.clone());
                return Verdict::Answer(reply);
            }
        }
        Verdict::Pass
    }

    /// Whether a connection that the filters let this caller have may go on. An error ends it.
    pub async fn holds(&self, caller: &Caller) -> bool {
        for filter in self.filters() {
            match filter.holds(caller).await {
                Ok(true) => {}
                Ok(false) => return false,
                Err(error) => {
                    tracing::error!(filter = filter.name(), %error, "a filter could not decide about a connection");
                    return false;
                }
            }
        }
        true
    }

    /// Whether a connection may go on that began with this request, now that these filters stand where others stood. The
    /// request is as it came, without a body; what they make of it is in it afterwards. An error ends the connection.
    pub async fn again(&self, exchange: &mut Exchange) -> bool {
        exchange.occasion = Occasion::Review;
        for filter in self.filters() {
            match filter.again(exchange).await {
                Ok(Verdict::Pass) => {}
                Ok(Verdict::Answer(_)) => return false,
                Err(error) => {
                    tracing::error!(filter = filter.name(), %error, "a filter could not decide about a connection");
                    return false;
                }
            }
        }
        true
    }

    /// Tells the filters that the request goes to the destination now, until one keeps it back, and all of them if none
    /// did. Whoever mounts a chain calls this once for a request that passed, however often it is sent, and before that.
    pub async fn commit(&self, exchange: &mut Exchange) -> Verdict {
        for Link { name, filter } in &self.0 {
            let reply = match filter.commit(exchange).await {
                Ok(Verdict::Pass) => continue,
                Ok(Verdict::Answer(reply)) => reply,
                Err(error) => refusal(filter.as_ref(), &error),
            };
            exchange.refused_by = Some(name.clone());
            return Verdict::Answer(reply);
        }
        self.filters().for_each(|filter| filter.sent(exchange));
        Verdict::Pass
    }

    /// Tells every filter how an upstream answered.
    pub async fn response(&self, exchange: &Exchange, status: StatusCode) {
        for filter in self.filters() {
            if let Err(error) = filter.response(exchange, status).await {
                tracing::error!(filter = filter.name(), %error, "a filter could not take note of the answer");
            }
        }
    }
}

impl Link {
    /// The answer in place of letting the request pass.
    async fn request(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Option<Reply> {
        let filter = self.filter.as_ref();
        match filter.request(exchange, body).await {
            Ok(Verdict::Pass) => None,
            Ok(Verdict::Answer(reply)) => Some(reply),
            Err(error) => Some(refusal(filter, &error)),
        }
    }
}

fn refusal(filter: &dyn Filter, error: &FilterError) -> Reply {
    tracing::error!(filter = filter.name(), %error, "a filter could not decide; the request is refused");
    match error {
        FilterError::Unavailable(_) => Problem::unavailable(),
        FilterError::Internal(_) => Problem::internal(),
    }
    .into()
}

#[cfg(test)]
mod tests;
