//! What answers behind the rows of the gateway's own services.

use std::sync::Arc;

use async_trait::async_trait;
use sidegate_filters::UsernameMapper;

use super::super::ComposeError;
use super::super::gate::Logins;
use super::super::services::Services;
use super::Parts;
use crate::dispatchers::AppLinks;
use crate::identity::FidoUafRealm;
use crate::oob::Administration;
use crate::routes::Endpoint;
use crate::routes::endpoints::management::{Health, Liveness, MetricsText, Probe};
use crate::routes::endpoints::openapi::OpenApiEndpoint;
use crate::routes::endpoints::{
    AdminListEndpoint, AdminRemoveEndpoint, AppLinksEndpoint, Approvals, CreateEndpoint, CreateTargetEndpoint,
    DeleteTargetEndpoint, DispatchEndpoint, FacetsEndpoint, FidoLoginRequestEndpoint, FidoLoginResponseEndpoint,
    JwksEndpoint, ListTargetsEndpoint, LoginPageEndpoint, LogoutEndpoint, LogoutPageEndpoint, ModifyTargetEndpoint,
    OobLoginEndpoint, OobStandingEndpoint, PasswordLoginEndpoint, RedeemEndpoint, StatusEndpoint, UafRequestEndpoint,
    UafResponseEndpoint, UpstreamJwksEndpoint,
};
use crate::routes::rows::Service;
use crate::store::operation::OperationKind;

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
    /// What answers behind a row of ours; one logs in there to this domain, without a name to that of the services.
    pub(super) fn endpoint(&self, service: Service, domain: Option<&str>) -> Result<Arc<dyn Endpoint>, ComposeError> {
        let gate = self.gate;
        let logins = || gate.logins(domain);
        Ok(match service {
            Service::Liveness => Arc::new(Liveness),
            Service::Health => Arc::new(self.health()),
            Service::Metrics => Arc::new(MetricsText::new(self.metrics.clone())),
            Service::OpenApi => Arc::new(OpenApiEndpoint::default()),
            Service::Jwks => Arc::new(JwksEndpoint(gate.sec_tokens.clone())),
            Service::JwksOf => Arc::new(UpstreamJwksEndpoint(gate.sec_tokens.clone())),
            Service::AssetLinks => Arc::new(AppLinksEndpoint(self.app_links()?.asset_links())),
            Service::SiteAssociation => Arc::new(AppLinksEndpoint(self.app_links()?.site_association())),
            Service::LoginPage => Arc::new(LoginPageEndpoint::new(logins()?.pages.clone())),
            Service::LogoutPage => Arc::new(LogoutPageEndpoint::new(logins()?.pages.clone())),
            Service::Logout => {
                let Logins { sessions, pages, .. } = logins()?;
                Arc::new(LogoutEndpoint::new(sessions.clone(), pages.clone()))
            }
            Service::PasswordLogin => password_login(logins()?)?,
            Service::OobLogin => Arc::new(OobLoginEndpoint(self.approvals(domain)?)),
            Service::OobStanding => Arc::new(OobStandingEndpoint(self.approvals(domain)?)),
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
            Service::AdminList(what) => Arc::new(AdminListEndpoint::new(self.administration(), what)),
            Service::AdminRemove(what) => Arc::new(AdminRemoveEndpoint::new(self.administration(), what)),
            Service::FidoLoginRequest => {
                Arc::new(FidoLoginRequestEndpoint::new(self.services()?.requests.clone(), gate.uaf_throttle.clone()))
            }
            Service::FidoLoginResponse => Arc::new(FidoLoginResponseEndpoint::new(self.fido_realm(self.services()?)?)),
        })
    }

    fn administration(&self) -> Arc<Administration> {
        let stores = self.stores;
        Arc::new(Administration {
            eras: stores.eras(),
            targets: stores.targets.clone(),
            credentials: stores.credentials.clone(),
            keys_behind: stores.keys_behind.clone(),
            fido: self.services.map(|services| services.fido.clone()),
            mapper: self.config.fido_uaf.as_ref().map_or(UsernameMapper::Name, |fido_uaf| fido_uaf.username_mapper),
        })
    }

    fn app_links(&self) -> Result<&AppLinks, ComposeError> {
        let links = self.config.fido_uaf.as_ref().and_then(|fido_uaf| fido_uaf.app_links.as_ref());
        links.ok_or_else(|| ComposeError::unfit("fido-uaf.app-links", "a row needs apps"))
    }

    /// What the gateway cannot serve without: each is asked anew.
    fn health(&self) -> Health {
        let store = Arc::new(StoreProbe(self.stores.targets.clone()));
        Health::new(vec![store, Arc::new(UsersProbe(self.stores.users.clone()))])
    }

    fn fido_realm(&self, services: &Services) -> Result<Arc<FidoUafRealm>, ComposeError> {
        let realm = self.gate.fido_uaf()?.clone();
        let (sessions, users) = (self.gate.logins(None)?.sessions.clone(), self.stores.users.clone());
        Ok(Arc::new(FidoUafRealm::new(realm, sessions, users, services.fido.clone(), self.gate.uaf_throttle.clone())))
    }

    fn approvals(&self, domain: Option<&str>) -> Result<Arc<Approvals>, ComposeError> {
        let missing = || ComposeError::unfit("realms", "a row needs a realm of type oob");
        self.services()?.approvals.get(self.gate.name(domain)).cloned().ok_or_else(missing)
    }
}

fn password_login(logins: &Logins) -> Result<Arc<dyn Endpoint>, ComposeError> {
    let missing = || ComposeError::unfit("realms", "a row needs a realm of type password");
    let realm = logins.password.clone().ok_or_else(missing)?;
    Ok(Arc::new(PasswordLoginEndpoint::new(realm, logins.pages.clone())))
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
