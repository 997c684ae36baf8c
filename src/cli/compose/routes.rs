//! The route table: every row of the configuration with its filters and its destination.

mod fronted;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use sidegate_filters::delegation::{DelegationFilter, RemovedHeaders, Rule};
use sidegate_filters::jws_bypass::{JwsBypassFilter, Settings};
use sidegate_filters::{Chain, Filter, UserBindingFilter};

use super::gate::Gate;
use super::services::Services;
use super::{ComposeError, Stores};
use crate::config::{self, Config, FilterKind, LeadsTo, NamedFilter, ServerUrl};
use crate::identity::FidoUafRealm;
use crate::jose::certificates::Authorities;
use crate::jose::client_certificate::ClientCertificate;
use crate::oob::bypass::{StoredTargetKeys, UsedRequests};
use crate::routes::endpoints::management::{Health, Liveness, MetricsText, Probe};
use crate::routes::endpoints::{
    CreateEndpoint, CreateTargetEndpoint, DeleteTargetEndpoint, DispatchEndpoint, FacetsEndpoint,
    FidoLoginRequestEndpoint, FidoLoginResponseEndpoint, JwksEndpoint, ListTargetsEndpoint, LoginPageEndpoint,
    LogoutEndpoint, LogoutPageEndpoint, ModifyTargetEndpoint, PasswordLoginEndpoint, RedeemEndpoint, StatusEndpoint,
    UafRequestEndpoint, UafResponseEndpoint,
};
use crate::routes::rows::{Protection, Service};
use crate::routes::{Address, Destination, Endpoint, Route, Router, Server, Servers, Upstream, UpstreamTls};
use crate::store::operation::OperationKind;
use crate::telemetry::Metrics;

/// What rows are filled from.
struct Parts<'a> {
    config: &'a Config,
    gate: &'a Gate,
    services: Option<&'a Services>,
    stores: &'a Stores,
    metrics: &'a Arc<Metrics>,
    upstreams: BTreeMap<&'a str, Arc<Upstream>>,
}

pub(super) fn table(
    config: &Config,
    gate: &Gate,
    services: Option<&Services>,
    stores: &Stores,
    metrics: &Arc<Metrics>,
) -> Result<Router, ComposeError> {
    let upstreams =
        config.upstreams.iter().map(|wanted| Ok((wanted.name.as_str(), Arc::new(upstream(config, wanted)?))));
    let upstreams = upstreams.collect::<Result<_, ComposeError>>()?;
    let parts = Parts { config, gate, services, stores, metrics, upstreams };
    Ok(Router::new(config.routes.iter().map(|row| parts.route(row)).collect::<Result<_, _>>()?))
}

impl Parts<'_> {
    fn route(&self, row: &config::Row) -> Result<Route, ComposeError> {
        let (filters, destination) = match &row.leads_to {
            LeadsTo::Service(service, protection) => {
                (self.service_filters(row, *service, *protection)?, Destination::Local(self.endpoint(*service)?))
            }
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
            filters,
            upstream_path: row.upstream_path.clone(),
            destination,
        })
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
            _ => Chain::new(vec![self.gate.for_service(protection, row.interception)?]),
        })
    }

    fn bypass(&self) -> Result<Arc<dyn Filter>, ComposeError> {
        let services = self.services()?;
        let keys = Arc::new(StoredTargetKeys::new(self.stores.targets.clone()));
        let used = Arc::new(UsedRequests::new(self.stores.replays.clone()));
        let settings = Settings { skew: services.clock_skew, ..Settings::default() };
        Ok(Arc::new(JwsBypassFilter::new(keys, used, services.clock.clone(), settings)))
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

/// The endpoints of one operation each.
impl Services {
    fn uaf_request(&self, kind: OperationKind) -> Arc<dyn Endpoint> {
        Arc::new(UafRequestEndpoint::new(self.requests.clone(), kind, self.anonymous_content))
    }

    fn dispatch(&self, kind: OperationKind) -> Arc<dyn Endpoint> {
        Arc::new(DispatchEndpoint::new(self.tokens.clone(), kind, self.anonymous_content))
    }

    fn create(&self, kind: OperationKind) -> Arc<dyn Endpoint> {
        Arc::new(CreateEndpoint::new(self.tokens.clone(), kind, self.anonymous_content))
    }
}

impl Parts<'_> {
    fn upstream_filters(
        &self,
        row: &config::Row,
        upstream: &Upstream,
        names: &[String],
    ) -> Result<Chain, ComposeError> {
        let mut chain: Vec<Arc<dyn Filter>> = Vec::new();
        for name in names {
            let filter = self
                .named(name)
                .ok_or_else(|| ComposeError::unfit("filters", format!("no filter {name:?} is configured")))?;
            chain.push(match &filter.kind {
                FilterKind::IdentityCreation(wanted) => self.gate.for_upstream(wanted, row.interception)?,
                FilterKind::Delegation(rules) => self.delegation(name, rules, upstream)?,
                FilterKind::JwsBypass(wanted) => self.edge_bypass(wanted),
                FilterKind::UserBinding(mapper, place) => Arc::new(UserBindingFilter::new(*mapper, *place)),
            });
        }
        Ok(Chain::new(chain))
    }

    fn delegation(&self, name: &str, rules: &[Rule], upstream: &Upstream) -> Result<Arc<dyn Filter>, ComposeError> {
        let tokens = self.gate.sec_tokens.clone();
        let filter = DelegationFilter::new(rules.to_vec(), upstream.name.clone(), &upstream.identity_headers, tokens);
        Ok(Arc::new(filter.map_err(|error| {
            ComposeError::unfit(format!("filters.{name}.rules"), format!("filter {name}: {error}"))
        })?))
    }

    /// What answers behind a row of ours.
    fn endpoint(&self, service: Service) -> Result<Arc<dyn Endpoint>, ComposeError> {
        let gate = self.gate;
        Ok(match service {
            Service::Liveness => Arc::new(Liveness),
            Service::Health => Arc::new(self.health()),
            Service::Metrics => Arc::new(MetricsText::new(self.metrics.clone())),
            Service::Jwks => Arc::new(JwksEndpoint::new(gate.sec_tokens.clone())),
            Service::LoginPage => Arc::new(LoginPageEndpoint::new(gate.pages.clone())),
            Service::LogoutPage => Arc::new(LogoutPageEndpoint::new(gate.pages.clone())),
            Service::Logout => Arc::new(LogoutEndpoint::new(gate.own_sessions()?, gate.pages.clone())),
            Service::PasswordLogin => self.password_login()?,
            Service::UafRequest(kind) => self.services()?.uaf_request(kind),
            Service::UafRegistration => Arc::new(UafResponseEndpoint::registration(self.services()?.fido.clone())),
            Service::UafAuthentication => Arc::new(UafResponseEndpoint::authentication(self.services()?.fido.clone())),
            Service::Facets => Arc::new(FacetsEndpoint::new(&self.services()?.facets)),
            Service::Dispatch(kind) => self.services()?.dispatch(kind),
            Service::Create(kind) => self.services()?.create(kind),
            Service::Redeem(kind) => Arc::new(RedeemEndpoint::new(self.services()?.redeem.clone(), kind)),
            Service::ListTargets => Arc::new(ListTargetsEndpoint::new(self.services()?.targets.clone())),
            Service::CreateTarget => Arc::new(CreateTargetEndpoint::new(self.services()?.targets.clone())),
            Service::ModifyTarget => Arc::new(ModifyTargetEndpoint::new(self.services()?.targets.clone())),
            Service::DeleteTarget => Arc::new(DeleteTargetEndpoint::new(self.services()?.targets.clone())),
            Service::Status => Arc::new(StatusEndpoint::new(self.services()?.statuses.clone())),
            Service::FidoLoginRequest => {
                Arc::new(FidoLoginRequestEndpoint::new(self.services()?.requests.clone(), gate.uaf_throttle.clone()))
            }
            Service::FidoLoginResponse => Arc::new(FidoLoginResponseEndpoint::new(self.fido_realm(self.services()?)?)),
        })
    }

    /// What the gateway cannot serve without: each is asked anew.
    fn health(&self) -> Health {
        let store = Arc::new(StoreProbe(self.stores.targets.clone()));
        Health::new(vec![store, Arc::new(UsersProbe(self.stores.users.clone()))])
    }

    fn fido_realm(&self, services: &Services) -> Result<Arc<FidoUafRealm>, ComposeError> {
        let realm = self.gate.fido_uaf()?.clone();
        let (sessions, users) = (self.gate.own_sessions()?, self.stores.users.clone());
        Ok(Arc::new(FidoUafRealm::new(realm, sessions, users, services.fido.clone(), self.gate.uaf_throttle.clone())))
    }

    fn password_login(&self) -> Result<Arc<dyn Endpoint>, ComposeError> {
        let realm = self.gate.password.clone();
        let realm = realm.ok_or_else(|| ComposeError::unfit("realms", "a row needs a realm of type password"))?;
        Ok(Arc::new(PasswordLoginEndpoint::new(realm, self.gate.pages.clone())))
    }
}

/// One for all rows that lead there: they share its connections.
fn upstream(config: &Config, wanted: &config::Upstream) -> Result<Upstream, ComposeError> {
    let server = |url: &ServerUrl| Server {
        address: Address::new(url.address()),
        name: wanted.tls.as_ref().map_or_else(String::new, |tls| tls.name_of(url).to_owned()),
    };
    Ok(Upstream {
        name: wanted.name.clone(),
        servers: Servers::new(wanted.servers.iter().map(server).collect()),
        tls: wanted.tls.as_ref().map(upstream_tls).transpose()?,
        protocol: wanted.protocol,
        connect_timeout: wanted.connect_timeout,
        read_timeout: wanted.read_timeout,
        write_timeout: wanted.write_timeout,
        idle_timeout: wanted.idle_timeout,
        identity_headers: removed(config, &wanted.name),
    })
}

/// What any rule on the way to this upstream may set, whichever row the rule stands on (`gateway.md` 2.3).
fn removed(config: &Config, upstream: &str) -> RemovedHeaders {
    let own = config.routes.iter().filter_map(|row| match &row.leads_to {
        LeadsTo::Upstream { name, filters } if name == upstream => Some(filters),
        _ => None,
    });
    let fronting = config.fronting.as_ref().filter(|fronting| fronting.upstream == upstream);
    let filters = own.flatten().chain(fronting.map(|fronting| &fronting.delegation));
    let rules = filters.filter_map(|name| match &named(config, name)?.kind {
        FilterKind::Delegation(rules) => Some(rules),
        _ => None,
    });
    rules.flatten().map(|rule: &Rule| rule.header()).collect()
}

fn upstream_tls(tls: &config::UpstreamTls) -> Result<UpstreamTls, ComposeError> {
    let authorities = tls.ca.as_deref().map(Authorities::read).transpose()?;
    let client =
        tls.client.as_ref().map(|files| ClientCertificate::read(&files.certificate, &files.key)).transpose()?;
    Ok(UpstreamTls { authorities, verify: tls.verify, client })
}

/// Whether the durable store answers.
struct StoreProbe(Arc<dyn crate::store::Targets>);

#[async_trait]
impl Probe for StoreProbe {
    fn name(&self) -> &'static str {
        "store"
    }

    async fn is_ready(&self) -> bool {
        self.0.get("").await.is_ok()
    }
}

/// Without the users nobody can log in.
struct UsersProbe(Arc<dyn crate::store::Users>);

#[async_trait]
impl Probe for UsersProbe {
    fn name(&self) -> &'static str {
        "users"
    }

    async fn is_ready(&self) -> bool {
        self.0.by_name("").await.is_ok()
    }
}
