//! From a parsed head to a request that filters and services may trust (`gateway.md` 2.1, 2.2).
//!
//! For HTTP/1 the bytes were checked before ([`super::head`]); what is said here again holds for HTTP/2, where no bytes of
//! a head are seen.

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use pingora::http::RequestHeader;
use sidegate_filters::arrival::plain_headers;
use sidegate_filters::{CanonicalPath, Client, Problem, Reason};

use super::connection::Connection;
use super::head::{is_host, is_length, is_target_byte};
use super::settings::Limits;
use crate::routes::ListenerClass;

/// A request head that passed every check that needs no route.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: CanonicalPath,
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) client: Client,
    /// The host as the client named it, in lower case.
    pub(super) host: String,
    /// The client waits to be told that it may send the body (RFC 9110 10.1.1).
    pub(super) expects_continue: bool,
}

impl Request {
    /// Checks a head.
    pub(super) fn check(
        head: &RequestHeader,
        connection: &Connection,
        class: ListenerClass,
        limits: &Limits,
    ) -> Result<Self, Problem> {
        if matches!(head.method, Method::TRACE | Method::CONNECT) {
            return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this method is not served"));
        }
        check_size(&head.headers, limits)?;
        let mut lengths = head.headers.get_all(header::CONTENT_LENGTH).iter();
        if lengths.next().is_some_and(|length| !is_length(length.as_bytes())) || lengths.next().is_some() {
            return Err(bad("a request has one Content-Length at most, a plain number").because(Reason::Framing));
        }
        check_scheme(head)?;
        let host = host(head, connection)?;
        let target = std::str::from_utf8(head.raw_path()).map_err(|_| bad("the target is not ASCII"))?;
        let (path, query) = split(target, &host)?;
        let path = CanonicalPath::parse(path)?;
        let mut headers = plain_headers(&head.headers)?;
        let expects_continue = take_expectation(&mut headers)?;
        let client = client(head, connection, class, &host)?;
        let query = query.map(str::to_owned);
        Ok(Self { method: head.method.clone(), path, query, headers, client, host, expects_continue })
    }
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::bad_request(detail)
}

fn check_size(headers: &HeaderMap, limits: &Limits) -> Result<(), Problem> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if headers.len() > limits.fields || bytes > limits.head_bytes {
        let detail = format!("at most {} header fields and {} bytes of them", limits.fields, limits.head_bytes);
        return Err(Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail));
    }
    Ok(())
}

/// Over HTTP/2 a scheme goes with the authority, as in the absolute form of HTTP/1; without one the HTTP/2 library leaves it
/// out.
fn check_scheme(head: &RequestHeader) -> Result<(), Problem> {
    let known = head.uri.scheme_str().is_some_and(|scheme| matches!(scheme, "http" | "https"));
    if head.version == http::Version::HTTP_2 && head.uri.authority().is_some() && !known {
        return Err(bad("the :scheme must be http or https"));
    }
    Ok(())
}

/// The one host that the request names; an HTTP/1.0 request may leave it to the socket.
fn host(head: &RequestHeader, connection: &Connection) -> Result<String, Problem> {
    let mut hosts = head.headers.get_all(header::HOST).iter().map(HeaderValue::as_bytes);
    let authority = head.uri.authority().filter(|_| head.version == http::Version::HTTP_2);
    let host = match (authority, hosts.next(), hosts.next()) {
        (_, Some(_), Some(_)) => return Err(bad("a request has one Host").because(Reason::Host)),
        (Some(authority), Some(host), None) if !host.eq_ignore_ascii_case(authority.as_str().as_bytes()) => {
            return Err(bad("Host and :authority differ").because(Reason::Host));
        }
        (Some(authority), _, _) => authority.as_str().as_bytes().to_vec(),
        (None, Some(host), None) => host.to_vec(),
        (None, None, _) => connection.local().map(|address| address.to_string().into_bytes()).unwrap_or_default(),
    };
    if !is_host(&host) {
        return Err(bad("Host must be a plain host name with an optional port").because(Reason::Host));
    }
    Ok(String::from_utf8_lossy(&host).to_ascii_lowercase())
}

/// Path and query. A target in absolute form must name the same host (RFC 9112 3.2.2).
fn split<'a>(target: &'a str, host: &str) -> Result<(&'a str, Option<&'a str>), Problem> {
    // Over HTTP/1 the head was refused for it; the HTTP/2 library lets more through.
    if !target.bytes().all(is_target_byte) {
        return Err(bad("a target is visible ASCII without a fragment: what else it is to hold must be escaped"));
    }
    let (path, absolute) = match target.split_once("://") {
        Some((scheme, rest)) if !target.starts_with('/') => {
            let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
            if !known || !authority.eq_ignore_ascii_case(host) {
                return Err(bad("an absolute target must name the Host"));
            }
            (path, true)
        }
        _ => (target, false),
    };
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    Ok((if absolute && path.is_empty() { "/" } else { path }, query))
}

fn take_expectation(headers: &mut HeaderMap) -> Result<bool, Problem> {
    let expected: Vec<HeaderValue> = headers.get_all(header::EXPECT).iter().cloned().collect();
    headers.remove(header::EXPECT);
    match &expected[..] {
        [] => Ok(false),
        [value] if value.as_bytes().eq_ignore_ascii_case(b"100-continue") => Ok(true),
        _ => Err(Problem::new(StatusCode::EXPECTATION_FAILED, "the only expectation met here is 100-continue")),
    }
}

fn client(head: &RequestHeader, connection: &Connection, class: ListenerClass, host: &str) -> Result<Client, Problem> {
    // The proxy's word is read before anything that the client could have it taken out by.
    let from = connection.client(&head.headers).map_err(|error| {
        tracing::info!(peer = ?connection.peer(), %error, "a trusted proxy does not tell for whom it speaks");
        bad(format!("the proxy before this gateway does not tell who asks: {error}")).because(Reason::Address)
    })?;
    let encrypted = from.and_then(|from| from.secure).unwrap_or(connection.secure);
    let scheme = if encrypted { "https" } else { "http" };
    Ok(Client {
        address: from.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |from| from.address),
        connection: connection.number,
        secure: connection.secure || encrypted,
        internal: class == ListenerClass::Internal,
        certificate: connection.certificate.as_ref().map(|shown| shown.digest),
        names: connection.certificate.as_ref().and_then(|shown| shown.names.clone()),
        origin: format!("{scheme}://{host}"),
    })
}

#[cfg(test)]
mod tests;
