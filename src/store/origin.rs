//! On whose account a record is kept in memory (`gateway.md` 5).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::store::ExtId;

/// Who caused a record: decides whose share of the memory it uses.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// An internal caller: counted, never refused.
    Internal,
    /// Nobody that we know, calling from this network.
    Network(SourceNetwork),
    /// A user with a session.
    User(ExtId),
}

/// The network that a caller's address belongs to: what one household or one attacker has for the asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceNetwork(IpAddr);

impl SourceNetwork {
    /// The /32 of an IPv4 address (also one mapped into IPv6), the /56 of an IPv6 address: what a household is given
    /// (RFC 6177), which may call from each of its 256 networks of /64.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => Self(IpAddr::V6((u128::from(v6) & (u128::MAX << 72)).into())),
            v4 => Self(v4),
        }
    }
}

impl std::fmt::Display for SourceNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let prefix = if self.0.is_ipv4() { 32 } else { 56 };
        write!(f, "{}/{prefix}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("192.0.2.7", "192.0.2.7/32")]
    #[case("::ffff:192.0.2.7", "192.0.2.7/32")]
    #[case("2001:db8:1:2:3:4:5:6", "2001:db8:1::/56")]
    #[case("2001:db8:1:2ff:3:4:5:6", "2001:db8:1:200::/56")]
    fn networks(#[case] address: IpAddr, #[case] network: &str) {
        assert_eq!(SourceNetwork::of(address).to_string(), network);
    }
}
