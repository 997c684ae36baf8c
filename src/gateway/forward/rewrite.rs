//! The head that an upstream gets.

use http::{HeaderName, header};
use pingora::http::RequestHeader;
use sidegate_filters::Exchange;
use sidegate_filters::delegation::fold;
use sidegate_filters::identity_creation::foreign_cookies;

use crate::routes::Upstream;

/// What says where a request came from: only we know, from the socket.
const ORIGINS: &[&str] = &["forwarded", "x-real-ip", "x-client-ip", "x-request-id"];
const ORIGIN_PREFIX: &str = "x-forwarded-";

/// Rewrites Pingora's copy of the client's head. Hop-by-hop fields are gone already, with what `Connection` named.
pub(super) fn rewrite(
    head: &mut RequestHeader,
    exchange: &Exchange,
    upstream: &Upstream,
    host: &str,
) -> pingora::Result<()> {
    remove(head, exchange, upstream);
    let target = match &exchange.query {
        Some(query) => format!("{}?{query}", exchange.path.as_str()),
        None => exchange.path.as_str().to_owned(),
    };
    head.set_raw_path(target.as_bytes())?;
    head.insert_header(header::HOST, upstream.address.as_str())?;
    head.remove_header(&header::COOKIE);
    if let Some(cookies) = foreign_cookies(&exchange.headers) {
        head.insert_header(header::COOKIE, cookies)?;
    }
    tell_origin(head, exchange, host)?;
    for (name, _) in &exchange.upstream_headers {
        head.remove_header(name);
    }
    for (name, value) in &exchange.upstream_headers {
        head.append_header(name.clone(), value.clone())?;
    }
    Ok(())
}

/// Takes out what a filter took out, and whatever a backend might read as a word of ours.
fn remove(head: &mut RequestHeader, exchange: &Exchange, upstream: &Upstream) {
    let gone: Vec<HeaderName> = head
        .headers
        .keys()
        .filter(|name| {
            let folded = fold(name.as_str());
            (!exchange.headers.contains_key(*name) && **name != header::HOST)
                || upstream.identity_headers.covers(name.as_str())
                || ORIGINS.contains(&folded.as_str())
                || folded.starts_with(ORIGIN_PREFIX)
        })
        .cloned()
        .collect();
    for name in gone {
        head.remove_header(&name);
    }
}

fn tell_origin(head: &mut RequestHeader, exchange: &Exchange, host: &str) -> pingora::Result<()> {
    let client = exchange.client.address.to_string();
    let scheme = if exchange.client.secure { "https" } else { "http" };
    // RFC 7239 6: an IPv6 address stands in brackets and quotes.
    let node = if exchange.client.address.is_ipv6() { format!("\"[{client}]\"") } else { client.clone() };
    head.insert_header("X-Forwarded-For", client)?;
    head.insert_header("X-Forwarded-Proto", scheme)?;
    head.insert_header("X-Forwarded-Host", host)?;
    head.insert_header("Forwarded", format!("for={node};host=\"{host}\";proto={scheme}"))?;
    head.insert_header("X-Request-Id", exchange.request_id.as_str())
}

#[cfg(test)]
mod tests;
