//! The one way out for every answer of ours.
//!
//! An answer may come before the client's body was read. Over HTTP/2 the stream is then kept until the client lets go of
//! it, since a reset right behind the answer makes clients drop the answer; over HTTP/1 the connection is read on for a
//! while before it closes. So a client sees its 401 or 413 on both.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use sidegate_filters::headers::{Change, Deed};
use sidegate_filters::{Reply, caching};
use tokio::time::{Instant, timeout_at};

use super::connection::Connection;
use crate::telemetry::access::{Cut, RequestRecord};

/// How long a client over HTTP/2 has to take note of an early answer, and of any if it was slow before.
const LET_GO: Duration = Duration::from_secs(1);
/// A body of this many bytes is read after its answer rather than left to the client to break off.
const SMALL_BODY: usize = 64 * 1024;
const REQUEST_ID: &str = "x-request-id";
/// Two years, as browsers' preload lists ask for at least one.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// What every answer to a request carries, whoever makes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Dress {
    /// The client came over TLS: browsers shall not come back without.
    pub(super) secure: bool,
    /// What the row changes in what its upstream says.
    pub(super) changes: Vec<Change>,
    /// It is for a caller who is known.
    pub(super) personal: bool,
    /// What clears the client's cookie, if a 401 tells it that it has no session.
    pub(super) dead_cookie: Option<HeaderValue>,
}

impl Dress {
    /// Adds the headers to an answer of an upstream.
    pub(super) fn put_on(&self, head: &mut ResponseHeader, request_id: &str) -> pingora::Result<()> {
        self.put_on_ours(head, request_id)?;
        self.changes.iter().filter(|change| self.may_say(change)).try_for_each(|change| make(change, head))?;
        // A cookie is cleared for this client alone: from a shared cache that would end the sessions of others.
        if self.personal || self.clears(head) {
            keep_personal(head)?;
        }
        self.clear(head)
    }

    /// Adds the headers to an answer of our own: what that says of itself stays, and no header of the row says more to
    /// caches than its `Cache-Control`.
    fn put_on_own(&self, head: &mut ResponseHeader, request_id: &str) -> pingora::Result<()> {
        let own = head.headers.clone();
        self.put_on_ours(head, request_id)?;
        let counts = |change: &&Change| {
            let is_said = own.contains_key(&change.name) || caching::overrides_control(&change.name);
            matches!(change.deed, Deed::Set(_)) && !is_said && self.may_say(change)
        };
        self.changes.iter().filter(counts).try_for_each(|change| make(change, head))?;
        if self.personal {
            head.insert_header(header::CACHE_CONTROL, "no-store")?;
        }
        self.clear(head)
    }

    /// What is set here, or removed, an upstream says neither before its answer nor behind it, nor there to caches what
    /// its answer to a known caller may not say.
    pub(super) fn bare_early(&self, head: &mut ResponseHeader) {
        for name in self.kept_back() {
            head.remove_header(name);
        }
        let is_of_caches = |name: &HeaderName| *name == header::CACHE_CONTROL || caching::overrides_control(name);
        let said: Vec<HeaderName> = head.headers.keys().filter(|name| is_of_caches(name)).cloned().collect();
        for name in said.iter().filter(|_| self.personal) {
            head.remove_header(name);
        }
    }

    /// The same of what stands behind a body.
    pub(super) fn bare_trailers(&self, trailers: &mut HeaderMap) {
        for name in self.kept_back() {
            trailers.remove(name);
        }
    }

    fn kept_back(&self) -> impl Iterator<Item = &HeaderName> {
        let goes = |change: &&Change| !matches!(change.deed, Deed::Add(_));
        self.changes.iter().filter(goes).map(|change| &change.name)
    }

    /// Over a plain connection nobody says that others are to be encrypted (RFC 6797 7.2).
    fn may_say(&self, change: &Change) -> bool {
        self.secure || change.name != header::STRICT_TRANSPORT_SECURITY || change.deed == Deed::Remove
    }

    fn put_on_ours(&self, head: &mut ResponseHeader, request_id: &str) -> pingora::Result<()> {
        head.insert_header(REQUEST_ID, request_id)?;
        if self.secure {
            head.insert_header(header::STRICT_TRANSPORT_SECURITY, HSTS)?;
        }
        Ok(())
    }

    fn clears(&self, head: &ResponseHeader) -> bool {
        self.dead_cookie.is_some() && head.status == StatusCode::UNAUTHORIZED
    }

    fn clear(&self, head: &mut ResponseHeader) -> pingora::Result<()> {
        if let Some(cleared) = self.dead_cookie.as_ref().filter(|_| self.clears(head)) {
            head.append_header(header::SET_COOKIE, cleared.clone())?;
        }
        Ok(())
    }
}

/// Pingora keeps the letters of names beside the headers, so that each is taken over alone.
fn keep_personal(head: &mut ResponseHeader) -> pingora::Result<()> {
    let mut kept = head.headers.clone();
    caching::keep_personal(&mut kept);
    let gone: Vec<HeaderName> = head.headers.keys().filter(|name| !kept.contains_key(*name)).cloned().collect();
    for name in gone {
        head.remove_header(&name);
    }
    for name in [header::CACHE_CONTROL, header::VARY] {
        head.remove_header(&name);
        kept.get_all(&name).iter().try_for_each(|value| head.append_header(&name, value.clone()).map(drop))?;
    }
    Ok(())
}

fn make(Change { name, deed }: &Change, head: &mut ResponseHeader) -> pingora::Result<()> {
    match deed {
        Deed::Set(value) => head.insert_header(name.clone(), value.clone()),
        Deed::Add(value) => head.append_header(name.clone(), value.clone()).map(drop),
        Deed::Remove => {
            head.remove_header(name);
            Ok(())
        }
    }
}

/// Sends an answer. What goes wrong on the way is the client's connection, so there is nobody to tell.
pub(super) async fn send(
    session: &mut Session,
    connection: &Connection,
    record: &mut RequestRecord,
    dress: &Dress,
    reply: Reply,
) {
    let response = reply.into_response(record.request_id());
    record.answered(response.status());
    if session.is_http2() && response.status() == StatusCode::REQUEST_TIMEOUT {
        session.set_write_timeout(Some(LET_GO));
    }
    if let Err(error) = write(session, record.request_id(), dress, response).await {
        tracing::debug!(kind = error.etype().as_str(), "an answer did not reach its client");
        record.cut_by(Cut::Client);
        return;
    }
    if session.is_body_done() {
        return;
    }
    connection.linger();
    if session.is_http2() {
        let_go(session).await;
    }
}

/// Keeps a stream until the client is done with it: it has sent its body, if that is small, or has seen the answer.
async fn let_go(session: &mut Session) {
    let end = Instant::now() + LET_GO;
    let mut left = SMALL_BODY;
    while left > 0 {
        match timeout_at(end, session.as_downstream_mut().read_request_body()).await {
            Ok(Ok(Some(piece))) => left = left.saturating_sub(piece.len()),
            _ => return,
        }
    }
    if let Some(close) = session.as_downstream_mut().watch_h2_stream_close() {
        let _ = timeout_at(end, close).await;
    }
}

async fn write(
    session: &mut Session,
    request_id: &str,
    dress: &Dress,
    response: Response<Bytes>,
) -> pingora::Result<()> {
    let (parts, body) = response.into_parts();
    let mut head = ResponseHeader::build(parts.status, Some(parts.headers.len() + 6))?;
    for (name, value) in &parts.headers {
        head.append_header(name, value)?;
    }
    head.insert_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")?;
    dress.put_on_own(&mut head, request_id)?;
    if has_length(parts.status) {
        head.insert_header(header::CONTENT_LENGTH, body.len())?;
    }
    let body = if session.req_header().method == http::Method::HEAD { Bytes::new() } else { body };
    session.write_response_header(Box::new(head), false).await?;
    session.write_response_body(Some(body), true).await
}

/// RFC 9110 8.6.
fn has_length(status: StatusCode) -> bool {
    !status.is_informational() && status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_an_answer_to_a_known_caller_caches_are_told_nothing() {
        for (personal, left) in [(false, 4), (true, 1)] {
            let mut hints = ResponseHeader::build(103, None).unwrap();
            for name in ["Link", "Cache-Control", "CDN-Cache-Control", "X_Accel_Expires"] {
                hints.append_header(name.to_owned(), "a").unwrap();
            }
            Dress { personal, ..Dress::default() }.bare_early(&mut hints);
            assert_eq!(hints.headers.len(), left);
        }
    }
}
