//! The phases of Pingora, each handed to the part that knows what to do (`gateway.md` 8).

mod chunks;
mod life;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Version, header};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType};
use sidegate_filters::Reply;
use tracing::Instrument as _;

use super::connection::Connection;
use super::failure;
use super::forward::censor_trailers;
use super::reply::Dress;
use super::serve::Next;
use super::settings::Limits;
use super::snapshot::Served;
use crate::routes::ListenerClass;
use crate::seats::Seats;
use crate::telemetry::access::{self, RequestRecord};
use crate::telemetry::{Metrics, Trace};
use chunks::Chunks;
use life::{Known, Life};

/// The proxy of one listener.
pub(super) struct Front {
    pub(super) class: ListenerClass,
    /// Where it listens, for the log.
    pub(super) address: Arc<str>,
    pub(super) served: Served,
    pub(super) limits: Arc<Limits>,
    /// Requests on their way to upstreams.
    pub(super) ways: Arc<Seats>,
    pub(super) metrics: Arc<Metrics>,
}

impl Front {
    pub(super) fn new(
        (class, address): (ListenerClass, Arc<str>),
        served: Served,
        limits: Arc<Limits>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let ways = Seats::new(limits.connections, limits.share(class));
        Self { class, address, served, limits, ways, metrics }
    }

    fn begin(&self, session: &mut Session) -> pingora::Result<Known> {
        let connection = Connection::of(session)
            .ok_or_else(|| Error::explain(ErrorType::InternalError, "a request without its connection"))?;
        session.set_write_timeout(Some(self.limits.write));
        let request_id = uuid::Uuid::new_v4().to_string();
        let trace = Trace::of(&session.req_header().headers);
        let span = access::span(&request_id, &trace);
        // HTTP/1.0 has none (RFC 9110 15.2): its client would take it for the answer.
        let is_old = session.req_header().version <= Version::HTTP_10;
        session.as_downstream_mut().set_ignore_info_resp(is_old);
        let protocol = match session.req_header().version {
            Version::HTTP_2 => "http/2",
            Version::HTTP_10 => "http/1.0",
            _ => "http/1.1",
        };
        // Where nobody knows for whom a proxy speaks, the line of the refusal names the proxy.
        let client = connection.address(&session.req_header().headers);
        let at = (self.class.name(), self.address.clone());
        let record = RequestRecord::new(&self.metrics, (request_id, trace), at, protocol, client);
        let dress = Dress { secure: connection.secure, ..Dress::default() };
        let reader = self.has_reader(&session.req_header().headers);
        Ok(Known { connection, record, dress, span, reader })
    }
}

/// Whether no other head comes behind one with this status.
fn is_last(status: StatusCode) -> bool {
    !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS
}

#[async_trait]
impl ProxyHttp for Front {
    type CTX = Life;

    fn new_ctx(&self) -> Life {
        Life::default()
    }

    fn init_downstream_modules(&self, modules: &mut HttpModules) {
        modules.add_module(Box::new(Chunks));
    }

    async fn request_filter(&self, session: &mut Session, life: &mut Life) -> pingora::Result<bool> {
        let known = life.known.insert(self.begin(session)?);
        let span = known.span.clone();
        let work = self.serve(session, &known.connection, &mut known.record, &mut known.dress);
        let reply = match work.instrument(span).await {
            Ok(Next::Forward(forward)) => {
                life.forward = Some(forward);
                return Ok(false);
            }
            Ok(Next::Answer(reply)) => reply,
            Err(problem) => problem.into(),
        };
        known.answer(session, reply).await;
        Ok(true)
    }

    async fn upstream_peer(&self, _: &mut Session, life: &mut Life) -> pingora::Result<Box<HttpPeer>> {
        life.forward_mut()?.peer().await
    }

    async fn request_body_filter(
        &self,
        _: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        life: &mut Life,
    ) -> pingora::Result<()> {
        life.forward.as_mut().map_or(Ok(()), |forward| forward.pass(body, end_of_stream))
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        request: &mut RequestHeader,
        life: &mut Life,
    ) -> pingora::Result<()> {
        life.rewrite(request)?;
        life.commit().await
    }

    async fn upstream_response_filter(
        &self,
        _: &mut Session,
        response: &mut ResponseHeader,
        life: &mut Life,
    ) -> pingora::Result<()> {
        life.forward_mut()?.censor(response)?;
        let (Some(forward), Some(known)) = (&mut life.forward, &life.known) else { return Ok(()) };
        if is_last(response.status) {
            forward.answered(response.status).instrument(known.span.clone()).await;
        }
        if response.status == StatusCode::SWITCHING_PROTOCOLS {
            known.span.in_scope(|| forward.open_tunnel())?;
        }
        Ok(())
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        life: &mut Life,
    ) -> pingora::Result<()> {
        if session.req_header().version == Version::HTTP_10 && !response.headers.contains_key(header::CONTENT_LENGTH) {
            // Its end is the connection's: the head says so.
            session.set_keepalive(None);
        }
        if response.status == StatusCode::SWITCHING_PROTOCOLS {
            // The client may be silent for as long as the server speaks.
            session.as_downstream_mut().set_read_timeout(None);
            life.known.iter().for_each(|known| known.connection.open_tunnel());
        }
        let Some(known) = &mut life.known else { return Ok(()) };
        if !is_last(response.status) {
            known.dress.bare_early(response);
            return Ok(());
        }
        known.record.answered(response.status);
        known.dress.put_on(response, known.record.request_id())
    }

    fn response_body_filter(
        &self,
        session: &mut Session,
        body: &mut Option<Bytes>,
        _: bool,
        life: &mut Life,
    ) -> pingora::Result<Option<Duration>> {
        let length = body.as_ref().map_or(0, Bytes::len);
        if let Some(known) = &mut life.known {
            // Should the gateway stop in the middle, nobody counts any more.
            known.record.set_bytes(session.body_bytes_read(), session.body_bytes_sent() + length);
        }
        life.forward.as_mut().map_or(Ok(()), |forward| forward.give(length)).map(|()| None)
    }

    fn upstream_response_trailer_filter(
        &self,
        _: &mut Session,
        trailers: &mut HeaderMap,
        life: &mut Life,
    ) -> pingora::Result<()> {
        if let Some(known) = &life.known {
            known.dress.bare_trailers(trailers);
        }
        censor_trailers(trailers)
    }

    fn fail_to_connect(&self, _: &mut Session, _: &HttpPeer, life: &mut Life, mut error: Box<Error>) -> Box<Error> {
        let next = life.in_span(|forward| forward.not_connected(&error));
        error.set_retry(next);
        error
    }

    /// What was sent cannot be unsent: a request is sent again only if the connection was closed before any answer came.
    fn error_while_proxy(
        &self,
        _: &HttpPeer,
        session: &mut Session,
        mut error: Box<Error>,
        life: &mut Life,
        kept: bool,
    ) -> Box<Error> {
        let unanswered = session.response_written().is_none();
        let again = life.in_span(|forward| forward.broken(&mut error, kept, unanswered));
        error.set_retry(again);
        error
    }

    /// Pingora's own line would name what `Forward` has logged.
    fn suppress_proxy_warn_log(&self, _: &Session, _: &Life, _: &Error, _: ProxyWarnLogContext) -> bool {
        true
    }

    async fn fail_to_proxy(&self, session: &mut Session, error: &Error, life: &mut Life) -> FailToProxy {
        let begun = session.response_written().is_some_and(|head| is_last(head.status));
        let done = |error_code| FailToProxy { error_code, can_reuse_downstream: false };
        let Some(known) = &mut life.known else { return done(0) };
        let forward = life.forward.as_deref();
        if begun {
            known.record.cut_by(known.span.in_scope(|| failure::broken_off(error, forward)));
            return done(0);
        }
        let explain = || failure::explain(error, forward).map(Reply::from);
        let Some(reply) = life.kept_back.take().or_else(|| known.span.in_scope(explain)) else {
            known.record.cut_by(failure::cut_by(error));
            return done(0);
        };
        let status = reply.status().as_u16();
        known.record.reach(failure::stage(error));
        // The answer says so: a client must not send its next request into a connection that closes.
        session.set_keepalive(None);
        known.answer(session, reply).await;
        done(status)
    }

    async fn logging(&self, session: &mut Session, _: Option<&Error>, life: &mut Life) {
        if let Some(known) = &mut life.known {
            known.record.set_bytes(session.body_bytes_read(), session.body_bytes_sent());
            life.forward.iter().for_each(|forward| known.record.set_way(forward.way()));
            known.record.finish();
        }
    }

    /// Pingora's own line would quote the path; [`failure`] has logged what there is to say.
    fn suppress_error_log(&self, _: &Session, _: &Life, _: &Error) -> bool {
        true
    }

    fn request_summary(&self, _: &Session, life: &Life) -> String {
        life.known.as_ref().map(|known| known.record.request_id().to_owned()).unwrap_or_default()
    }
}
