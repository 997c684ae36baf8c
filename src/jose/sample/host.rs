//! What a sample certificate is made for.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use openssl::x509::extension::SubjectAlternativeName;

/// What a server's certificate names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host(String, Option<IpAddr>);

/// A text that no certificate can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a DNS name such as gate.example or *.gate.example, or an IP address, without scheme and port")]
pub struct NoHost;

impl Host {
    /// Reads a DNS name, perhaps with `*` as its first label, or an IP address.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, NoHost> {
        if let Ok(address) = text.parse() {
            return Ok(Self(text.to_owned(), Some(address)));
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let name = text.strip_prefix("*.").unwrap_or(text);
        // What ends in a number is a mistyped address (WHATWG URL, "ends in a number").
        let number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        let fits = text.len() <= 253 && name.split('.').all(is_label) && !number;
        if fits { Ok(Self(text.to_ascii_lowercase(), None)) } else { Err(NoHost) }
    }

    /// This machine, as itself calls it.
    #[must_use]
    pub fn local() -> Vec<Self> {
        let addresses = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        let addresses = addresses.map(|address| Self(address.to_string(), Some(address)));
        std::iter::once(Self("localhost".to_owned(), None)).chain(addresses).collect()
    }

    /// Has a certificate name it.
    pub(super) fn name_in(&self, names: &mut SubjectAlternativeName) {
        match self.1 {
            Some(_) => names.ip(&self.0),
            None => names.dns(&self.0),
        };
    }
}

impl fmt::Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("gate.example", true)]
    #[case("GATE.example", true)]
    #[case("gate.example.", false)]
    #[case("*.gate.example", true)]
    #[case("192.0.2.7", true)]
    #[case("2001:db8::7", true)]
    #[case("", false)]
    #[case("gate..example", false)]
    #[case("a.*.example", false)]
    #[case("-a.example", false)]
    #[case("192.0.2.256", false)]
    #[case("[::1]", false)]
    #[case("gate.example:443", false)]
    #[case("https://gate.example", false)]
    #[case("a,DNS:b.example", false)]
    fn a_host_is_a_name_or_an_address(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(Host::parse(text).is_ok(), expected);
    }
}
