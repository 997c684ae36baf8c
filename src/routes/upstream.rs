//! Servers behind the gateway, and how to reach them (`gateway.md` 4).

mod affinity;
mod health_check;
mod ring;
mod servers;

use std::fmt;
use std::time::Duration;

use sidegate_filters::delegation::RemovedHeaders;

pub use affinity::Affinity;
pub use health_check::HealthCheck;
pub use servers::{Attempt, Failure, Server, Servers};

use crate::jose::UpstreamTls;

/// What is behind the gateway under one name: one server, or several that do the same.
#[derive(Debug)]
pub struct Upstream {
    /// Its name: the audience of SecTokens sent there.
    pub name: String,
    /// Where it is.
    pub servers: Servers,
    /// How requests are spread over them.
    pub balance: Balance,
    /// How they are asked whether they are well; `None`: only requests tell.
    pub health_check: Option<HealthCheck>,
    /// How to speak TLS; `None`: plain.
    pub tls: Option<UpstreamTls>,
    /// Which HTTP it is spoken to.
    pub protocol: Protocol,
    /// Connecting, TLS included.
    pub connect_timeout: Duration,
    /// Between two reads.
    pub read_timeout: Duration,
    /// Between two writes.
    pub write_timeout: Duration,
    /// How long an unused connection is kept.
    pub idle_timeout: Duration,
    /// Whether a connection by HTTP/1.1 is closed after a request with a body, which the server may have left there unread
    /// as its next request.
    pub close_after_body: bool,
    /// Headers that rules of this upstream may set, or that no client may: removed from every client's request on the way
    /// there (`gateway.md` 2.3).
    pub identity_headers: RemovedHeaders,
}

/// How requests are spread over several servers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Balance {
    /// Servers take turns.
    #[default]
    Turns,
    /// A session has a server of its own, and so has each network from which requests without one come.
    Session,
}

/// Which HTTP an upstream is spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2; over plain http without asking.
    Http2,
    /// Over TLS HTTP/2 where the server offers it, else HTTP/1.1.
    Negotiated,
}

impl Upstream {
    /// Plain HTTP/1.1 to these servers, with the times that a configuration has where it says nothing.
    #[must_use]
    pub fn new(name: &str, servers: Vec<Server>) -> Self {
        let minute = Duration::from_secs(60);
        Self {
            name: name.to_owned(),
            servers: Servers::new(servers),
            balance: Balance::default(),
            health_check: None,
            tls: None,
            protocol: Protocol::default(),
            connect_timeout: Duration::from_secs(5),
            read_timeout: minute,
            write_timeout: minute,
            idle_timeout: minute,
            close_after_body: false,
            identity_headers: RemovedHeaders::default(),
        }
    }
}

/// Where it is: the URLs of its servers.
impl fmt::Display for Upstream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        for (index, server) in self.servers.all().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(out, "{comma}{scheme}://{}", server.address)?;
        }
        Ok(())
    }
}
