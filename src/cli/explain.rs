//! `sidegate explain`: what a request would meet, told by the router that serves, and the table of all rows.

mod elsewhere;
mod table;

use std::fmt;

use http::Method;
use sidegate_filters::{CanonicalPath, Network, PathRules};

pub use elsewhere::Elsewhere;
pub use table::Table;

use crate::config::{Config, Listener, ServerUrl, Upstream};
use crate::routes::{Balance, Destination, Found, ListenerClass, Route, Router, Unrouted};

const ALL: [ListenerClass; 3] = [ListenerClass::Public, ListenerClass::Internal, ListenerClass::Management];

/// Why a request would be refused before any filter sees it.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The method is none.
    #[error("refused with 400: this is no method")]
    Method,
    /// The path can't be read in one way only.
    #[error("refused with 400: {0}")]
    Path(#[from] sidegate_filters::path::PathError),
    /// No row has the path.
    #[error("refused with 404: no row on {0} listeners has the path {1}{2}")]
    Unknown(&'static str, String, Elsewhere),
    /// Rows have the path, none the method.
    #[error("refused with 405: on {0} listeners this path takes {1}{capitals}{3}", capitals = capitals(.2))]
    Wrong(&'static str, String, Method, Elsewhere),
    /// No listener is of this class.
    #[error("refused: the configuration has no {0} listener; --on names one of {1}")]
    Nowhere(&'static str, String),
    /// The row does not allow the spelling.
    #[error("refused with 400: the row does not allow how the path is spelt ({0})")]
    Spelling(String),
    /// The row allows it, and whoever mends it finds another row.
    #[error("refused with 400: a server that {0} would find another row by it")]
    Ambiguous(String),
}

/// What a request would meet.
pub struct Explanation<'a> {
    asked: String,
    found: Found<'a>,
    /// The classes of the row that have a listener.
    on: Vec<ListenerClass>,
    /// Listeners that serve it.
    listeners: Vec<&'a Listener>,
    /// Whether a certificate of the client's may tell who it is.
    takes_certificates: bool,
    /// The upstream that its service asks.
    asks: Option<&'a Upstream>,
}

/// Finds what a request would meet. A query is cut off: it plays no part.
///
/// # Errors
/// Why it would be refused before any filter sees it.
pub fn explain<'a>(
    config: &'a Config,
    router: &'a Router,
    class: ListenerClass,
    method: &str,
    path: &str,
) -> Result<Explanation<'a>, Refused> {
    demand_listener(config, class)?;
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| Refused::Method)?;
    let asked = path.split('?').next().unwrap_or(path);
    let canonical = CanonicalPath::parse(asked)?;
    match router.find(class, &method, &canonical) {
        Ok(found) => {
            let row = config.routes.iter().find(|row| row.name == found.route.name);
            let (on, asks) = (config.listening(&found.route.on), row.and_then(|row| config.asked_by(row)));
            let listeners =
                config.listeners.iter().filter(|listener| found.route.on.contains(&listener.class)).collect();
            let takes_certificates = row.is_some_and(|row| config.takes_certificates(row));
            Ok(Explanation { asked: asked.to_owned(), found, on, listeners, takes_certificates, asks })
        }
        Err(Unrouted::Path) => {
            let elsewhere = Elsewhere::of(config, router, &method, &canonical);
            Err(Refused::Unknown(class.name(), canonical.as_str().to_owned(), elsewhere))
        }
        Err(Unrouted::Method(allowed)) => {
            let elsewhere = Elsewhere::of(config, router, &method, &canonical);
            Err(Refused::Wrong(class.name(), listed(allowed.iter().map(Method::as_str)), method, elsewhere))
        }
        Err(Unrouted::Spelling) => Err(Refused::Spelling(spellings(canonical.unusual()))),
        Err(Unrouted::Ambiguous) if canonical.unusual() == PathRules::default() => {
            Err(Refused::Ambiguous("takes small and capital letters for the same".to_owned()))
        }
        Err(Unrouted::Ambiguous) => {
            Err(Refused::Ambiguous(format!("mends how the path is spelt ({})", spellings(canonical.unusual()))))
        }
    }
}

/// That `get` is not GET.
fn capitals(method: &Method) -> &'static str {
    if method.as_str().contains(|c: char| c.is_ascii_lowercase()) { "; methods are written in capitals" } else { "" }
}

/// Whether requests can come in on listeners of this class.
fn demand_listener(config: &Config, class: ListenerClass) -> Result<(), Refused> {
    if !config.listening(&[class]).is_empty() {
        return Ok(());
    }
    Err(Refused::Nowhere(class.name(), listed(config.listening(&ALL).into_iter().map(ListenerClass::name))))
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { route, path, forwarded, .. } = &self.found;
        writeln!(out, "row       {}", route.name)?;
        writeln!(out, "matches   {} {}", listed(route.methods.iter().map(Method::as_str)), route.pattern)?;
        writeln!(out, "served on {} listeners", listed(self.on.iter().copied().map(ListenerClass::name)))?;
        self.clients(out)?;
        if path.as_str() != self.asked {
            writeln!(out, "path      {} (as it is matched and forwarded)", path.as_str())?;
        }
        if let Some(path) = forwarded {
            writeln!(out, "sent as   {}", path.as_str())?;
        }
        if route.path.ignores_case() {
            writeln!(out, "letters   small and capital ones are the same")?;
        }
        if route.rules != PathRules::default() {
            writeln!(out, "allows    {}", spellings(route.rules))?;
        }
        match route.body_limit {
            Some(limit) => writeln!(out, "body      at most {limit} bytes")?,
            None => writeln!(out, "body      of any length")?,
        }
        if !route.bodies_of.is_empty() {
            writeln!(out, "bodies of {} too", listed(route.bodies_of.iter().map(Method::as_str)))?;
        }
        if let Some(websocket) = &route.websocket {
            writeln!(out, "websocket {websocket}")?;
        }
        self.filters(out, route)?;
        self.destination(out, route)
    }
}

impl Explanation<'_> {
    fn destination(&self, out: &mut fmt::Formatter<'_>, route: &Route) -> fmt::Result {
        let unchecked = |verified: Option<bool>| match verified {
            Some(false) => ", whose certificate is not verified",
            _ => "",
        };
        match &route.destination {
            Destination::Local(_) => write!(out, "leads to  a service of this gateway")?,
            Destination::Upstream(upstream) => {
                let checked = unchecked(upstream.tls.as_ref().map(|tls| tls.verify));
                write!(out, "leads to  upstream {} at {upstream}{checked}", upstream.name)?;
                if upstream.balance == Balance::Session {
                    write!(out, "\nbalance   a session keeps its server")?;
                }
                if let Some(check) = &upstream.health_check {
                    write!(out, "\nchecks    {check}")?;
                }
            }
        }
        let Some(upstream) = self.asks else { return Ok(()) };
        let servers = listed(upstream.servers.iter().map(ServerUrl::text));
        let checked = unchecked(upstream.tls.as_ref().map(|tls| tls.verify));
        write!(out, "\nasks      upstream {} at {servers}{checked}", upstream.name)
    }

    /// Whose word is taken for who the client is.
    fn clients(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = |networks: &[Network]| networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        for listener in &self.listeners {
            let address = listener.address;
            if let Some(proxies) = &listener.proxies {
                let (name, from) = (proxies.header.name(), from(&proxies.from));
                writeln!(out, "clients   as {name} of {from} says, on {address}")?;
            }
            if !listener.balancers.is_empty() {
                let from = from(&listener.balancers);
                writeln!(
                    out,
                    "clients   as the PROXY protocol of {from} says, on {address}; nobody else connects there"
                )?;
            }
        }
        if !self.takes_certificates {
            return Ok(());
        }
        let asks = |listener: &&&Listener| listener.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        let asking: Vec<_> = self.listeners.iter().filter(asks).map(|listener| listener.address.to_string()).collect();
        match &asking[..] {
            [] => writeln!(out, "certificates are asked for on none of its listeners"),
            there => writeln!(out, "certificates are asked for on {}", there.join(", ")),
        }
    }

    fn filters(&self, out: &mut fmt::Formatter<'_>, route: &Route) -> fmt::Result {
        let mut any = false;
        for (index, filter) in route.filters.filters().enumerate() {
            any = true;
            let settings = filter.settings();
            let colon = if settings.is_empty() { "" } else { ": " };
            writeln!(out, "filter {}  {}{colon}{settings}", index + 1, filter.name())?;
        }
        if any { Ok(()) } else { writeln!(out, "filters   none: open to all") }
    }
}

fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

fn spellings(rules: PathRules) -> String {
    let words = [
        (rules.empty_segments, "empty-segments"),
        (rules.encoded_slashes, "encoded-slashes"),
        (rules.double_encoding, "double-encoding"),
        (rules.parameters, "parameters"),
    ];
    listed(words.into_iter().filter_map(|(set, word)| set.then_some(word)))
}

#[cfg(test)]
mod tests;
