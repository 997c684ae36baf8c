//! Networks of IP addresses, as people write them: `192.0.2.0/24`, `2001:db8::/32`.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A network. What is mapped into IPv6 (`::ffff:192.0.2.7`) is IPv4, in addresses and in networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    length: u8,
}

/// Why a text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// No address, or no length of its prefix.
    #[error("this is no network")]
    Form,
    /// An address alone; this network has no other.
    #[error("the length of the prefix is missing")]
    NoLength(Network),
    /// The address lies inside of this network, which begins at another one.
    #[error("the address has bits behind the prefix")]
    HostBits(Network),
}

impl NetworkError {
    /// What may have been meant.
    #[must_use]
    pub fn meant(&self) -> Option<Network> {
        match self {
            Self::Form => None,
            Self::NoLength(network) | Self::HostBits(network) => Some(*network),
        }
    }
}

impl Network {
    /// Reads `address/length`. A network has one spelling of its bits: whoever writes `192.0.2.7/24` may mean one address
    /// or 256.
    ///
    /// # Errors
    /// What is wrong, and what may have been meant.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Form)?;
        let Some(length) = length else { return Err(NetworkError::NoLength(Self::of(address, bits(address)))) };
        let length = decimal(length).filter(|length| *length <= bits(address)).ok_or(NetworkError::Form)?;
        let network = Self::of(address, length);
        if masked(address, length) == address { Ok(network) } else { Err(NetworkError::HostBits(network)) }
    }

    fn of(address: IpAddr, length: u8) -> Self {
        let first = masked(address, length);
        match (first.to_canonical(), length.checked_sub(96)) {
            (v4 @ IpAddr::V4(_), Some(length)) if first.is_ipv6() => Self { first: v4, length },
            _ => Self { first, length },
        }
    }

    /// Whether the address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && masked(address, self.length) == self.first
    }
}

impl fmt::Display for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.first, self.length)
    }
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
            v6 @ IpAddr::V6(_) => Self(masked(v6, 56)),
            v4 @ IpAddr::V4(_) => Self(v4),
        }
    }
}

impl fmt::Display for SourceNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.0.is_ipv4() { 32 } else { 56 };
        write!(f, "{}/{prefix}", self.0)
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Digits alone, without a zero in front.
fn decimal(text: &str) -> Option<u8> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// The first address of the network of this length around an address.
fn masked(address: IpAddr, length: u8) -> IpAddr {
    let rest = u32::from(bits(address).saturating_sub(length));
    match address {
        IpAddr::V4(v4) => IpAddr::V4((u32::from(v4) & u32::MAX.checked_shl(rest).unwrap_or(0)).into()),
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & u128::MAX.checked_shl(rest).unwrap_or(0)).into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("192.0.2.0/24", "192.0.2.0/24")]
    #[case("192.0.2.7/32", "192.0.2.7/32")]
    #[case("0.0.0.0/0", "0.0.0.0/0")]
    #[case("2001:DB8::/32", "2001:db8::/32")]
    #[case("::/0", "::/0")]
    #[case("::1/128", "::1/128")]
    #[case("::ffff:192.0.2.0/120", "192.0.2.0/24")]
    #[case("::ffff:0:0/96", "0.0.0.0/0")]
    fn a_network_is_read(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(Network::parse(text).unwrap().to_string(), shown);
    }

    #[rstest]
    #[case("192.0.2.7/24", Some("192.0.2.0/24"))]
    #[case("192.0.2.7", Some("192.0.2.7/32"))]
    #[case("2001:db8::1/64", Some("2001:db8::/64"))]
    #[case("2001:db8::1", Some("2001:db8::1/128"))]
    #[case("::ffff:192.0.2.7/120", Some("192.0.2.0/24"))]
    #[case("::ffff:192.0.2.7", Some("192.0.2.7/32"))]
    #[case("::ffff:0:0/90", Some("::ffc0:0:0/90"))]
    #[case("192.0.2.0/33", None)]
    #[case("2001:db8::/129", None)]
    #[case("192.0.2.0/", None)]
    #[case("192.0.2.0/+8", None)]
    #[case("192.0.2.0/08", None)]
    #[case("192.0.2.0/24/24", None)]
    #[case("192.0.2/24", None)]
    #[case("192.000.2.0/24", None)]
    #[case("[2001:db8::]/32", None)]
    #[case("fe80::1%eth0/64", None)]
    #[case("bank.example/24", None)]
    #[case("", None)]
    fn what_is_none_is_told_with_what_may_be_meant(#[case] text: &str, #[case] meant: Option<&str>) {
        let error = Network::parse(text).unwrap_err();
        assert_eq!(error.meant().map(|network| network.to_string()).as_deref(), meant, "{error}");
    }

    #[rstest]
    #[case("192.0.2.0/24", "192.0.2.255", true)]
    #[case("192.0.2.0/24", "::ffff:192.0.2.1", true)]
    #[case("::ffff:192.0.2.0/120", "192.0.2.1", true)]
    #[case("192.0.2.0/24", "192.0.3.0", false)]
    #[case("192.0.2.0/24", "2001:db8::1", false)]
    #[case("0.0.0.0/0", "203.0.113.9", true)]
    #[case("0.0.0.0/0", "2001:db8::1", false)]
    #[case("::/0", "2001:db8::1", true)]
    #[case("::/0", "192.0.2.1", false)]
    #[case("::/0", "::ffff:192.0.2.1", false)]
    #[case("2001:db8::/33", "2001:db8:7fff::1", true)]
    #[case("2001:db8::/33", "2001:db8:8000::1", false)]
    #[case("192.0.2.7/32", "192.0.2.7", true)]
    #[case("192.0.2.7/32", "192.0.2.6", false)]
    fn an_address_lies_in_it_or_not(#[case] network: &str, #[case] address: IpAddr, #[case] inside: bool) {
        assert_eq!(Network::parse(network).unwrap().contains(address), inside);
    }

    #[rstest]
    #[case("192.0.2.7", "192.0.2.7/32")]
    #[case("::ffff:192.0.2.7", "192.0.2.7/32")]
    #[case("2001:db8:1:2:3:4:5:6", "2001:db8:1::/56")]
    #[case("2001:db8:1:2ff:3:4:5:6", "2001:db8:1:200::/56")]
    fn source_networks(#[case] address: IpAddr, #[case] network: &str) {
        assert_eq!(SourceNetwork::of(address).to_string(), network);
    }

    proptest! {
        #[test]
        fn what_is_meant_is_right_and_has_the_address(bytes in any::<u128>(), length in 0u8..=128) {
            let address = IpAddr::V6(bytes.into());
            let network = match Network::parse(&format!("{address}/{length}")) {
                Ok(network) => network,
                Err(error) => error.meant().unwrap(),
            };
            prop_assert!(address.to_canonical().is_ipv4() || network.contains(address));
            prop_assert_eq!(Network::parse(&network.to_string()), Ok(network));
        }
    }
}
