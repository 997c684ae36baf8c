//! Reading a body whole: bounded in bytes and in time.

use async_trait::async_trait;
use bytes::Bytes;
use http::header;
use pingora::proxy::Session;
use sidegate_filters::body::Pieces;
use sidegate_filters::{BodySource, Problem};
use tokio::time::{Instant, timeout_at};

use super::meter::Meter;
use super::settings::Limits;

/// The body of the request at hand.
pub(super) struct ClientBody<'a> {
    session: &'a mut Session,
    limits: &'a Limits,
    /// The client waits to be told to send it.
    expects_continue: bool,
}

impl<'a> ClientBody<'a> {
    pub(super) fn new(session: &'a mut Session, limits: &'a Limits, expects_continue: bool) -> Self {
        Self { session, limits, expects_continue }
    }

    /// Whether the request has a body that is not empty.
    pub(super) fn is_there(&mut self) -> bool {
        !self.session.is_body_empty()
    }

    /// Whether the request has no body, or an empty one. Over HTTP/2 the end of what has none may come behind the head in
    /// a frame of its own, so that it is waited for.
    pub(super) async fn ends_empty(&mut self) -> Result<bool, Problem> {
        let mut meter = Meter::new(self.limits);
        // Pingora takes a body that the head says is empty for one that has ended.
        while self.session.is_http2() && (self.is_there() || self.is_announced_empty()) {
            match self.next(&mut meter).await? {
                Some(piece) if piece.is_empty() => {}
                // Where the end has come and trailers follow, something is there still.
                _ => break,
            }
        }
        Ok(!self.is_there())
    }

    /// Whether the head says that nothing follows it.
    pub(super) fn is_announced_empty(&self) -> bool {
        self.session.req_header().headers.get(header::CONTENT_LENGTH).is_some_and(|length| length == "0")
    }

    /// Refuses a body that says itself that it is too long.
    pub(super) fn check_announced(&self, limit: usize) -> Result<(), Problem> {
        let length = self.session.req_header().headers.get(header::CONTENT_LENGTH);
        match length.and_then(|value| value.to_str().ok()).map(str::parse::<usize>) {
            None => Ok(()),
            Some(Ok(length)) if length <= limit => Ok(()),
            Some(_) => Err(Problem::too_long(limit)),
        }
    }

    /// Tells a waiting client to send; over HTTP/2 there is no way to, and the client sends after a while.
    pub(super) async fn invite(&mut self) {
        if std::mem::take(&mut self.expects_continue)
            && let Err(error) = self.session.as_downstream_mut().write_continue_response().await
        {
            tracing::debug!(kind = error.etype().as_str(), "a client could not be told to go on");
        }
    }

    /// What came next, or nothing at the end.
    async fn next(&mut self, meter: &mut Meter) -> Result<Option<Bytes>, Problem> {
        loop {
            let end = meter.run(Instant::now());
            if let Ok(read) = timeout_at(end, self.session.as_downstream_mut().read_request_body()).await {
                let Ok(piece) = read else {
                    // Pingora would go on behind the fault as if a request began there.
                    self.session.set_keepalive(None);
                    return Err(Problem::bad_request("the body is broken"));
                };
                meter.take(piece.as_ref().map_or(0, Bytes::len));
                return Ok(piece);
            }
            if meter.is_slow(Instant::now()) {
                return Err(Problem::too_slow());
            }
        }
    }
}

#[async_trait]
impl BodySource for ClientBody<'_> {
    async fn read(&mut self, limit: usize) -> Result<Bytes, Problem> {
        self.check_announced(limit)?;
        self.invite().await;
        let meter = Meter::new(self.limits);
        Metered { body: self, meter }.gather(limit).await
    }
}

/// A body that is read whole, and has to come at the pace for one.
struct Metered<'a, 'b> {
    body: &'a mut ClientBody<'b>,
    meter: Meter,
}

impl Pieces for Metered<'_, '_> {
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        self.body.next(&mut self.meter).await
    }
}
