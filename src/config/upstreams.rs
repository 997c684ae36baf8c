//! `upstreams`: the servers behind the gateway.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::files;
use super::section::{Field, Section};
use super::url::ServerUrl;

/// A server behind the gateway (`gateway.md` 4).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upstream {
    /// Its name: the audience of SecTokens sent there.
    pub name: String,
    /// Where it is.
    pub url: ServerUrl,
    /// How its certificate is checked; `None` exactly where the URL is `http`.
    pub tls: Option<UpstreamTls>,
    /// Connecting, TLS included.
    pub connect_timeout: Duration,
    /// Between two reads.
    pub read_timeout: Duration,
    /// Between two writes.
    pub write_timeout: Duration,
    /// How long an unused connection is kept.
    pub idle_timeout: Duration,
}

/// How an upstream's certificate is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpstreamTls {
    /// The name sent and verified.
    pub server_name: String,
    /// A PEM file with the authorities to trust; `None`: the system's.
    pub ca: Option<PathBuf>,
    /// `false` takes any certificate.
    pub verify: bool,
    /// What the gateway shows when it is asked for a certificate; `None`: nothing.
    pub client: Option<ClientCertificate>,
}

/// A certificate of the gateway's own and its key. The files can be read; that they belong together is checked when
/// they are used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCertificate {
    /// PEM: the certificate, then the ones up to its root.
    pub certificate: PathBuf,
    /// PEM: its private key, PKCS#8.
    pub key: PathBuf,
}

pub(super) fn read(field: &Field<'_>) -> Vec<Upstream> {
    field.named(upstream)
}

fn upstream(name: &str, section: &Section<'_>) -> Option<Upstream> {
    let url = section.field("url").required::<ServerUrl>();
    let tls = section.field("tls");
    if let Some(url) = &url
        && !url.is_https()
        && tls.is_written()
    {
        tls.fault("the URL is plain http", "write an https URL, or leave tls");
    }
    let host = url.as_ref().map(|url| url.host().trim_matches(['[', ']']).to_owned()).unwrap_or_default();
    let tls = url.as_ref().filter(|url| url.is_https()).and_then(|_| tls.section(|section| checks(section, host)));
    let seconds = |key: &'static str, default| section.field(key).or(Duration::from_secs(default));
    let connect_timeout = seconds("connect-timeout", 5);
    let read_timeout = seconds("read-timeout", 60);
    let write_timeout = seconds("write-timeout", 60);
    let idle_timeout = seconds("idle-timeout", 60);
    let url = url?;
    Some(Upstream { name: name.to_owned(), url, tls, connect_timeout, read_timeout, write_timeout, idle_timeout })
}

fn checks(section: &Section<'_>, host: String) -> UpstreamTls {
    let name = section.field("server-name");
    let server_name = name.or(host);
    let ca = section.field("ca").existing("name a readable PEM file with the authorities to trust", files::readable);
    let verify = section.field("verify");
    let full = verify.choice(&[("full", true), ("none", false)]).unwrap_or(true);
    if full && server_name.parse::<IpAddr>().is_ok() {
        name.fault(
            "certificates are verified by name, and this is an address",
            "write the name that its certificate bears",
        );
    }
    if !full {
        verify.notice("none: whoever stands between the gateway and this upstream can read and answer everything");
    }
    UpstreamTls { server_name, ca, verify: full, client: client(section) }
}

fn client(section: &Section<'_>) -> Option<ClientCertificate> {
    let (certificate, key) = (section.field("client-certificate"), section.field("client-key"));
    for (written, other) in [(&certificate, &key), (&key, &certificate)] {
        if written.is_written() && !other.is_written() {
            other.fault("this key must be written", "write client-certificate and client-key, or neither");
        }
    }
    let certificate = certificate.existing("name a readable PEM file with the certificate", files::readable);
    let key = key.existing("name a readable PEM file with the certificate's private key", files::readable);
    Some(ClientCertificate { certificate: certificate?, key: key? })
}
