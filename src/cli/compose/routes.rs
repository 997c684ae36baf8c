//! The route table: every row of the configuration with its filters and its destination.

mod changes;
mod description;
mod endpoints;
mod fronted;
mod upstreams;

use std::collections::BTreeMap;
use std::sync::Arc;

use sidegate_filters::clock::Clock;
use sidegate_filters::delegation::{DelegationFilter, Rule};
use sidegate_filters::headers::HeaderRules;
use sidegate_filters::jws_bypass::Uses;
use sidegate_filters::rate::Rate;
use sidegate_filters::rate_limit::RateLimit;
use sidegate_filters::{Chain, Filter, HeadersFilter, IpListFilter, RateLimitFilter, UserBindingFilter};

use super::gate::Gate;
use super::lasting::Lasting;
use super::services::Services;
use super::{ComposeError, Stores};
use crate::config::{self, Config, FilterKind, LeadsTo, NamedFilter};
use crate::routes::rows::{Protection, Service};
use crate::routes::{Destination, Protocol, Route, Router, Upstream, WebSocket};
use crate::telemetry::Metrics;

pub(super) use upstreams::upstream_tls;

/// What rows are filled from.
struct Parts<'a> {
    config: &'a Config,
    gate: &'a Gate,
    services: Option<&'a Services>,
    stores: &'a Stores,
    metrics: &'a Arc<Metrics>,
    upstreams: BTreeMap<&'a str, Arc<Upstream>>,
    /// Of each upstream's targets: rows that lead to one server share it.
    uses: BTreeMap<&'a str, Arc<Uses>>,
    /// What each rate-limit has counted, on whichever row it stands.
    rates: BTreeMap<&'a str, Arc<Rate>>,
}

pub(super) fn table(
    config: &Config,
    gate: &Gate,
    services: Option<&Services>,
    stores: &Stores,
    metrics: &Arc<Metrics>,
) -> Result<Router, ComposeError> {
    let upstreams = config
        .upstreams
        .iter()
        .map(|wanted| Ok((wanted.name.as_str(), Arc::new(upstreams::upstream(config, wanted, &stores.lasting)?))));
    let upstreams = upstreams.collect::<Result<BTreeMap<_, _>, ComposeError>>()?;
    stores.lasting.set_upstreams(upstreams.values());
    let uses = changes::memories(config, stores, &gate.clock);
    let rates = rates(config, &stores.lasting, &gate.clock);
    let parts = Parts { config, gate, services, stores, metrics, upstreams, uses, rates };
    let mut routes = config.routes.iter().map(|row| parts.route(row)).collect::<Result<Vec<_>, _>>()?;
    description::describe(config, &mut routes);
    Ok(Router::new(routes))
}

/// What tells an upstream who is calling is none of its business.
fn headers(name: &str, rules: &HeaderRules, upstream: &Upstream) -> Result<Arc<dyn Filter>, ComposeError> {
    let filter = HeadersFilter::new(rules.clone(), &upstream.identity_headers);
    Ok(Arc::new(filter.map_err(|header| ComposeError::Unfit {
        key: format!("filters.{name}.request"),
        wrong: format!(
            "`{header}` tells the upstream {} who is calling: a delegation sets it, or remove-headers names it",
            upstream.name
        ),
        right: "take it away here: who is calling is told by filters of type delegation alone",
    })?))
}

/// What every rate-limit counts in.
fn rates<'c>(config: &'c Config, lasting: &Lasting, clock: &Arc<dyn Clock>) -> BTreeMap<&'c str, Arc<Rate>> {
    let limits = config.filters.iter().filter_map(|filter| match &filter.kind {
        FilterKind::RateLimit(limit) => Some((filter.name.as_str(), limit)),
        _ => None,
    });
    lasting.rates(limits, |limit| Rate::new(limit.limit, clock.clone()))
}

impl Parts<'_> {
    fn route(&self, row: &config::Row) -> Result<Route, ComposeError> {
        let (filters, destination) = match &row.leads_to {
            LeadsTo::Service(service, protection) => (
                self.service_filters(row, *service, *protection)?,
                Destination::Local(self.endpoint(*service, row.domain.as_deref())?),
            ),
            LeadsTo::Fronted { service, protection, upstream } => {
                let upstream = self.upstream(upstream)?;
                (self.fronted_filters(row, upstream, *service, *protection)?, Destination::Upstream(upstream.clone()))
            }
            LeadsTo::Upstream { name, filters } => {
                let upstream = self.upstream(name)?;
                (self.upstream_filters(row, upstream, filters)?, Destination::Upstream(upstream.clone()))
            }
        };
        Ok(Route {
            name: row.name.clone(),
            methods: row.methods.clone(),
            path: row.pattern.template().clone(),
            pattern: row.pattern.text().to_owned(),
            on: row.on.clone(),
            rules: row.allow,
            body_limit: row.body_limit,
            bodies_of: row.bodies_of.clone(),
            filters,
            upstream_path: row.upstream_path.clone(),
            websocket: self.websocket(row, &destination)?,
            destination,
        })
    }

    /// A WebSocket takes over a connection of HTTP/1.1, on both sides.
    fn websocket(&self, row: &config::Row, to: &Destination) -> Result<Option<WebSocket>, ComposeError> {
        let Some(written) = &row.websocket else { return Ok(None) };
        if let Destination::Upstream(upstream) = to
            && upstream.protocol == Protocol::Http2
        {
            let wrong = format!("the row {} has WebSockets, which need protocol h1 or auto", row.name);
            return Err(ComposeError::unfit(format!("upstreams.{}.protocol", upstream.name), wrong));
        }
        Ok(Some(written.of(&self.config.public_url)))
    }

    /// Rows that answer everybody alike ask nobody who they are.
    fn service_filters(
        &self,
        row: &config::Row,
        service: Service,
        protection: Protection,
    ) -> Result<Chain, ComposeError> {
        Ok(match protection {
            Protection::Open if service.is_impersonal() => Chain::default(),
            Protection::JwsBypass => Chain::new(vec![self.bypass()?]),
            _ => Chain::new(vec![self.gate.for_service(row.domain.as_deref(), protection, row.interception)?]),
        })
    }

    fn services(&self) -> Result<&Services, ComposeError> {
        self.services.ok_or_else(|| ComposeError::unfit("fido-uaf", "a row needs fido-uaf, which is not configured"))
    }

    fn upstream(&self, name: &str) -> Result<&Arc<Upstream>, ComposeError> {
        let missing = || ComposeError::unfit("upstreams", format!("no upstream {name:?} is configured"));
        self.upstreams.get(name).ok_or_else(missing)
    }

    fn named(&self, name: &str) -> Option<&NamedFilter> {
        named(self.config, name)
    }
}

fn named<'a>(config: &'a Config, name: &str) -> Option<&'a NamedFilter> {
    config.filters.iter().find(|filter| filter.name == name)
}

impl Parts<'_> {
    fn upstream_filters(
        &self,
        row: &config::Row,
        upstream: &Upstream,
        names: &[String],
    ) -> Result<Chain, ComposeError> {
        let mut chain: Vec<(&str, Arc<dyn Filter>)> = Vec::new();
        let mut domain = None;
        for name in names {
            let filter = self
                .named(name)
                .ok_or_else(|| ComposeError::unfit("filters", format!("no filter {name:?} is configured")))?;
            let made: Arc<dyn Filter> = match &filter.kind {
                FilterKind::IdentityCreation(wanted) => {
                    domain = Some(wanted.domain.as_str());
                    self.gate.for_upstream(wanted, row)?
                }
                FilterKind::Delegation(rules) => self.delegation(name, rules, upstream)?,
                FilterKind::JwsBypass(wanted) => self.edge_bypass(wanted, upstream)?,
                FilterKind::UserBinding(mapper, place) => Arc::new(UserBindingFilter::new(*mapper, *place)),
                FilterKind::Role(demand) => self.gate.role(domain, demand, row.interception)?,
                FilterKind::RateLimit(limit) => self.rate_limit(name, limit)?,
                FilterKind::Headers(rules) => headers(name, rules, upstream)?,
                FilterKind::IpList(list) => Arc::new(IpListFilter::new(list.clone())),
            };
            chain.push((name, made));
        }
        Ok(Chain::named(chain))
    }

    fn rate_limit(&self, name: &str, limit: &RateLimit) -> Result<Arc<dyn Filter>, ComposeError> {
        let missing = || ComposeError::unfit("filters", format!("filter {name} has no count"));
        let rate = self.rates.get(name).ok_or_else(missing)?;
        Ok(Arc::new(RateLimitFilter::new(limit.clone(), rate.clone())))
    }

    fn delegation(&self, name: &str, rules: &[Rule], upstream: &Upstream) -> Result<Arc<dyn Filter>, ComposeError> {
        let tokens = self.gate.sec_tokens.clone();
        let filter = DelegationFilter::new(rules.to_vec(), upstream.name.clone(), &upstream.identity_headers, tokens);
        Ok(Arc::new(filter.map_err(|error| {
            ComposeError::unfit(format!("filters.{name}.rules"), format!("filter {name}: {error}"))
        })?))
    }
}
