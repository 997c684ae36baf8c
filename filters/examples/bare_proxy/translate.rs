//! Between Pingora's types and those of filters: what comes in, what goes on, what is answered.

use std::net::{IpAddr, SocketAddr};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{HeaderName, Response, header};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::prelude::Session;
use sidegate_filters::{BodySource, CanonicalPath, Client, Exchange, PathRules, Problem, RemovedHeaders, caching};

/// The head that came. A path that can be read in two ways is refused.
pub(crate) fn receive(session: &Session, internal: bool) -> Result<Exchange, Problem> {
    let head = session.req_header();
    let path = CanonicalPath::parse(head.uri.path()).map_err(|error| Problem::bad_request(error.to_string()))?;
    if !PathRules::default().allow(path.unusual()) {
        return Err(Problem::bad_request("the path can be read in two ways"));
    }
    let address = session.client_addr().and_then(|address| address.as_inet()).map(SocketAddr::ip);
    let client = Client {
        address: address.unwrap_or(IpAddr::from([0, 0, 0, 0])),
        connection: 0,
        secure: false,
        internal,
        certificate: None,
        names: None,
        origin: "http://127.0.0.1:6188".to_owned(),
    };
    let exchange = Exchange::new("request".to_owned(), head.method.clone(), path, head.headers.clone(), client);
    Ok(Exchange { query: head.uri.query().map(str::to_owned), ..exchange })
}

/// The body that came.
pub(crate) struct Body<'a>(pub(crate) &'a mut Session);

#[async_trait]
impl BodySource for Body<'_> {
    async fn read(&mut self, limit: usize) -> Result<Bytes, Problem> {
        // Pingora sends on what it kept.
        self.0.as_mut().enable_retry_buffering();
        let mut body = BytesMut::new();
        let broken = |_| Problem::bad_request("the body is broken");
        while let Some(piece) = self.0.as_mut().read_request_body().await.map_err(broken)? {
            if body.len() + piece.len() > limit {
                return Err(Problem::too_long(limit));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }
}

/// Makes Pingora's copy of the head what goes on: the path that was matched, nothing that a filter took out, no look-alike
/// of a header that only we may set, and then ours. What belongs to one connection is gone already.
pub(crate) fn forward(head: &mut RequestHeader, exchange: &Exchange, removed: &RemovedHeaders) -> pingora::Result<()> {
    let query = exchange.query.iter().flat_map(|query| ["?", query.as_str()]);
    head.set_raw_path([exchange.path.as_str()].into_iter().chain(query).collect::<String>().as_bytes())?;
    let goes = |name: &&HeaderName| !exchange.headers.contains_key(*name) || removed.keep_back(name);
    for name in head.headers.keys().filter(goes).cloned().collect::<Vec<_>>() {
        head.remove_header(&name);
    }
    if let Some(cookies) = exchange.headers.get(header::COOKIE) {
        head.insert_header(header::COOKIE, cookies)?;
    }
    for (name, _) in &exchange.upstream_headers {
        head.remove_header(name);
    }
    exchange.upstream_headers.iter().try_for_each(|(name, value)| head.append_header(name.clone(), value).map(drop))
}

/// Has an answer to a caller who is known kept by no cache but the caller's own.
pub(crate) fn keep_personal(head: &mut ResponseHeader, exchange: &Exchange) -> pingora::Result<()> {
    if !exchange.personal {
        return Ok(());
    }
    let mut kept = head.headers.clone();
    caching::keep_personal(&mut kept);
    for name in head.headers.keys().filter(|name| !kept.contains_key(*name)).cloned().collect::<Vec<_>>() {
        head.remove_header(&name);
    }
    kept.remove(header::CACHE_CONTROL).map_or(Ok(()), |value| head.insert_header(header::CACHE_CONTROL, value))
}

/// Sends an answer of ours.
pub(crate) async fn answer(session: &mut Session, reply: Response<Bytes>) -> pingora::Result<()> {
    let mut head = ResponseHeader::build(reply.status(), None)?;
    for (name, value) in reply.headers() {
        head.append_header(name, value)?;
    }
    head.insert_header(header::CONTENT_LENGTH, reply.body().len())?;
    session.set_keepalive(None);
    session.write_response_header(Box::new(head), false).await?;
    session.write_response_body(Some(reply.into_body()), true).await
}
