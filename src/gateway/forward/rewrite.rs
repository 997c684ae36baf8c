//! The head that an upstream gets.

use http::{HeaderName, HeaderValue, Version, header};
use pingora::http::RequestHeader;
use sidegate_filters::delegation::RemovedHeaders;
use sidegate_filters::identity_creation::foreign_cookies;
use sidegate_filters::{CanonicalPath, Exchange};

use crate::telemetry::{Trace, trace};

/// Where a request goes, and as what.
pub(super) struct Target<'a> {
    /// `host:port` of the server.
    pub(super) host: &'a str,
    pub(super) path: &'a CanonicalPath,
    /// See [`crate::routes::Upstream`].
    pub(super) identity_headers: &'a RemovedHeaders,
    /// Over HTTP/1.1 it is the last request on its connection.
    pub(super) last: bool,
    /// It asks for a WebSocket.
    pub(super) websocket: bool,
    pub(super) trace: &'a Trace,
}

/// Rewrites Pingora's copy of the client's head. Hop-by-hop fields are gone already, with what `Connection` named.
pub(super) fn rewrite(
    head: &mut RequestHeader,
    exchange: &Exchange,
    to: &Target<'_>,
    host: &str,
) -> pingora::Result<()> {
    restore(head, exchange)?;
    remove(head, exchange, to.identity_headers);
    head.set_raw_path(to.path.with_query(exchange.query.as_deref()).as_bytes())?;
    head.insert_header(header::HOST, to.host)?;
    if let Some(cookies) = foreign_cookies(&exchange.headers) {
        head.insert_header(header::COOKIE, cookies)?;
    }
    // A server that heeds it reads no further, and Pingora keeps the connection for nobody else.
    if to.last && head.version == Version::HTTP_11 {
        head.insert_header(header::CONNECTION, HeaderValue::from_static("close"))?;
    }
    if to.websocket {
        head.insert_header(header::CONNECTION, HeaderValue::from_static("Upgrade"))?;
        head.insert_header(header::UPGRADE, HeaderValue::from_static("websocket"))?;
    }
    tell_origin(head, exchange, host)?;
    tell_trace(head, to.trace)?;
    for (name, _) in &exchange.upstream_headers {
        head.remove_header(name);
    }
    for (name, value) in &exchange.upstream_headers {
        head.append_header(name.clone(), value.clone())?;
    }
    Ok(())
}

/// Puts back what the filters saw: whatever the proxy took out of its copy, they decided by it. How the body is framed is
/// the proxy's own to say.
fn restore(head: &mut RequestHeader, exchange: &Exchange) -> pingora::Result<()> {
    for name in exchange.headers.keys() {
        if [header::CONTENT_LENGTH, header::TRANSFER_ENCODING].contains(name) || head.headers.contains_key(name) {
            continue;
        }
        for value in exchange.headers.get_all(name) {
            head.append_header(name.clone(), value.clone())?;
        }
    }
    Ok(())
}

/// Takes out whatever goes no further as it came.
fn remove(head: &mut RequestHeader, exchange: &Exchange, identity_headers: &RemovedHeaders) {
    let goes = |name: &&HeaderName| **name != header::HOST && exchange.keeps_back(name, identity_headers);
    let gone: Vec<HeaderName> = head.headers.keys().filter(goes).cloned().collect();
    for name in gone {
        head.remove_header(&name);
    }
}

fn tell_origin(head: &mut RequestHeader, exchange: &Exchange, host: &str) -> pingora::Result<()> {
    let client = exchange.client.address.to_string();
    let scheme = exchange.client.scheme();
    // RFC 7239 6: an IPv6 address stands in brackets and quotes.
    let node = if exchange.client.address.is_ipv6() { format!("\"[{client}]\"") } else { client.clone() };
    head.insert_header("X-Forwarded-For", client)?;
    head.insert_header("X-Forwarded-Proto", scheme)?;
    head.insert_header("X-Forwarded-Host", host)?;
    head.insert_header("Forwarded", format!("for={node};host=\"{host}\";proto={scheme}"))?;
    head.insert_header("X-Request-Id", exchange.request_id.as_str())
}

/// What the client said of it is gone by now.
fn tell_trace(head: &mut RequestHeader, trace: &Trace) -> pingora::Result<()> {
    head.insert_header(trace::PARENT, trace.parent())?;
    trace.state().map_or(Ok(()), |state| head.insert_header(trace::STATE, state.clone()))
}

#[cfg(test)]
mod tests;
