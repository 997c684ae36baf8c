//! What is known of one request while it lives.

use std::sync::Arc;

use pingora::http::RequestHeader;
use pingora::proxy::Session;
use pingora::{Error, ErrorType};
use sidegate_filters::Reply;
use tracing::Instrument as _;

use crate::gateway::connection::Connection;
use crate::gateway::forward::Forward;
use crate::gateway::reply::{self, Dress};
use crate::gateway::watch::BodyWatch;
use crate::identity::login_page::failed;
use crate::telemetry::access::{Cut, RequestRecord};

/// One request, from its first phase to its last.
#[derive(Default)]
pub(in crate::gateway) struct Life {
    pub(super) known: Option<Known>,
    pub(super) forward: Option<Box<Forward>>,
    /// The answer in place of sending the request, of a filter that decided when there was a connection for it.
    pub(super) kept_back: Option<Reply>,
}

/// What is known of every request that got as far as a filter phase.
pub(super) struct Known {
    pub(super) connection: Arc<Connection>,
    pub(super) record: RequestRecord,
    pub(super) dress: Dress,
    pub(super) span: tracing::Span,
    /// Whether a person reads the answer.
    pub(super) reader: bool,
}

/// A body that stood still over HTTP/2 ends its request without a word from Pingora.
impl Drop for Known {
    fn drop(&mut self) {
        if BodyWatch::current().is_some_and(|watch| watch.is_late()) {
            self.record.cut_by(Cut::Client);
        }
    }
}

/// A request that is cut has its line when the record of it is dropped, which is after this.
impl Drop for Life {
    fn drop(&mut self) {
        if let (Some(known), Some(forward)) = (&mut self.known, &self.forward)
            && !known.record.is_written()
        {
            known.record.set_way(forward.way());
        }
    }
}

impl Known {
    /// Sends an answer. A person gets a page to read in place of a failure of ours or of the upstream, everybody else the
    /// problem.
    pub(super) async fn answer(&mut self, session: &mut Session, reply: Reply) {
        if let Some(reason) = reply.reason() {
            self.record.refuse(reason);
        }
        let reply = match reply {
            Reply::Problem(problem) if self.reader && problem.status.is_server_error() => {
                Reply::Response(failed(problem.status, problem.headers, self.record.request_id()))
            }
            reply => reply,
        };
        reply::send(session, &self.connection, &mut self.record, &self.dress, reply).await;
    }
}

impl Life {
    pub(super) fn forward_mut(&mut self) -> pingora::Result<&mut Forward> {
        self.forward.as_deref_mut().ok_or_else(unset)
    }

    /// Makes Pingora's copy of the client's request into ours.
    pub(super) fn rewrite(&mut self, request: &mut RequestHeader) -> pingora::Result<()> {
        let (Some(forward), Some(known)) = (&mut self.forward, &self.known) else { return Err(unset()) };
        forward.rewrite(request, known.record.trace())
    }

    /// The last word of the filters: what comes next is on the wire.
    pub(super) async fn commit(&mut self) -> pingora::Result<()> {
        let span = self.known.as_ref().map_or_else(tracing::Span::none, |known| known.span.clone());
        let Err((reply, filter)) = self.forward_mut()?.commit().instrument(span).await else { return Ok(()) };
        if let Some(known) = &mut self.known {
            known.record.stopped_by(filter);
        }
        self.kept_back = Some(reply);
        Err(Error::explain(ErrorType::InternalError, "a filter kept the request back").into_in())
    }

    /// What `decide` says of the request on its way; no without one.
    pub(super) fn in_span(&mut self, decide: impl FnOnce(&mut Forward) -> bool) -> bool {
        let (Some(known), Some(forward)) = (&self.known, &mut self.forward) else { return false };
        known.span.in_scope(|| decide(forward))
    }
}

fn unset() -> Box<Error> {
    Error::explain(ErrorType::InternalError, "a request without a destination")
}
