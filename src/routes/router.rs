//! Finding the route of a request.

use std::sync::Arc;

use http::Method;
use sidegate_filters::path::Looseness;
use sidegate_filters::{CanonicalPath, Chain, Params, PathRules, PathTemplate};

use super::{Endpoint, Upstream, UpstreamPath, WebSocket, aliases};

/// Who a listener is for (`gateway.md` 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListenerClass {
    /// Phones and browsers.
    Public,
    /// Relying parties and authentication services.
    Internal,
    /// Probes and metrics; nothing else.
    Management,
}

impl ListenerClass {
    /// The class as the configuration, the log and the metrics name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Management => "management",
        }
    }
}

/// Where a request ends.
#[derive(Clone)]
pub enum Destination {
    /// A service of ours.
    Local(Arc<dyn Endpoint>),
    /// A server behind the gateway.
    Upstream(Arc<Upstream>),
}

/// Methods by which a body means nothing (RFC 9110 9.3): no row sends one to an upstream unless it names the method in
/// [`Route::bodies_of`].
pub const BODILESS: &[Method] = &[Method::GET, Method::HEAD, Method::DELETE, Method::OPTIONS];

/// One row of the table.
#[derive(Clone)]
pub struct Route {
    /// The row's name: how the configuration overrides it and `explain` and the log show it.
    pub name: String,
    /// Methods served; HEAD follows GET.
    pub methods: Vec<Method>,
    /// The canonical path.
    pub path: PathTemplate,
    /// The path as text, for `explain`.
    pub pattern: String,
    /// The listeners it is served on.
    pub on: Vec<ListenerClass>,
    /// Unusual spellings it allows.
    pub rules: PathRules,
    /// The longest body accepted, in bytes; `None` streams without limit to an upstream.
    pub body_limit: Option<usize>,
    /// Those of [`BODILESS`] whose bodies reach an upstream all the same.
    pub bodies_of: Vec<Method>,
    /// The filters, in order.
    pub filters: Chain,
    /// Where an upstream has what is here; `None`: at the same path.
    pub upstream_path: Option<UpstreamPath>,
    /// Which WebSockets may be opened here; `None`: none.
    pub websocket: Option<WebSocket>,
    /// Where it ends.
    pub destination: Destination,
}

/// A route that fits, with its path parameters.
pub struct Found<'a> {
    /// The row.
    pub route: &'a Arc<Route>,
    /// The path that was matched. Differs from the request's where that used an alias.
    pub path: CanonicalPath,
    /// The path that is forwarded where the row's [`Route::upstream_path`] makes it another than the one that was matched.
    pub forwarded: Option<CanonicalPath>,
    /// Values of the path's `{name}` segments.
    pub params: Params,
}

/// Why no route fits.
#[derive(Debug, PartialEq, Eq)]
pub enum Unrouted {
    /// No row has this path on this class of listener: 404.
    Path,
    /// Rows have the path, none the method: 405 with these in `Allow`, HEAD among them where GET is.
    Method(Vec<Method>),
    /// The row, or for want of one every row, does not allow the way the path is spelt: 400.
    Spelling,
    /// The row allows it, but a server that mends it, or that takes small and capital letters for the same as the row does,
    /// would find another row by it, with that row's filters left out: 400.
    Ambiguous,
}

/// The route table: rows are tried in order, first fit wins.
#[derive(Clone, Default)]
pub struct Router {
    routes: Vec<Arc<Route>>,
}

impl Router {
    /// A table of these rows.
    #[must_use]
    pub fn new(routes: Vec<Route>) -> Self {
        Self { routes: routes.into_iter().map(Arc::new).collect() }
    }

    /// The rows, in order.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().map(AsRef::as_ref)
    }

    /// Finds the row of a request.
    ///
    /// # Errors
    /// Why it must be refused.
    pub fn find(&self, class: ListenerClass, method: &Method, path: &CanonicalPath) -> Result<Found<'_>, Unrouted> {
        let path = aliases::resolve(path).unwrap_or_else(|| path.clone());
        let mut allowed = Vec::new();
        for route in self.on(class) {
            let Some(params) = route.path.matches(&path) else { continue };
            if !route.serves(method) {
                route.served().for_each(|method| {
                    if !allowed.contains(method) {
                        allowed.push(method.clone())
                    }
                });
            } else if route.rules.allow(path.unusual()) {
                let reader = Looseness {
                    any_case: route.path.ignores_case(),
                    any_segment: path.unusual() != PathRules::default(),
                };
                if reader != Looseness::default() && !self.is_clear(route, class, method, (&path, reader)) {
                    return Err(Unrouted::Ambiguous);
                }
                let there = route.upstream_path.as_ref().map(|there| there.of(&path).ok_or(Unrouted::Spelling));
                return Ok(Found { route, forwarded: there.transpose()?, path, params });
            } else {
                return Err(Unrouted::Spelling);
            }
        }
        Err(match allowed {
            allowed if !allowed.is_empty() => Unrouted::Method(allowed),
            _ if path.unusual() != PathRules::default() => Unrouted::Spelling,
            _ => Unrouted::Path,
        })
    }
}

impl Router {
    fn on(&self, class: ListenerClass) -> impl Iterator<Item = &Arc<Route>> {
        self.routes.iter().filter(move |route| route.on.contains(&class))
    }

    /// Whether everybody who reads the path, mended or not, finds this row by it, or none at all, and it leads somewhere there.
    fn is_clear(
        &self,
        route: &Arc<Route>,
        class: ListenerClass,
        method: &Method,
        (path, reader): (&CanonicalPath, Looseness),
    ) -> bool {
        let found = |reading: &CanonicalPath| {
            let small = reader.any_case.then(|| reading.in_small_letters());
            let reading = small.as_ref().unwrap_or(reading);
            let resolved = aliases::resolve(reading);
            let reading = resolved.as_ref().unwrap_or(reading);
            let mut fitting = self.on(class).filter(|row| row.path.may_match(reading, reader)).peekable();
            let leads_on = || route.upstream_path.as_ref().is_none_or(|there| there.of(reading).is_some());
            fitting.peek().is_none()
                || fitting.find(|row| row.serves(method)).is_some_and(|row| Arc::ptr_eq(row, route) && leads_on())
        };
        if !reader.any_segment {
            return found(path);
        }
        path.readings().is_some_and(|readings| readings.iter().all(found))
    }
}

impl Route {
    /// Whether a body of a request by this method may reach an upstream.
    #[must_use]
    pub fn takes_body(&self, method: &Method) -> bool {
        !BODILESS.contains(method) || self.bodies_of.contains(method)
    }

    /// The methods that it is for: who may GET may ask for the head alone.
    fn served(&self) -> impl Iterator<Item = &Method> {
        self.methods.iter().chain(self.methods.contains(&Method::GET).then_some(&Method::HEAD))
    }

    fn serves(&self, method: &Method) -> bool {
        self.served().any(|served| served == method)
    }
}

#[cfg(test)]
mod tests;
