//! The filters of one route, run in order. Whatever goes wrong in one of them is a refusal, a panic too.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use http::StatusCode;

use crate::admitted::Admitted;
use crate::body::BodySource;
use crate::exchange::{Exchange, Occasion};
use crate::filter::{Filter, FilterError, Verdict};
use crate::identity::Caller;
use crate::reply::{Problem, Reply};

/// The filters of a route in the order of the configuration.
#[derive(Clone, Default)]
pub struct Chain(Arc<[Link]>);

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

    /// Has a request judged and committed at once, for whoever has nothing of its own to check in between.
    ///
    /// # Errors
    /// The answer to give instead.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use bytes::Bytes;
    /// use http::Request;
    /// use sidegate_filters::{Chain, Client, Exchange};
    ///
    /// let head = Request::get("/account").body(()).unwrap().into_parts().0;
    /// let exchange = Exchange::receive("r-1", &head, Client::new([127, 0, 0, 1].into(), "http://gate.example")).unwrap();
    /// let admitted = Chain::default().admit(exchange, &mut Bytes::new()).await.unwrap();
    /// assert_eq!(admitted.path.as_str(), "/account");
    /// # });
    /// ```
    pub async fn admit(&self, mut exchange: Exchange, body: &mut dyn BodySource) -> Result<Admitted, Reply> {
        self.request(&mut exchange, body).await.passed()?;
        self.commit(&mut exchange).await.passed()?;
        Ok(Admitted::new(self.clone(), exchange))
    }

    /// Runs the filters until one answers, which is then named in the exchange. An error is answered with 503 or 500,
    /// never passed.
    pub async fn request(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Verdict {
        for link in self.0.iter() {
            let verdict = unharmed(link.filter.request(exchange, body)).await;
            if let Some(reply) = link.answer(verdict) {
                exchange.refused_by = Some(link.name.clone());
                return Verdict::Answer(reply);
            }
        }
        Verdict::Pass
    }

    /// Whether a connection that the filters let this caller have may go on, which began with this
    /// request, as it came. An error ends it.
    pub async fn holds(&self, caller: &Caller, asked: &Exchange) -> bool {
        for link in self.0.iter() {
            match unharmed(link.filter.holds(caller, asked)).await {
                Ok(true) => {}
                Ok(false) => return false,
                Err(error) => {
                    tracing::error!(filter = &*link.name, %error, "a filter could not decide about a connection");
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
        for link in self.0.iter() {
            match unharmed(link.filter.again(exchange)).await {
                Ok(Verdict::Pass) => {}
                Ok(Verdict::Answer(_)) => return false,
                Err(error) => {
                    tracing::error!(filter = &*link.name, %error, "a filter could not decide about a connection");
                    return false;
                }
            }
        }
        true
    }

    /// Tells the filters that the request goes to the destination now, until one keeps it back, and all of them if none
    /// did. Whoever mounts a chain calls this once for a request that passed, however often it is sent, and before that.
    pub async fn commit(&self, exchange: &mut Exchange) -> Verdict {
        for link in self.0.iter() {
            let verdict = unharmed(link.filter.commit(exchange)).await;
            if let Some(reply) = link.answer(verdict) {
                exchange.refused_by = Some(link.name.clone());
                return Verdict::Answer(reply);
            }
        }
        for link in self.0.iter() {
            let told = unharmed(async {
                link.filter.sent(exchange);
                Ok(Verdict::Pass)
            });
            if let Some(reply) = link.answer(told.await) {
                exchange.refused_by = Some(link.name.clone());
                return Verdict::Answer(reply);
            }
        }
        Verdict::Pass
    }

    /// Tells every filter how an upstream answered.
    pub async fn response(&self, exchange: &Exchange, status: StatusCode) {
        for filter in self.filters() {
            if let Err(error) = unharmed(filter.response(exchange, status)).await {
                tracing::error!(filter = filter.name(), %error, "a filter could not take note of the answer");
            }
        }
    }
}

impl Link {
    /// The answer in place of letting the request pass.
    fn answer(&self, verdict: Result<Verdict, FilterError>) -> Option<Reply> {
        match verdict {
            Ok(Verdict::Pass) => None,
            Ok(Verdict::Answer(reply)) => Some(reply),
            Err(error) => Some(refusal(&self.name, &error)),
        }
    }
}

/// What a filter says; a panic in it is a fault of ours, which costs this request alone.
async fn unharmed<T>(says: impl Future<Output = Result<T, FilterError>>) -> Result<T, FilterError> {
    let panicked = |_| Err(FilterError::Internal("it panicked".to_owned()));
    AssertUnwindSafe(says).catch_unwind().await.unwrap_or_else(panicked)
}

fn refusal(link: &str, error: &FilterError) -> Reply {
    tracing::error!(filter = link, %error, "a filter could not decide; the request is refused");
    match error {
        FilterError::Unavailable(_) => Problem::unavailable(),
        FilterError::Internal(_) => Problem::internal(),
    }
    .into()
}

#[cfg(test)]
mod tests;
