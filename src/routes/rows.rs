//! The default route table as data (`http-api.md` 8): what `sidegate explain` prints, what the configuration may
//! override by name, and what composition fills with filters and endpoints.

use super::ListenerClass::{self, Internal, Management, Public};

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
    /// Nothing but a signature by the target's key: no session is looked at.
    JwsBypass,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
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
    name: &'static str,
    method: &'static str,
    path: &'static str,
    on: &'static [ListenerClass],
    protection: Protection,
) -> Row {
    Row { name, method, path, on, protection }
}

/// The rows of this release.
pub const ROWS: &[Row] = &[
    row("uaf-request-registration", "POST", "/nevisfido/uaf/1.1/request/registration", BOTH, Protection::Session),
    row("uaf-request-authentication", "POST", "/nevisfido/uaf/1.1/request/authentication", BOTH, Protection::Open),
    row("uaf-request-deregistration", "POST", "/nevisfido/uaf/1.1/request/deregistration", BOTH, Protection::FidoUaf),
    row("uaf-registration", "POST", "/nevisfido/uaf/1.1/registration", BOTH, Protection::Open),
    row("uaf-authentication", "POST", "/nevisfido/uaf/1.1/authentication", BOTH, Protection::Open),
    row("uaf-facets", "GET", "/nevisfido/uaf/1.1/facets", BOTH, Protection::Open),
    row("dispatch-registration", "POST", "/nevisfido/token/dispatch/registration", BOTH, Protection::Session),
    row("dispatch-authentication", "POST", "/nevisfido/token/dispatch/authentication", BOTH, Protection::Open),
    row("dispatch-deregistration", "POST", "/nevisfido/token/dispatch/deregistration", BOTH, Protection::FidoUaf),
    row("targets-list", "GET", "/nevisfido/token/dispatch/targets", &[Internal], Protection::Internal),
    row("target-create", "POST", "/nevisfido/token/dispatch/targets", BOTH, Protection::FidoUaf),
    row("target-modify", "PATCH", "/nevisfido/token/dispatch/targets/{id}", BOTH, Protection::JwsBypass),
    row("target-delete", "DELETE", "/nevisfido/token/dispatch/targets/{id}", BOTH, Protection::FidoUaf),
    row("create-registration", "POST", "/nevisfido/token/create/registration", BOTH, Protection::Session),
    row("create-authentication", "POST", "/nevisfido/token/create/authentication", BOTH, Protection::Open),
    row("create-deregistration", "POST", "/nevisfido/token/create/deregistration", BOTH, Protection::FidoUaf),
    row("redeem-registration", "POST", "/nevisfido/token/redeem/registration", BOTH, Protection::Open),
    row("redeem-authentication", "POST", "/nevisfido/token/redeem/authentication", BOTH, Protection::Open),
    row("redeem-deregistration", "POST", "/nevisfido/token/redeem/deregistration", BOTH, Protection::Open),
    row("status", "POST", "/nevisfido/status", BOTH, Protection::Open),
    row("login-page", "GET", "/auth/login", &[Public], Protection::Open),
    row("login-password", "POST", "/auth/pwd", &[Public], Protection::Open),
    row("logout-page", "GET", "/auth/logout", &[Public], Protection::Open),
    row("logout", "POST", "/auth/logout", &[Public], Protection::Open),
    row("login-fidouaf", "POST", "/auth/fidouaf", &[Public], Protection::Open),
    row("login-fidouaf-response", "POST", "/auth/fidouaf/authenticationresponse", &[Public], Protection::Open),
    row("login-response", "POST", "/auth/authenticationresponse", &[Public], Protection::Open),
    row("jwks", "GET", "/.well-known/jwks.json", BOTH, Protection::Open),
    row("liveness", "GET", "/nevisfido/liveness", &[Management], Protection::Open),
    row("health", "GET", "/nevisfido/health", &[Management], Protection::Open),
    row("metrics", "GET", "/metrics", &[Management], Protection::Open),
];

/// The row with this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}
