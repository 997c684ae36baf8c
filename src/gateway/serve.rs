//! The life of a request up to its answer or its way to an upstream (`gateway.md` 2, `http-api.md` 0.1):
//! 404, 405, then the route's filters, 415, 406, 413, 400 for a body where none may be, then the service.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use pingora::proxy::Session;
use sidegate_filters::identity_creation::accepts_html;
use sidegate_filters::path::PathError;
use sidegate_filters::{
    BodySource as _, Caller, CanonicalPath, Exchange, Params, Problem, Reason, Reply, TurnedAway, Verdict,
};

use super::body::ClientBody;
use super::connection::Connection;
use super::forward::{Asked, Forward};
use super::head::HeadFault;
use super::media;
use super::proxy::Front;
use super::reply::Dress;
use super::request::Request;
use super::snapshot::Snapshot;
use super::websocket;
use crate::identity::login_page::not_found;
use crate::routes::{Destination, Endpoint, ListenerClass, Route, Router, Unrouted, Upstream};
use crate::seats::NoSeat;
use crate::store::SourceNetwork;
use crate::telemetry::access::{RequestRecord, Stage};

/// The most of a body that Pingora can hold back and hand on later.
const HELD_BYTES: usize = 64 * 1024;

/// How a request goes on.
pub(super) enum Next {
    Answer(Reply),
    Forward(Box<Forward>),
}

impl Front {
    /// Decides about a request, and has it answered if its destination is a service of ours.
    pub(super) async fn serve(
        &self,
        session: &mut Session,
        connection: &Arc<Connection>,
        record: &mut RequestRecord,
        dress: &mut Dress,
    ) -> Result<Next, Problem> {
        let mut request = self.checked(session, connection, record)?;
        dress.secure = request.client.secure;
        let snapshot = self.served.now();
        record.reach(Stage::Connection);
        if !self.served.admits(&snapshot, connection) {
            session.set_keepalive(None);
            return Err(misdirected());
        }
        record.reach(Stage::Route);
        let (route, path, forwarded, params) = match self.find(&snapshot.router, &request) {
            Ok(found) => found,
            Err(unrouted) => return self.lost(unrouted, &request),
        };
        record.set_route(&route.name, &route.pattern);
        let host = std::mem::take(&mut request.host);
        if matches!(route.destination, Destination::Upstream(_)) {
            session.as_mut().enable_retry_buffering();
        }
        let terms = route.websocket.as_ref().filter(|_| websocket::is_asked_for(session.req_header()));
        // Whoever may not pass the filters is told that first.
        let handshake = terms.map(|terms| websocket::check(session.req_header(), terms));
        let mut body = ClientBody::new(session, &self.limits, request.expects_continue);
        let mut exchange = exchange(request, path, params, record.request_id().to_owned());
        record.reach(Stage::Filters);
        let asked = terms.map(|_| self.asked(&exchange, connection, snapshot));
        let verdict = route.filters.request(&mut exchange, &mut body).await;
        note(&mut exchange, record, dress);
        if let Verdict::Answer(reply) = verdict {
            return Ok(Next::Answer(reply));
        }
        match &route.destination {
            Destination::Local(endpoint) => self.local(endpoint.as_ref(), &route, exchange, body, record).await,
            Destination::Upstream(upstream) => {
                record.reach(Stage::WebSocket);
                let handshake = handshake.transpose()?.zip(asked);
                let on = (route.clone(), upstream.clone());
                let forward = self.to_upstream(on, exchange, (forwarded, host), body, record).await?;
                Ok(Next::Forward(Box::new(forward.with_websocket(handshake))))
            }
        }
    }

    /// A way to the upstream, and the body as far as it is read before it goes there.
    async fn to_upstream(
        &self,
        (route, upstream): (Arc<Route>, Arc<Upstream>),
        mut exchange: Exchange,
        (path, host): (Option<CanonicalPath>, String),
        mut body: ClientBody<'_>,
        record: &mut RequestRecord,
    ) -> Result<Forward, Problem> {
        record.reach(Stage::Limits);
        let client = SourceNetwork::of(exchange.client.address);
        let way = self.ways.take(Some(client)).map_err(|reason| self.crowded(reason))?;
        record.reach(Stage::Body);
        let stream = self.hold(&route, &mut exchange, &mut body).await?;
        record.reach(Stage::Upstream);
        Ok(Forward::new((route, upstream), exchange, path, host, stream, way))
    }

    /// A request for a WebSocket, to be judged anew while that is open.
    fn asked(&self, exchange: &Exchange, connection: &Arc<Connection>, snapshot: Arc<Snapshot>) -> Asked {
        let (exchange, connection, served) = (exchange.clone(), connection.clone(), self.served.clone());
        Asked { exchange, connection, class: self.class, served, snapshot }
    }

    fn crowded(&self, reason: NoSeat) -> Problem {
        tracing::info!(reason = reason.name(), "too many requests are on their way to upstreams");
        self.metrics.refused_forward(self.class.name(), reason.name());
        let detail = "too many requests are on their way to the servers behind the gateway; try again in a while";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).because(match reason {
            NoSeat::Full => Reason::Full,
            NoSeat::Share => Reason::Share,
        });
        problem.with(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    fn checked(
        &self,
        session: &Session,
        connection: &Connection,
        record: &mut RequestRecord,
    ) -> Result<Request, Problem> {
        if let Some(fault) = connection.take_fault() {
            return Err(refused(fault));
        }
        record.set_method(&session.req_header().method);
        Request::check(session.req_header(), connection, self.class, &self.limits)
    }

    /// The row, the path that it matched, the one that is forwarded if that is another, and the first's parameters.
    fn find(
        &self,
        router: &Router,
        request: &Request,
    ) -> Result<(Arc<Route>, CanonicalPath, Option<CanonicalPath>, Params), Unrouted> {
        let found = router.find(self.class, &request.method, &request.path)?;
        Ok((found.route.clone(), found.path, found.forwarded, found.params))
    }

    /// Whether a person reads the answer: a browser on a public listener.
    pub(super) fn has_reader(&self, headers: &HeaderMap) -> bool {
        self.class == ListenerClass::Public && accepts_html(headers)
    }

    /// A browser that took a wrong turn gets a page to read, everybody else a problem.
    fn lost(&self, unrouted: Unrouted, request: &Request) -> Result<Next, Problem> {
        if unrouted == Unrouted::Path && self.has_reader(&request.headers) {
            return Ok(Next::Answer(Reply::Response(not_found())));
        }
        Err(lost(unrouted))
    }

    async fn local(
        &self,
        endpoint: &dyn Endpoint,
        route: &Route,
        mut exchange: Exchange,
        mut body: ClientBody<'_>,
        record: &mut RequestRecord,
    ) -> Result<Next, Problem> {
        record.reach(Stage::Media);
        let media = endpoint.media();
        let has_body = exchange.body.as_ref().map_or_else(|| body.is_there(), |body| !body.is_empty());
        media::check(media, &exchange.headers, has_body)?;
        record.reach(Stage::Body);
        let limit = route.body_limit.unwrap_or(self.limits.body_bytes);
        match &exchange.body {
            Some(body) if body.len() > limit => return Err(Problem::too_long(limit)),
            None if !media.takes.is_empty() => exchange.body = Some(body.read(limit).await?),
            _ => {}
        }
        if exchange.method == Method::HEAD {
            exchange.method = Method::GET;
        }
        record.reach(Stage::Filters);
        let verdict = route.filters.commit(&mut exchange).await;
        record.stopped_by(exchange.refused_by.take());
        if let Verdict::Answer(reply) = verdict {
            return Ok(Next::Answer(reply));
        }
        record.reach(Stage::Service);
        // A panic costs this request alone; the chain sees to those of its filters.
        let answered = AssertUnwindSafe(endpoint.answer(exchange)).catch_unwind().await;
        answered.map(Next::Answer).map_err(|_| Problem::internal())
    }

    /// Reads a body that has a small limit before any of it goes to the upstream; whether it streams instead.
    async fn hold(&self, route: &Route, exchange: &mut Exchange, body: &mut ClientBody<'_>) -> Result<bool, Problem> {
        if let Some(limit) = route.body_limit {
            body.check_announced(limit)?;
            if exchange.body.as_ref().is_some_and(|body| body.len() > limit) {
                return Err(Problem::too_long(limit));
            }
        }
        if !route.takes_body(&exchange.method) || body.is_announced_empty() {
            refuse_body(exchange, body).await?;
        }
        let limit = route.body_limit.filter(|limit| *limit <= HELD_BYTES);
        if let (Some(limit), None, true) = (limit, &exchange.body, body.is_there()) {
            exchange.body = Some(body.read(limit).await?);
        }
        let stream = exchange.body.is_none() && body.is_there();
        if stream {
            body.invite().await;
        }
        Ok(stream)
    }
}

/// A server that expects no body by this method may leave it unread, and take it for the next request on the connection:
/// one that never passed a filter.
async fn refuse_body(exchange: &Exchange, body: &mut ClientBody<'_>) -> Result<(), Problem> {
    let is_read = exchange.body.as_ref().is_some_and(|read| !read.is_empty());
    if is_read || !body.ends_empty().await? {
        let detail = format!("a request by {} has no body here", exchange.method);
        return Err(Problem::bad_request(detail).because(Reason::Body));
    }
    Ok(())
}

fn exchange(request: Request, path: CanonicalPath, params: Params, request_id: String) -> Exchange {
    let Request { method, query, headers, client, .. } = request;
    Exchange { query, params, ..Exchange::new(request_id, method, path, headers, client) }
}

/// What the filters want known of the request, and worn by its answer.
fn note(exchange: &mut Exchange, record: &mut RequestRecord, dress: &mut Dress) {
    let (kind, user) = known(exchange);
    record.set_caller(kind, user);
    record.stopped_by(exchange.refused_by.take());
    dress.personal = exchange.personal;
    dress.changes = std::mem::take(&mut exchange.answer_changes);
    dress.dead_cookie = exchange.dead_cookie.take();
}

/// Who is calling, by kind and extId: whoever was turned away is not nobody.
fn known(exchange: &mut Exchange) -> (&'static str, Option<String>) {
    match (&exchange.caller, exchange.turned_away.take()) {
        (Caller::User(session), _) => ("user", Some(session.ext_id.clone())),
        (Caller::Anonymous, Some(TurnedAway::User(ext_id))) => ("user", Some(ext_id)),
        (Caller::Internal(_), _) | (Caller::Anonymous, Some(TurnedAway::Internal)) => ("internal", None),
        (Caller::Anonymous, None) => ("anonymous", None),
    }
}

fn refused(fault: HeadFault) -> Problem {
    let problem = Problem::new(fault.status(), fault.to_string()).because(fault.reason());
    if fault == HeadFault::Method { problem.with(header::ALLOW, HeaderValue::from_static("")) } else { problem }
}

/// Whoever was let in by authorities that are not asked any more proves itself anew (RFC 9110 15.5.20).
fn misdirected() -> Problem {
    let detail =
        "certificates of clients are checked by other authorities than when this connection was made; connect anew";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, detail)
}

fn lost(unrouted: Unrouted) -> Problem {
    match unrouted {
        Unrouted::Path => Problem::new(StatusCode::NOT_FOUND, "nothing is served here"),
        Unrouted::Spelling => PathError::Unusual.into(),
        Unrouted::Ambiguous => Problem::bad_request("the path could be read as another one, which is served otherwise")
            .because(Reason::PathSpelling),
        Unrouted::Method(methods) => {
            let allow = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
            let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("this path is served for {allow}"));
            match HeaderValue::try_from(allow) {
                Ok(allow) => problem.with(header::ALLOW, allow),
                Err(_) => problem,
            }
        }
    }
}

#[cfg(test)]
mod tests;
