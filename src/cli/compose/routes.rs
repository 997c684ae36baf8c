//! The route table: every row of the configuration with its filters and its destination.

use std::sync::Arc;

use async_trait::async_trait;
use sidegate_filters::delegation::{DelegationFilter, RemovedHeaders, Rule};
use sidegate_filters::jws_bypass::{JwsBypassFilter, Settings};
use sidegate_filters::{Chain, Filter};

use super::gate::Gate;
use super::services::Services;
use super::{ComposeError, Stores};
use crate::config::{self, Config, FilterKind, LeadsTo, NamedFilter};
use crate::identity::FidoUafRealm;
use crate::jose::certificates::Authorities;
use crate::oob::bypass::{StoredTargetKeys, UsedRequests};
use crate::routes::endpoints::management::{Health, Liveness, MetricsText, Probe};
use crate::routes::endpoints::{
    CreateEndpoint, CreateTargetEndpoint, DeleteTargetEndpoint, DispatchEndpoint, FacetsEndpoint,
    FidoLoginRequestEndpoint, FidoLoginResponseEndpoint, JwksEndpoint, ListTargetsEndpoint, LoginPageEndpoint,
    LogoutEndpoint, LogoutPageEndpoint, ModifyTargetEndpoint, PasswordLoginEndpoint, RedeemEndpoint, StatusEndpoint,
    UafRequestEndpoint, UafResponseEndpoint,
};
use crate::routes::rows::Protection;
use crate::routes::{Destination, Endpoint, ListenerClass, Route, Router, Upstream, UpstreamTls};
use crate::store::operation::OperationKind;
use crate::telemetry::Metrics;

/// What rows are filled from.
struct Parts<'a> {
    config: &'a Config,
    gate: &'a Gate,
    services: Option<&'a Services>,
    stores: &'a Stores,
    metrics: &'a Arc<Metrics>,
}

pub(super) fn table(
    config: &Config,
    gate: &Gate,
    services: Option<&Services>,
    stores: &Stores,
    metrics: &Arc<Metrics>,
) -> Result<Router, ComposeError> {
    let parts = Parts { config, gate, services, stores, metrics };
    Ok(Router::new(config.routes.iter().map(|row| parts.route(row)).collect::<Result<_, _>>()?))
}

impl Parts<'_> {
    fn route(&self, row: &config::Row) -> Result<Route, ComposeError> {
        let (filters, destination) = match &row.leads_to {
            LeadsTo::Service(protection) => {
                (self.service_filters(row, *protection)?, Destination::Local(self.endpoint(&row.name)?))
            }
            LeadsTo::Upstream { name, filters } => {
                let upstream = self.upstream(name)?;
                (self.upstream_filters(row, &upstream, filters)?, Destination::Upstream(Arc::new(upstream)))
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
            destination,
        })
    }

    /// Rows that answer everybody alike ask nobody who they are.
    fn service_filters(&self, row: &config::Row, protection: Protection) -> Result<Chain, ComposeError> {
        let same_for_all = matches!(row.name.as_str(), "uaf-facets" | "jwks") || row.on == [ListenerClass::Management];
        Ok(match protection {
            Protection::Open if same_for_all => Chain::default(),
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
        self.services.ok_or_else(|| ComposeError::Unfit("a row needs fido-uaf, which is not configured".to_owned()))
    }

    fn upstream(&self, name: &str) -> Result<Upstream, ComposeError> {
        let found = self.config.upstreams.iter().find(|upstream| upstream.name == name);
        let upstream = found.ok_or_else(|| ComposeError::Unfit(format!("no upstream {name:?} is configured")))?;
        Ok(Upstream {
            name: upstream.name.clone(),
            address: upstream.url.address(),
            tls: upstream.tls.as_ref().map(upstream_tls).transpose()?,
            connect_timeout: upstream.connect_timeout,
            read_timeout: upstream.read_timeout,
            write_timeout: upstream.write_timeout,
            idle_timeout: upstream.idle_timeout,
            identity_headers: self.removed(name),
        })
    }

    /// What any rule on the way to this upstream may set, whichever row the rule stands on (`gateway.md` 2.3).
    fn removed(&self, upstream: &str) -> RemovedHeaders {
        let rows = self.config.routes.iter().filter_map(|row| match &row.leads_to {
            LeadsTo::Upstream { name, filters } if name == upstream => Some(filters),
            _ => None,
        });
        let rules = rows.flatten().filter_map(|name| match &self.named(name)?.kind {
            FilterKind::Delegation(rules) => Some(rules),
            FilterKind::IdentityCreation(_) => None,
        });
        rules.flatten().map(|rule: &Rule| rule.header()).collect()
    }

    fn named(&self, name: &str) -> Option<&NamedFilter> {
        self.config.filters.iter().find(|filter| filter.name == name)
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
            let filter =
                self.named(name).ok_or_else(|| ComposeError::Unfit(format!("no filter {name:?} is configured")))?;
            chain.push(match &filter.kind {
                FilterKind::IdentityCreation(wanted) => self.gate.for_upstream(wanted, row.interception)?,
                FilterKind::Delegation(rules) => self.delegation(name, rules, upstream)?,
            });
        }
        Ok(Chain::new(chain))
    }

    fn delegation(&self, name: &str, rules: &[Rule], upstream: &Upstream) -> Result<Arc<dyn Filter>, ComposeError> {
        let tokens = self.gate.sec_tokens.clone();
        let filter = DelegationFilter::new(rules.to_vec(), upstream.name.clone(), &upstream.identity_headers, tokens);
        Ok(Arc::new(filter.map_err(|error| ComposeError::Unfit(format!("filter {name}: {error}")))?))
    }

    /// The service behind a default row.
    fn endpoint(&self, row: &str) -> Result<Arc<dyn Endpoint>, ComposeError> {
        match row {
            "liveness" => Ok(Arc::new(Liveness)),
            "health" => Ok(Arc::new(Health::new(vec![Arc::new(StoreProbe(self.stores.targets.clone()))]))),
            "metrics" => Ok(Arc::new(MetricsText::new(self.metrics.clone()))),
            "jwks" => Ok(Arc::new(JwksEndpoint::new(self.gate.sec_tokens.clone()))),
            "login-page" => Ok(Arc::new(LoginPageEndpoint::new(self.gate.pages.clone()))),
            "logout-page" => Ok(Arc::new(LogoutPageEndpoint::new(self.gate.pages.clone()))),
            "logout" => Ok(Arc::new(LogoutEndpoint::new(self.gate.own_sessions()?, self.gate.pages.clone()))),
            "login-password" => self.password_login(),
            _ => self.oob_endpoint(row, self.services()?),
        }
    }

    fn fido_realm(&self, services: &Services) -> Result<Arc<FidoUafRealm>, ComposeError> {
        let realm = self.gate.fido_uaf()?.clone();
        let (sessions, users) = (self.gate.own_sessions()?, self.stores.users.clone());
        Ok(Arc::new(FidoUafRealm::new(realm, sessions, users, services.fido.clone(), self.gate.uaf_throttle.clone())))
    }

    fn password_login(&self) -> Result<Arc<dyn Endpoint>, ComposeError> {
        let realm = self.gate.password.clone();
        let realm = realm.ok_or_else(|| ComposeError::Unfit("a row needs a realm of type password".to_owned()))?;
        Ok(Arc::new(PasswordLoginEndpoint::new(realm, self.gate.pages.clone())))
    }

    fn oob_endpoint(&self, row: &str, services: &Services) -> Result<Arc<dyn Endpoint>, ComposeError> {
        let Services { targets, tokens, redeem, requests, fido, anonymous_content, .. } = services;
        if let Some((service, kind)) =
            row.rsplit_once('-').and_then(|(service, kind)| Some((service, operation(kind)?)))
        {
            match service {
                "uaf-request" => {
                    return Ok(Arc::new(UafRequestEndpoint::new(requests.clone(), kind, *anonymous_content)));
                }
                "dispatch" => return Ok(Arc::new(DispatchEndpoint::new(tokens.clone(), kind, *anonymous_content))),
                "create" => return Ok(Arc::new(CreateEndpoint::new(tokens.clone(), kind, *anonymous_content))),
                "redeem" => return Ok(Arc::new(RedeemEndpoint::new(redeem.clone(), kind))),
                _ => {}
            }
        }
        Ok(match row {
            "uaf-registration" => Arc::new(UafResponseEndpoint::registration(fido.clone())),
            "uaf-authentication" => Arc::new(UafResponseEndpoint::authentication(fido.clone())),
            "uaf-facets" => Arc::new(FacetsEndpoint::new(&services.facets)),
            "targets-list" => Arc::new(ListTargetsEndpoint::new(targets.clone())),
            "target-create" => Arc::new(CreateTargetEndpoint::new(targets.clone())),
            "target-modify" => Arc::new(ModifyTargetEndpoint::new(targets.clone())),
            "target-delete" => Arc::new(DeleteTargetEndpoint::new(targets.clone())),
            "login-fidouaf" => {
                Arc::new(FidoLoginRequestEndpoint::new(requests.clone(), self.gate.uaf_throttle.clone()))
            }
            "login-fidouaf-response" | "login-response" => {
                Arc::new(FidoLoginResponseEndpoint::new(self.fido_realm(services)?))
            }
            "status" => Arc::new(StatusEndpoint::new(services.statuses.clone())),
            _ => return Err(ComposeError::Unfit(format!("row {row} has no service"))),
        })
    }
}

fn upstream_tls(tls: &config::UpstreamTls) -> Result<UpstreamTls, ComposeError> {
    let authorities = tls.ca.as_deref().map(Authorities::read).transpose()?;
    Ok(UpstreamTls { server_name: tls.server_name.clone(), authorities, verify: tls.verify })
}

fn operation(word: &str) -> Option<OperationKind> {
    match word {
        "registration" => Some(OperationKind::Reg),
        "authentication" => Some(OperationKind::Auth),
        "deregistration" => Some(OperationKind::Dereg),
        _ => None,
    }
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
