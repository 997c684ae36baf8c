//! URLs of a configuration. Each kind is a type of its own, since each has its own rules.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use sidegate_filters::identity_creation::ReturnTarget;
use sidegate_uaf::wire::AppId;
use url::{Host, Url};

use crate::dispatchers::BaseUrl;

use super::scalar::Scalar;

/// The longest name of a host (RFC 1035, 2.3.4).
const LONGEST_HOST: usize = 253;

/// Stands for the public URL where that is at fault, so that nothing that is built on it is reported.
pub(super) const STAND_IN: &str = "https://public-url.invalid";

/// Where phones and browsers reach the gateway: scheme, host and port, nothing else. Never ends in a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(Url);

impl PublicUrl {
    /// The URL of a listener, where none is written.
    pub(super) fn of_listener(address: SocketAddr, tls: bool) -> Result<Self, String> {
        if address.port() == 0 {
            return Err("a port that the system chooses is not known beforehand".to_owned());
        }
        Self::read(&format!("{}://{address}", if tls { "https" } else { "http" }))
    }

    /// The URL without a trailing slash: what paths are appended to, and the origin that browsers send.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The host: a name, or an address, which has brackets where it is one of IPv6.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The port, also where the scheme says it.
    pub(super) fn port(&self) -> Option<u16> {
        self.0.port_or_known_default()
    }

    /// Whether it is reached over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl Scalar for PublicUrl {
    const RIGHT: &'static str = "write the URL that phones and browsers use, such as https://login.example.com";
    fn read(text: &str) -> Result<Self, String> {
        let url = web(text)?;
        if url.path() != "/" || url.query().is_some() || text.ends_with('?') {
            return Err("the URL has a path or a query".to_owned());
        }
        if url.host_str().is_none_or(|host| host.len() > LONGEST_HOST) {
            return Err("no host has so long a name".to_owned());
        }
        if is_unspecified(&url) { Err("nobody can reach this address".to_owned()) } else { Ok(Self(url)) }
    }
}

/// A server behind the gateway: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl(Url);

impl ServerUrl {
    /// Whether to speak TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The URL without a trailing slash.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// `host:port` to connect to, the port always written.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", self.0.host_str().unwrap_or_default(), self.0.port_or_known_default().unwrap_or_default())
    }

    /// `host:port` in one spelling, to be compared: a dot at the end of a name makes no other server of it, nor do the
    /// names of this machine.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", canonical(&self.0), self.0.port_or_known_default().unwrap_or_default())
    }

    /// The host without brackets: the name that a certificate must bear unless another is configured.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.host_str().unwrap_or_default().trim_matches(['[', ']'])
    }
}

impl Scalar for ServerUrl {
    const RIGHT: &'static str =
        "write scheme, host and port only, such as http://127.0.0.1:9000 or https://shop.internal:8443";
    fn read(text: &str) -> Result<Self, String> {
        // Of shop:9000 the URL type takes the host for a scheme.
        if !["//", "http:", "https:"].into_iter().any(|scheme| text.contains(scheme)) {
            return Err("the scheme is missing".to_owned());
        }
        let url = web(text)?;
        if url.path() != "/" || url.query().is_some() {
            return Err(
                "the URL has a path or a query; a row's upstream-path says where the upstream has it".to_owned()
            );
        }
        // The system would connect to itself, and there the server has another address.
        if is_unspecified(&url) { Err("this address is no server's; write its own".to_owned()) } else { Ok(Self(url)) }
    }
}

/// An `http` or `https` URL with any path, kept as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebUrl(String);

impl WebUrl {
    /// The URL as it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether it is reached over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| url.scheme() == "https")
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| is_loopback(&url))
    }
}

impl Scalar for WebUrl {
    const RIGHT: &'static str = "write a URL such as https://login.example.com/path";
    fn read(text: &str) -> Result<Self, String> {
        web(text).map(|_| Self(text.to_owned()))
    }
}

impl Scalar for AppId {
    const RIGHT: &'static str = "write a URL of at most 512 characters, such as https://login.example.com/facets";
    fn read(text: &str) -> Result<Self, String> {
        web(text)?;
        Self::new(text).map_err(|_| "the URL is too long".to_owned())
    }
}

impl Scalar for BaseUrl {
    const RIGHT: &'static str = "write https://domain or scheme://host/path of the app, without a fragment";
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }
}

impl Scalar for ReturnTarget {
    const RIGHT: &'static str = "write a path such as /app/";
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| "this is no path of this gateway".to_owned())
    }
}

/// The host in one spelling of all those that lead to the same place.
fn canonical(url: &Url) -> Host<&str> {
    match url.host() {
        Some(Host::Domain(name)) => match name.trim_end_matches('.') {
            "localhost" => Host::Ipv4(Ipv4Addr::LOCALHOST),
            name => Host::Domain(name),
        },
        Some(Host::Ipv6(Ipv6Addr::LOCALHOST)) => Host::Ipv4(Ipv4Addr::LOCALHOST),
        Some(Host::Ipv6(address)) => address.to_ipv4_mapped().map_or(Host::Ipv6(address), Host::Ipv4),
        Some(Host::Ipv4(address)) => Host::Ipv4(address),
        None => Host::Domain(""),
    }
}

fn is_loopback(url: &Url) -> bool {
    matches!(canonical(url), Host::Ipv4(address) if address.is_loopback())
}

fn is_unspecified(url: &Url) -> bool {
    match canonical(url) {
        Host::Ipv4(address) => address.is_unspecified(),
        Host::Ipv6(address) => address.is_unspecified(),
        Host::Domain(_) => false,
    }
}

fn web(text: &str) -> Result<Url, String> {
    let url = parse(text)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("the scheme is neither http nor https".to_owned());
    }
    if url.fragment().is_some() {
        return Err("the URL has a fragment".to_owned());
    }
    Ok(url)
}

/// The URL type of browsers drops tabs and blanks and repairs missing slashes: what it would change is refused.
fn parse(text: &str) -> Result<Url, String> {
    if text.contains(|letter: char| letter.is_whitespace() || letter.is_control() || letter == '\\') {
        return Err("the URL holds a blank, a control character or a backslash".to_owned());
    }
    let url = Url::parse(text).map_err(|_| "this is no URL".to_owned())?;
    if url.has_host() && !text.contains("://") {
        return Err("the URL has no //".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL holds a user name or a password".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests;
