//! The description of the interface, which is made of all rows and stands behind one of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use sidegate_filters::identity_creation::SessionDomain;

use crate::config::{Config, LeadsTo, Row};
use crate::routes::endpoints::openapi::{Described, OpenApiEndpoint};
use crate::routes::rows::Service;
use crate::routes::{Destination, Route};

/// Puts what these routes are behind the one that tells it.
pub(super) fn describe(config: &Config, routes: &mut [Route]) {
    let cookies = cookies(config);
    let served = config.routes.iter().zip(&*routes).filter(|(row, _)| !config.listening(&row.on).is_empty());
    let described: Vec<_> = served.filter_map(|(row, route)| description(row, route, config, &cookies)).collect();
    let document = Arc::new(OpenApiEndpoint::new(&described, config.public_url.text()));
    for (row, route) in config.routes.iter().zip(routes) {
        if matches!(row.leads_to, LeadsTo::Service(Service::OpenApi, _)) {
            route.destination = Destination::Local(document.clone());
        }
    }
}

/// The name of each domain's cookie where browsers come from.
fn cookies(config: &Config) -> BTreeMap<&str, String> {
    let domains = config.domains.iter().filter_map(|domain| Some((domain, SessionDomain::parse(&domain.name).ok()?)));
    domains.map(|(domain, parsed)| (domain.name.as_str(), parsed.cookie_name(config.public_url.is_https()))).collect()
}

fn description<'a>(
    row: &'a Row,
    route: &Route,
    config: &Config,
    cookies: &'a BTreeMap<&str, String>,
) -> Option<Described<'a>> {
    let (service, protection) = match &row.leads_to {
        LeadsTo::Service(service, protection) | LeadsTo::Fronted { service, protection, .. } => (*service, *protection),
        LeadsTo::Upstream { .. } => return None,
    };
    let domain = row.domain.as_deref().or_else(|| config.own_domain());
    Some(Described {
        name: &row.name,
        methods: &row.methods,
        path: row.pattern.text(),
        on: &row.on,
        service,
        protection,
        cookie: domain.and_then(|domain| cookies.get(domain)).map(String::as_str),
        media: match &route.destination {
            Destination::Local(endpoint) => Some(endpoint.media()),
            Destination::Upstream(_) => None,
        },
    })
}
