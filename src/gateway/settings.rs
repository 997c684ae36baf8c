//! What the gateway is told at start, checked already.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use sidegate_filters::{Network, TrustedProxies};

use crate::routes::ListenerClass;

/// Listeners and limits of one gateway.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The listeners, each with its class.
    pub listeners: Vec<Listener>,
    /// What clients are held to.
    pub limits: Limits,
    /// The data folder; `addresses.json` and Pingora's own files go there.
    pub data: PathBuf,
    /// How long open requests may take after the signal to stop (`gateway.md` 6.1).
    pub shutdown: Duration,
    /// Worker threads of each listener.
    pub threads: usize,
    /// Connections that services of ours may have to servers behind, beside those of the listeners: each is an open file.
    pub questions: usize,
    /// Whether it is for trying out: then fewer connections than the limits name are worth no warning.
    pub try_out: bool,
}

/// A socket to listen on.
#[derive(Debug, Clone)]
pub struct Listener {
    /// Who it is for.
    pub class: ListenerClass,
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Certificate and key; without them the listener is plain.
    pub tls: Option<TlsFiles>,
    /// Where balancers are that begin each connection with a PROXY header; from there and nowhere else connections are taken
    /// then. Empty: none does.
    pub balancers: Vec<Network>,
    /// Which proxies are believed when a header of theirs says whom they speak for; `None`: none.
    pub proxies: Option<TrustedProxies>,
    /// Whether HTTP/2 is spoken too: by ALPN over TLS, with prior knowledge on a plain listener.
    pub http2: bool,
}

/// The files of a TLS listener, all PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, followed by its chain.
    pub certificate: PathBuf,
    /// The private key of the certificate.
    pub key: PathBuf,
    /// Authorities of which clients must show a certificate (`gateway.md` 2.4).
    pub client_ca: Option<PathBuf>,
}

/// What a client is held to (`gateway.md` 2.2).
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections of one listener at a time; a further one is closed at once.
    pub connections: usize,
    /// The share of them, and of [`Limits::requests`], that one network (/32 of IPv4, /56 of IPv6) may have on a public
    /// listener, in percent.
    pub connections_share: u8,
    /// From the first byte of a request head to its last; also for a TLS handshake and for one frame of HTTP/2.
    pub head: Duration,
    /// How long a connection may lie idle between requests.
    pub idle: Duration,
    /// How long a client may leave our bytes unread.
    pub write: Duration,
    /// How often the rate of a body is looked at; a body that stands still is cut after this time.
    pub body_window: Duration,
    /// The least rate of a body, in bytes a second, on the average of a window.
    pub body_rate: usize,
    /// The longest head, in bytes, request line included.
    pub head_bytes: usize,
    /// The most header fields of a request.
    pub fields: usize,
    /// The longest body where the route names no limit of its own, in bytes.
    pub body_bytes: usize,
    /// HTTP/2: requests open at once on one connection.
    pub streams: u32,
    /// HTTP/2: requests open at once on all connections of one listener; a further one is refused.
    pub requests: usize,
}

impl Limits {
    /// The share of one network on a listener of this class, in percent; `None` where callers are known.
    pub(super) fn share(&self, class: ListenerClass) -> Option<u8> {
        (class == ListenerClass::Public).then_some(self.connections_share)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_share: 25,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            write: Duration::from_secs(30),
            body_window: Duration::from_secs(10),
            body_rate: 512,
            head_bytes: 32 * 1024,
            fields: 100,
            body_bytes: 64 * 1024,
            streams: 32,
            requests: 4_000,
        }
    }
}

impl Settings {
    /// A gateway with these listeners, its files in `data`, everything else at its default.
    #[must_use]
    pub fn new(listeners: Vec<Listener>, data: PathBuf) -> Self {
        Self {
            listeners,
            limits: Limits::default(),
            data,
            shutdown: Duration::from_secs(5),
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            questions: 0,
            try_out: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_contract() {
        let settings = Settings::new(Vec::new(), PathBuf::from("var"));
        assert_eq!((settings.limits.connections, settings.limits.connections_share), (10_000, 25));
        assert_eq!(settings.limits.head, Duration::from_secs(10));
        assert_eq!(settings.limits.body_window, Duration::from_secs(10));
        assert_eq!(settings.limits.idle, Duration::from_secs(60));
        assert_eq!(settings.limits.head_bytes, 32 * 1024);
        assert_eq!(settings.limits.fields, 100);
        assert_eq!((settings.limits.streams, settings.limits.requests), (32, 4_000));
        assert_eq!(settings.limits.body_bytes, 64 * 1024);
        assert_eq!(settings.shutdown, Duration::from_secs(5));
    }
}
