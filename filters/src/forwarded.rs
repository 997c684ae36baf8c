//! Whom a proxy before this one speaks for: the address that it wrote down, and whether that one came over TLS, if the proxy
//! is one that is trusted to say so (`gateway.md` 2.3; RFC 7239).
//!
//! Each proxy adds at the right end of the list, so that it is read from there: as long as an entry is one of the trusted
//! proxies, the one to its left was written by it. The first that is none is the client, and what stands to the left of it
//! is the client's own word, which nobody reads.

mod list;

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

use crate::Network;

/// The longest list, all header fields of the name together: some hundred addresses.
const LONGEST: usize = 4_096;

/// The one header that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: addresses.
    XForwardedFor,
    /// `Forwarded` (RFC 7239): its `for`.
    Forwarded,
}

impl ForwardedHeader {
    /// As configurations name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

/// Proxies that are believed when they say whom they speak for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies {
    /// Where they are.
    pub from: Vec<Network>,
    /// Where they say it.
    pub header: ForwardedHeader,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The client. Never an address that is mapped into IPv6.
    pub address: IpAddr,
    /// Whether it came over TLS, as far as that was said: `None` leaves it to the socket.
    pub secure: Option<bool>,
}

/// Why nobody knows for whom a trusted proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForwardedError {
    /// More than 4 KiB.
    #[error("the list is too long")]
    TooLong,
    /// The list can't be read in one way only.
    #[error("the list is malformed")]
    Form,
    /// The entry that should name the client is no IP address: empty, `unknown` or a name that means something to its
    /// writer alone.
    #[error("the client's entry is no address")]
    NoAddress,
}

impl TrustedProxies {
    /// Whether whoever is at the other end of a connection is one of them.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.from.iter().any(|network| network.contains(peer))
    }

    /// The client's address: the right-most of the list that is none of theirs; where all are, the left-most; the peer's where
    /// there is no such header, or the peer is none of them. By which scheme it came that very element says (`proto`), or
    /// `X-Forwarded-Proto` beside `X-Forwarded-For`: one field with one word, `http` or `https`, else nothing is said.
    ///
    /// # Errors
    /// When a trusted peer sent a list that does not tell the address.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Result<Origin, ForwardedError> {
        let mut client = Origin { address: peer.to_canonical(), secure: None };
        if !self.trusts(client.address) {
            return Ok(client);
        }
        let list = self.list(headers)?;
        let elements = match (self.header, &list) {
            (_, None) => Vec::new(),
            (ForwardedHeader::XForwardedFor, Some(list)) => list::addresses(list),
            (ForwardedHeader::Forwarded, Some(list)) => list::elements(list)?,
        };
        for element in elements.iter().rev() {
            let node = element.node.as_deref().and_then(|node| address(node, self.header));
            let node = node.ok_or(ForwardedError::NoAddress)?.to_canonical();
            client = Origin { address: node, secure: element.proto.as_deref().and_then(is_secure) };
            if !self.trusts(node) {
                break;
            }
        }
        if self.header == ForwardedHeader::XForwardedFor {
            client.secure = proto(headers);
        }
        Ok(client)
    }

    /// The fields of the name, joined as if they were one (RFC 9110 5.3).
    fn list(&self, headers: &HeaderMap) -> Result<Option<String>, ForwardedError> {
        let fields = headers.get_all(self.header.name()).iter().map(http::HeaderValue::to_str);
        let fields = fields.collect::<Result<Vec<_>, _>>().map_err(|_| ForwardedError::Form)?;
        let list = (!fields.is_empty()).then(|| fields.join(", "));
        if list.as_ref().is_some_and(|list| list.len() > LONGEST) { Err(ForwardedError::TooLong) } else { Ok(list) }
    }
}

/// What `X-Forwarded-Proto` says, where it can be read in one way.
fn proto(headers: &HeaderMap) -> Option<bool> {
    let mut fields = headers.get_all("x-forwarded-proto").iter();
    let (only, None) = (fields.next()?, fields.next()) else { return None };
    is_secure(only.to_str().ok()?.trim_matches([' ', '\t']))
}

fn is_secure(scheme: &str) -> Option<bool> {
    let is = |known: &str| scheme.eq_ignore_ascii_case(known);
    if is("https") { Some(true) } else { is("http").then_some(false) }
}

/// `192.0.2.7`, `192.0.2.7:1234`, `[2001:db8::7]`, `[2001:db8::7]:1234`; without brackets `2001:db8::7` in `X-Forwarded-For`
/// alone.
fn address(node: &str, header: ForwardedHeader) -> Option<IpAddr> {
    if let Some(inside) = node.strip_prefix('[').and_then(|node| node.strip_suffix(']')) {
        return inside.parse().ok().map(IpAddr::V6);
    }
    match node.parse::<IpAddr>() {
        Ok(IpAddr::V6(_)) if header == ForwardedHeader::Forwarded => None,
        Ok(address) => Some(address),
        // A zone of IPv6 (`%1`) means something to its writer alone.
        Err(_) => node.parse().ok().filter(|_| !node.contains('%')).map(|socket: SocketAddr| socket.ip()),
    }
}

/// What a list says at one place: whom it names, if anybody, and by which scheme that one came.
#[derive(Default)]
struct Element<'a> {
    node: Option<Cow<'a, str>>,
    proto: Option<Cow<'a, str>>,
}

#[cfg(test)]
mod tests;
