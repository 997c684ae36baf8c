//! The filters of one route, run in order. Whatever goes wrong in one of them is a refusal.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;

use crate::exchange::Exchange;
use crate::filter::{Filter, FilterError, Verdict};
use crate::identity::Caller;
use crate::reply::{Problem, Reply};

/// Where a chain gets the body from, when a filter needs it.
#[async_trait]
pub trait BodySource: Send {
    /// Reads the whole body, at most `limit` bytes.
    ///
    /// # Errors
    /// The answer to give instead: 413 when it is longer, 408 when it came too slowly, 400 when it was broken.
    async fn read(&mut self, limit: usize) -> Result<Bytes, Problem>;
}

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
        exchange.body = Some(Bytes::new());
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
        if let Some(reply) = self.provide_body(exchange, body).await {
            return Some(reply);
        }
        match filter.request(exchange).await {
            Ok(Verdict::Pass) => None,
            Ok(Verdict::Answer(reply)) => Some(reply),
            Err(error) => Some(refusal(filter, &error)),
        }
    }

    /// Sees to it that the filter has the body, if it needs it; the answer where that can't be.
    async fn provide_body(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Option<Reply> {
        let filter = self.filter.as_ref();
        let limit = filter.body_limit()?;
        match filter.needs_body(exchange).await {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(refusal(filter, &error)),
        }
        if let Verdict::Answer(reply) = filter.before_body(exchange) {
            return Some(reply);
        }
        provide_body(exchange, body, limit).await.err().map(Into::into)
    }
}

/// Reads the body unless an earlier filter had it read; that one may have taken more than this one wants.
async fn provide_body(exchange: &mut Exchange, body: &mut dyn BodySource, limit: usize) -> Result<(), Problem> {
    match &exchange.body {
        None => exchange.body = Some(body.read(limit).await?),
        Some(read) if read.len() <= limit => {}
        Some(_) => return Err(Problem::too_long(limit)),
    }
    Ok(())
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
