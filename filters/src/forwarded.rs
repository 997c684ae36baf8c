//! Whom a proxy before this one speaks for: the address that it wrote down, if it is one that is trusted to
//! (`gateway.md` 2.3; RFC 7239).
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
    /// there is no such header, or the peer is none of them. Never one that is mapped into IPv6.
    ///
    /// # Errors
    /// When a trusted peer sent a list that does not tell it.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, ForwardedError> {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return Ok(peer);
        }
        let Some(list) = self.list(headers)? else { return Ok(peer) };
        let nodes = match self.header {
            ForwardedHeader::XForwardedFor => list::addresses(&list),
            ForwardedHeader::Forwarded => list::elements(&list)?,
        };
        let mut client = peer;
        for node in nodes.iter().rev() {
            let node = node.as_deref().and_then(|node| address(node, self.header));
            client = node.ok_or(ForwardedError::NoAddress)?.to_canonical();
            if !self.trusts(client) {
                break;
            }
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

/// What a list names at each place, from left to right; nothing where it names nobody.
type Nodes<'a> = Vec<Option<Cow<'a, str>>>;

#[cfg(test)]
mod tests;
