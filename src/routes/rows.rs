//! The default route table as data (`http-api.md` 8): what `sidegate explain` prints, what the configuration may
//! override by name, and what composition fills with filters and endpoints.

mod service;
mod summary;

use self::Administered::{Credentials, Sessions, Targets, Users};
pub use service::{Administered, Service};

use self::Protection::{FidoUaf, JwsBypass, Open, Session};
use self::Service::*;
use super::ListenerClass::{self, Internal, Management, Public};
use crate::store::operation::OperationKind::{Auth, Dereg, Reg};

/// What a row demands of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// Anybody; a session or an internal caller is recognised if it is there.
    Open,
    /// A session of any realm.
    Session,
    /// A session raised by a FIDO UAF login.
    FidoUaf,
    /// An internal caller.
    Internal,
    /// An internal caller with the role `admin`.
    Admin,
    /// Nothing but a signature by the target's key: no session is looked at.
    JwsBypass,
}

impl Protection {
    /// The word of the configuration and of `sidegate explain`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Session => "session",
            Self::FidoUaf => "fido-uaf",
            Self::Internal => "internal",
            Self::Admin => "admin",
            Self::JwsBypass => "jws-bypass",
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What answers.
    pub service: Service,
    /// The name that the configuration, `explain`, the log and the metrics use.
    pub name: &'static str,
    /// The method; HEAD follows GET.
    pub method: &'static str,
    /// The canonical path.
    pub path: &'static str,
    /// The listeners it is served on.
    pub on: &'static [ListenerClass],
    /// What it demands.
    pub protection: Protection,
}

const BOTH: &[ListenerClass] = &[Public, Internal];

const fn row(
    service: Service,
    name: &'static str,
    method: &'static str,
    path: &'static str,
    on: &'static [ListenerClass],
    protection: Protection,
) -> Row {
    Row { service, name, method, path, on, protection }
}

const fn administered(service: Service, name: &'static str, method: &'static str, path: &'static str) -> Row {
    row(service, name, method, path, &[Internal], Protection::Admin)
}

/// The rows of this release.
pub const ROWS: &[Row] = &[
    row(UafRequest(Reg), "uaf-request-registration", "POST", "/nevisfido/uaf/1.1/request/registration", BOTH, Session),
    row(
        UafRequest(Auth),
        "uaf-request-authentication",
        "POST",
        "/nevisfido/uaf/1.1/request/authentication",
        BOTH,
        Open,
    ),
    row(
        UafRequest(Dereg),
        "uaf-request-deregistration",
        "POST",
        "/nevisfido/uaf/1.1/request/deregistration",
        BOTH,
        FidoUaf,
    ),
    row(UafRegistration, "uaf-registration", "POST", "/nevisfido/uaf/1.1/registration", BOTH, Open),
    row(UafAuthentication, "uaf-authentication", "POST", "/nevisfido/uaf/1.1/authentication", BOTH, Open),
    row(Facets, "uaf-facets", "GET", "/nevisfido/uaf/1.1/facets", BOTH, Open),
    row(Dispatch(Reg), "dispatch-registration", "POST", "/nevisfido/token/dispatch/registration", BOTH, Session),
    row(Dispatch(Auth), "dispatch-authentication", "POST", "/nevisfido/token/dispatch/authentication", BOTH, Open),
    row(Dispatch(Dereg), "dispatch-deregistration", "POST", "/nevisfido/token/dispatch/deregistration", BOTH, FidoUaf),
    row(ListTargets, "targets-list", "GET", "/nevisfido/token/dispatch/targets", &[Internal], Protection::Internal),
    row(CreateTarget, "target-create", "POST", "/nevisfido/token/dispatch/targets", BOTH, FidoUaf),
    row(ModifyTarget, "target-modify", "PATCH", "/nevisfido/token/dispatch/targets/{id}", BOTH, JwsBypass),
    row(DeleteTarget, "target-delete", "DELETE", "/nevisfido/token/dispatch/targets/{id}", BOTH, FidoUaf),
    row(Create(Reg), "create-registration", "POST", "/nevisfido/token/create/registration", BOTH, Session),
    row(Create(Auth), "create-authentication", "POST", "/nevisfido/token/create/authentication", BOTH, Open),
    row(Create(Dereg), "create-deregistration", "POST", "/nevisfido/token/create/deregistration", BOTH, FidoUaf),
    row(Redeem(Reg), "redeem-registration", "POST", "/nevisfido/token/redeem/registration", BOTH, Open),
    row(Redeem(Auth), "redeem-authentication", "POST", "/nevisfido/token/redeem/authentication", BOTH, Open),
    row(Redeem(Dereg), "redeem-deregistration", "POST", "/nevisfido/token/redeem/deregistration", BOTH, Open),
    row(Status, "status", "POST", "/nevisfido/status", BOTH, Open),
    row(LoginPage, "login-page", "GET", "/auth/login", &[Public], Open),
    row(PasswordLogin, "login-password", "POST", "/auth/pwd", &[Public], Open),
    row(OobLogin, "login-oob", "POST", "/auth/oob", &[Public], Open),
    row(OobStanding, "login-oob-standing", "GET", "/auth/oob", &[Public], Open),
    row(LogoutPage, "logout-page", "GET", "/auth/logout", &[Public], Open),
    row(Logout, "logout", "POST", "/auth/logout", &[Public], Open),
    row(FidoLoginRequest, "login-fidouaf", "POST", "/auth/fidouaf", &[Public], Open),
    row(FidoLoginResponse, "login-fidouaf-response", "POST", "/auth/fidouaf/authenticationresponse", &[Public], Open),
    row(FidoLoginResponse, "login-response", "POST", "/auth/authenticationresponse", &[Public], Open),
    administered(AdminList(Users), "admin-users-list", "GET", "/nevisfido/admin/users"),
    administered(AdminRemove(Users), "admin-users-remove", "DELETE", "/nevisfido/admin/users"),
    administered(AdminList(Credentials), "admin-credentials-list", "GET", "/nevisfido/admin/credentials"),
    administered(AdminRemove(Credentials), "admin-credentials-remove", "DELETE", "/nevisfido/admin/credentials"),
    administered(AdminList(Targets), "admin-targets-list", "GET", "/nevisfido/admin/targets"),
    administered(AdminRemove(Targets), "admin-targets-remove", "DELETE", "/nevisfido/admin/targets"),
    administered(AdminList(Sessions), "admin-sessions-list", "GET", "/nevisfido/admin/sessions"),
    administered(AdminRemove(Sessions), "admin-sessions-remove", "DELETE", "/nevisfido/admin/sessions"),
    row(Jwks, "jwks", "GET", "/.well-known/jwks.json", BOTH, Open),
    row(JwksOf, "jwks-upstream", "GET", "/.well-known/jwks/{upstream}", BOTH, Open),
    row(AssetLinks, "asset-links", "GET", "/.well-known/assetlinks.json", BOTH, Open),
    row(SiteAssociation, "site-association", "GET", "/.well-known/apple-app-site-association", BOTH, Open),
    row(SiteAssociation, "site-association-root", "GET", "/apple-app-site-association", BOTH, Open),
    row(Liveness, "liveness", "GET", "/nevisfido/liveness", &[Management], Open),
    row(Health, "health", "GET", "/nevisfido/health", &[Management], Open),
    row(Metrics, "metrics", "GET", "/metrics", &[Management], Open),
    row(OpenApi, "openapi", "GET", "/openapi.json", &[Management], Open),
];

/// The row with this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}
