//! The trait that every filter implements.

use std::borrow::Cow;

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;

use crate::body::BodySource;
use crate::exchange::Exchange;
use crate::identity::Caller;
use crate::reply::Reply;

/// What a filter says about a request.
#[derive(Debug)]
#[must_use]
pub enum Verdict {
    /// Go on with the next filter.
    Pass,
    /// Stop here with this answer.
    Answer(Reply),
}

impl Verdict {
    /// The same as a result.
    ///
    /// # Errors
    /// The answer, where it is one.
    pub fn passed(self) -> Result<(), Reply> {
        match self {
            Self::Pass => Ok(()),
            Self::Answer(reply) => Err(reply),
        }
    }
}

/// A filter could not decide. The request is refused (503, or 500 for our own fault), never passed.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// Something the decision needs is out of reach for now.
    #[error("{0} is unavailable")]
    Unavailable(Cow<'static, str>),
    /// Our own fault.
    #[error("{0}")]
    Internal(String),
}

impl FilterError {
    /// This is out of reach: words for the log, which no client gets.
    ///
    /// ```
    /// use sidegate_filters::FilterError;
    ///
    /// assert_eq!(FilterError::unavailable("the session store").to_string(), "the session store is unavailable");
    /// ```
    #[must_use]
    pub fn unavailable(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Unavailable(what.into())
    }
}

/// One step of a route's chain. Filters run in the order the route names them. A panic in any method that decides counts as
/// [`FilterError::Internal`].
#[async_trait]
pub trait Filter: Send + Sync {
    /// The name used in the configuration and by `sidegate explain`.
    fn name(&self) -> &'static str;

    /// How the filter is set up, in one line for `sidegate explain`; no secrets.
    fn settings(&self) -> String {
        String::new()
    }

    /// Decides about a request. A filter that finds that it hangs on the body reads it then and there, with
    /// [`Exchange::read_body`]: after what the head alone decides, such as its media type (`http-api.md` 0.1).
    ///
    /// # Errors
    /// When it cannot decide: the chain refuses the request.
    async fn request(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Result<Verdict, FilterError>;

    /// Learns that the request goes to the destination now: nothing of ours refuses it any more, and what comes may be
    /// carried out even if no answer ever tells. What may happen only once is written down here; any other verdict than
    /// [`Verdict::Pass`], or an error, still keeps the request back.
    ///
    /// # Errors
    /// When it cannot decide: the chain refuses the request.
    async fn commit(&self, _exchange: &mut Exchange) -> Result<Verdict, FilterError> {
        Ok(Verdict::Pass)
    }

    /// Learns that no filter kept the request back: it is on its way.
    fn sent(&self, _exchange: &Exchange) {}

    /// Whether what the filter let pass may go on: of a connection that outlives its request, such as a WebSocket, this is
    /// asked every few seconds. `asked` is the request as it came.
    ///
    /// # Errors
    /// When it cannot decide: the connection ends.
    async fn holds(&self, _caller: &Caller, _asked: &Exchange) -> Result<bool, FilterError> {
        Ok(true)
    }

    /// Judges a request that was let pass anew, as it came, for a connection that outlives it: once another configuration is
    /// served, whose filters may be others. It has no body. What counts requests has counted it.
    ///
    /// # Errors
    /// When it cannot decide: the connection ends.
    async fn again(&self, exchange: &mut Exchange) -> Result<Verdict, FilterError> {
        self.request(exchange, &mut Bytes::new()).await
    }

    /// Learns how an upstream answered. Of a service in the same process nothing is told.
    ///
    /// # Errors
    /// When what had to be remembered could not be. It is logged and the answer is not changed: the filter has to refuse
    /// what comes after.
    async fn response(&self, _exchange: &Exchange, _status: StatusCode) -> Result<(), FilterError> {
        Ok(())
    }
}
