//! `upstreams`: the servers behind the gateway.

mod health_check;
mod joined;

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderName;
use sidegate_filters::delegation::is_reserved;
use url::Host;

use crate::routes::{Balance, HealthCheck, Protocol};

use super::field::Field;
use super::files;
use super::scalar::Scalar as _;
use super::section::Section;
use super::url::ServerUrl;

pub use joined::Joined;

/// Between two reads, where nothing is written.
pub const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// What is behind the gateway under one name (`gateway.md` 4).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upstream {
    /// Its name: the audience of SecTokens sent there.
    pub name: String,
    /// Where it is: one server or several that do the same, all `http` or all `https`; never empty.
    pub servers: Vec<ServerUrl>,
    /// How requests are spread over them.
    pub balance: Balance,
    /// How they are asked whether they are well; `None`: only requests tell.
    pub health_check: Option<HealthCheck>,
    /// How certificates are shown and checked; `None` exactly where the URLs are `http`.
    pub tls: Option<WrittenTls>,
    /// Which HTTP it is spoken to.
    pub protocol: Protocol,
    /// Connecting, TLS included.
    pub connect_timeout: Duration,
    /// Between two reads; `None`: [`READ_TIMEOUT`], and for a UAF server what the lease of a redeem leaves.
    pub read_timeout: Option<Duration>,
    /// Between two writes.
    pub write_timeout: Duration,
    /// How long an unused connection is kept.
    pub idle_timeout: Duration,
    /// Whether a connection by HTTP/1.1 is closed after a request with a body.
    pub close_after_body: bool,
    /// What no client may say there, beside what is always removed and what rules may set.
    pub remove_headers: Vec<HeaderName>,
    /// Whether its SecTokens are signed with a key of its own.
    pub own_key: bool,
}

/// How an upstream's certificate is checked, as it is written: with the names of files.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrittenTls {
    /// The name sent and verified; `None`: each server's host.
    pub server_name: Option<String>,
    /// A PEM file with the authorities to trust; `None`: the system's.
    pub ca: Option<PathBuf>,
    /// `false` takes any certificate.
    pub verify: bool,
    /// What the gateway shows when it is asked for a certificate; `None`: nothing.
    pub client: Option<ClientCertificate>,
}

impl WrittenTls {
    /// The name that the certificate of this server must bear.
    #[must_use]
    pub fn name_of<'a>(&'a self, server: &'a ServerUrl) -> &'a str {
        self.server_name.as_deref().unwrap_or_else(|| server.name())
    }
}

/// A certificate of the gateway's own and its key. The files can be read; that they belong together is checked when
/// they are used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCertificate {
    /// PEM: the certificate, then the ones up to its root.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
}

pub(super) fn read(field: &Field<'_>) -> Vec<Upstream> {
    field.named(upstream)
}

fn upstream(name: &str, section: &Section<'_>) -> Option<Upstream> {
    let servers = servers(section);
    let https = servers.first().is_some_and(ServerUrl::is_https);
    let tls = section.field("tls");
    if !servers.is_empty() && !https && tls.is_written() {
        tls.fault("the URL is plain http", "write an https URL, or leave tls");
    }
    let tls = https.then(|| tls.section(|section| checks(section, &servers))).flatten();
    let balance = section.field("balance");
    let balance = balance.choice(&[("turns", Balance::Turns), ("session", Balance::Session)]).unwrap_or_default();
    let health_check = health_check::read(&section.field("health-check"));
    let protocol = protocol(&section.field("protocol"), https);
    let seconds = |key: &'static str, default| section.field(key).or(Duration::from_secs(default));
    let connect_timeout = seconds("connect-timeout", 5);
    let read_timeout = section.field("read-timeout").optional();
    let write_timeout = seconds("write-timeout", 60);
    let idle_timeout = seconds("idle-timeout", 60);
    let close_after_body = section.field("after-body").choice(&[("keep", false), ("close", true)]).unwrap_or(false);
    let remove_headers = section.field("remove-headers").each(removed);
    let own_key = section.field("sec-token-key").choice(&[("common", false), ("own", true)]).unwrap_or(false);
    let found = Upstream {
        name: name.to_owned(),
        servers,
        balance,
        health_check,
        tls,
        protocol,
        connect_timeout,
        read_timeout,
        write_timeout,
        idle_timeout,
        close_after_body,
        remove_headers,
        own_key,
    };
    (!found.servers.is_empty()).then_some(found)
}

/// A header that tells the application who is calling, under a name of its own.
fn removed(item: &Field<'_>) -> Option<HeaderName> {
    let name = item.optional()?;
    if is_reserved(&name) {
        item.fault(
            "the gateway sees to this header itself: a message needs it, or no client's gets through anyhow",
            "take it out of the list, which is for headers that name a user",
        );
        return None;
    }
    Some(name)
}

/// One `url`, or several `servers`; what is at fault is left out.
fn servers(section: &Section<'_>) -> Vec<ServerUrl> {
    let (url, list) = (section.field("url"), section.field("servers"));
    if url.is_written() && list.is_written() {
        list.fault("url is written too", "write url for one server, or servers for several");
    } else if !url.is_written() && !list.is_written() && !section.misspells(&["servers"]) {
        url.demand(&format!("{}; or several below servers", ServerUrl::RIGHT));
    }
    let mut found: Vec<ServerUrl> = url.optional().into_iter().collect();
    list.each(|item| {
        let server: ServerUrl = item.optional()?;
        if found.first().is_some_and(|first| first.is_https() != server.is_https()) {
            item.fault("some servers are http and some https", "write one scheme for all of them");
        }
        if found.iter().any(|other| other.place() == server.place()) {
            item.fault("this server is named twice", "keep one of them");
        }
        found.push(server);
        Some(())
    });
    if list.is_written() && list.is_all(0) {
        list.fault("no server is named", ServerUrl::RIGHT);
    }
    let named = if list.is_written() { list } else { url };
    if found.iter().any(|server| !server.is_https() && !server.is_loopback()) {
        named
            .notice("plain http: everybody on the way reads and changes what is sent, SecTokens among it; write https");
    }
    found
}

fn protocol(field: &Field<'_>, https: bool) -> Protocol {
    let words = [("h1", Protocol::Http1), ("h2", Protocol::Http2), ("auto", Protocol::Negotiated)];
    let protocol = field.choice(&words).unwrap_or_default();
    if protocol == Protocol::Negotiated && !https {
        field.fault("servers without TLS are not asked what they speak", "write h1 or h2");
    }
    protocol
}

fn checks(section: &Section<'_>, servers: &[ServerUrl]) -> WrittenTls {
    let name = section.field("server-name");
    let server_name: Option<String> = name.optional();
    let ca = section.field("ca").existing("name a readable PEM file with the authorities to trust", files::readable);
    let verify = section.field("verify");
    let full = verify.choice(&[("full", true), ("none", false)]).unwrap_or(true);
    let tls = WrittenTls { server_name, ca, verify: full, client: client(section) };
    const RIGHT: &str = "write the name that its certificate bears";
    match &tls.server_name {
        // Whatever is verified: who connects to this name must not be led to another server by it.
        Some(written) if !is_name(written) => {
            name.fault("this is no name of a server, such as an address is none", RIGHT)
        }
        None if full && !name.is_written() && servers.iter().any(|server| !is_name(server.name())) => {
            name.fault("certificates are verified by name, and this is an address", RIGHT);
        }
        _ => {}
    }
    if !full {
        verify.notice("none: whoever stands between the gateway and this upstream can read and answer everything");
    }
    tls
}

/// Whether this is a host's name, and no address in any spelling that a URL may have.
fn is_name(text: &str) -> bool {
    matches!(Host::parse(text), Ok(Host::Domain(_)))
}

fn client(section: &Section<'_>) -> Option<ClientCertificate> {
    let (certificate, key) = (section.field("client-certificate"), section.field("client-key"));
    for (written, other) in [(&certificate, &key), (&key, &certificate)] {
        if written.is_written() {
            other.demand("write client-certificate and client-key, or neither");
        }
    }
    let certificate = certificate.existing("name a readable PEM file with the certificate", files::readable);
    let key = key.existing("name a readable PEM file with the certificate's private key", files::readable);
    Some(ClientCertificate { certificate: certificate?, key: key? })
}
