//! `listeners`: where the gateway listens, and for whom.

use std::net::SocketAddr;
use std::path::PathBuf;

use sidegate_filters::{ForwardedHeader, Network, TrustedProxies};

use crate::routes::ListenerClass;

use super::Overrides;
use super::field::Field;
use super::files;
use super::network::network;
use super::scalar::Scalar as _;
use super::section::Section;

/// One listener. Without TLS it is on a loopback address.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listener {
    /// Who it is for.
    pub class: ListenerClass,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its certificate; `None`: plain.
    pub tls: Option<ListenerTls>,
    /// Where balancers are that begin each connection with a PROXY header, and nobody else connects from; empty: none.
    pub balancers: Vec<Network>,
    /// Which proxies are believed when a header of theirs says whom they speak for; `None`: none.
    pub proxies: Option<TrustedProxies>,
    /// Whether HTTP/2 is spoken too.
    pub http2: bool,
}

/// A listener's certificate. The files can be read; that they belong together is checked when they are used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerTls {
    /// PEM: the certificate, then the ones up to its root.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
    /// PEM: authorities of which clients must show a certificate; `None`: no certificate is asked for.
    pub client_ca: Option<PathBuf>,
}

/// The address of a listener, as the file and the command line have it.
///
/// # Errors
/// What is wrong, and what would be right.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    SocketAddr::read(text).map_err(|wrong| format!("{wrong}; {}", SocketAddr::RIGHT))
}

pub(super) const CLASSES: &[(&str, ListenerClass)] = &[
    ("public", ListenerClass::Public),
    ("internal", ListenerClass::Internal),
    ("management", ListenerClass::Management),
];

/// The listeners, and whether an internal one is to ask clients for certificates, be what it names in order or not.
pub(super) fn read(field: &Field<'_>, overrides: &Overrides) -> (Vec<Listener>, bool) {
    if field.is_all(0) {
        field.fault("there is no listener", "write at least one, such as one with class public");
        return (Vec::new(), false);
    }
    let mut seen: Vec<Seen> = Vec::new();
    let mut certificates_asked = false;
    let mut given = Given(CLASSES.iter().map(|(_, class)| (*class, overrides.address(*class))).collect());
    let listeners = field.each(|item| {
        let Read { listener, flag, asks } = item.section(|section| listener(section, &mut given)).flatten()?;
        certificates_asked |= asks && listener.class == ListenerClass::Internal;
        match seen.iter().find(|(address, ..)| overlap(*address, listener.address)) {
            Some(first) => refuse_taken(item, flag, first),
            None => seen.push((listener.address, item.line(), flag)),
        }
        Some(listener)
    });
    for (class, _) in given.0.iter().filter(|(_, address)| address.is_some()) {
        let word = class.name();
        field.fault_of_flag(
            Overrides::flag(*class),
            format!("there is no {word} listener whose address it could be"),
            format!("add a listener with class {word}, or leave the flag"),
        );
    }
    (listeners, certificates_asked)
}

/// Whether two sockets can't listen there at once: `0.0.0.0` is every address of IPv4, and `[::]` every one of both.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let takes = |all: SocketAddr, one: SocketAddr| all.ip().is_unspecified() && (all.is_ipv6() || one.is_ipv4());
    one.port() == other.port() && one.port() != 0 && (one.ip() == other.ip() || takes(one, other) || takes(other, one))
}

/// The address of a listener, its line, and the flag that the address is of, if it is not the written one.
type Seen = (SocketAddr, u64, Option<&'static str>);

/// Two listeners at one address: the flag is at fault that moved one of them there.
fn refuse_taken(item: &Field<'_>, flag: Option<&'static str>, (_, line, first): &Seen) {
    let right = "give each listener an address of its own";
    let wrong = |line: u64| format!("this address is taken by the listener in line {line}");
    match (flag, first) {
        (Some(flag), _) => item.fault_of_flag(flag, wrong(*line), right),
        (None, Some(first)) => item.fault_of_flag(first, wrong(item.line()), right),
        (None, None) => item.fault(wrong(*line), right),
    }
}

/// Addresses of the command line that no listener has taken yet: each goes to the first listener of its class.
struct Given(Vec<(ListenerClass, Option<SocketAddr>)>);

impl Given {
    fn take(&mut self, class: ListenerClass) -> Option<SocketAddr> {
        self.0.iter_mut().find(|(of, _)| *of == class).and_then(|(_, address)| address.take())
    }
}

/// What is written of one listener.
struct Read {
    listener: Listener,
    /// The flag that its address is of, if it is not the written one.
    flag: Option<&'static str>,
    /// Whether `client-ca` is written.
    asks: bool,
}

fn listener(section: &Section<'_>, given: &mut Given) -> Option<Read> {
    let class = section.field("class").demanded("write public, internal or management");
    let class = class.choice(CLASSES);
    let written = section.field("address");
    let address = written.required::<SocketAddr>();
    let http2 = section.field("http2").or(true);
    let balancers = balancers(&section.field("proxy-protocol"));
    let forwarded = section.field("forwarded");
    let proxies = if forwarded.is_present() { forwarded.section(proxies).flatten() } else { None };
    if proxies.is_some() && !balancers.is_empty() {
        forwarded
            .fault("proxy-protocol says already who the client is", "keep one of them: what the balancer really sends");
    }
    let tls = section.field("tls");
    let plain = !tls.is_present();
    let mut asks = false;
    let tls = if plain { None } else { tls.section(|section| certificate(section, &mut asks)).flatten() };
    let class = class?;
    let given = given.take(class);
    let flag = given.map(|_| Overrides::flag(class));
    let address = given.or(address)?;
    if plain && !address.ip().is_loopback() {
        let wrong = "without TLS, everybody on the way reads and changes what is sent";
        match flag {
            Some(flag) => written.fault_of_flag(
                flag,
                wrong,
                "give an address such as 127.0.0.1:8080, or a --config of your own where this listener has tls",
            ),
            None => written.fault(
                wrong,
                "add tls with certificate and key (sidegate keygen --self-signed DIR makes them), or listen on 127.0.0.1",
            ),
        }
    }
    Some(Read { listener: Listener { class, address, tls, balancers, proxies, http2 }, flag, asks })
}

fn balancers(field: &Field<'_>) -> Vec<Network> {
    let right = "list the networks of your balancers, such as [10.1.0.0/24]; without any, take the key away";
    trusted(field, "nobody could connect", right)
}

fn proxies(section: &Section<'_>) -> Option<TrustedProxies> {
    let right = "list the networks of your proxies, such as [10.1.0.0/24]";
    let known = [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded].map(|header| (header.name(), header));
    let from = trusted(&section.field("from").demanded(right), "nobody would be believed", right);
    let header =
        section.field("header").demanded("name the one header that your proxies write: x-forwarded-for or forwarded");
    Some(TrustedProxies { from, header: header.choice(&known)? })
}

/// Networks whose word is taken for where a client is.
fn trusted(field: &Field<'_>, empty: &str, right: &str) -> Vec<Network> {
    if field.is_written() && field.is_all(0) {
        field.fault(empty, right);
    }
    let found = field.each(network);
    if found.iter().any(|network| network.to_string().ends_with("/0")) {
        field.fault("whoever may connect could say that it is somebody else", right);
    }
    found
}

fn certificate(section: &Section<'_>, asks: &mut bool) -> Option<ListenerTls> {
    let pem = |key: &'static str, right: &str| section.field(key).demanded(right).existing(right, files::readable);
    let certificate = pem("certificate", "name a readable PEM file with the certificate and its chain");
    let key = pem("key", "name a readable PEM file with the certificate's private key");
    let client_ca = section.field("client-ca");
    *asks = client_ca.is_written();
    let client_ca = client_ca.existing("name a readable PEM file with the authorities of clients", files::readable);
    Some(ListenerTls { certificate: certificate?, key: key?, client_ca })
}

/// The listener whose address stands in for a public URL that is not written.
pub(super) fn first_public(listeners: &[Listener]) -> Option<&Listener> {
    listeners.iter().find(|listener| listener.class == ListenerClass::Public)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("127.0.0.1:80", "127.0.0.1:80", true)]
    #[case("0.0.0.0:80", "127.0.0.1:80", true)]
    #[case("127.0.0.1:80", "0.0.0.0:80", true)]
    #[case("[::]:80", "127.0.0.1:80", true)]
    #[case("[::1]:80", "[::]:80", true)]
    #[case("0.0.0.0:80", "[::1]:80", false)]
    #[case("0.0.0.0:80", "127.0.0.1:81", false)]
    #[case("127.0.0.2:80", "127.0.0.1:80", false)]
    #[case("0.0.0.0:0", "127.0.0.1:0", false)]
    fn addresses_that_take_each_other(#[case] one: &str, #[case] other: &str, #[case] expected: bool) {
        assert_eq!(overlap(one.parse().unwrap(), other.parse().unwrap()), expected);
    }
}
