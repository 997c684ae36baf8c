//! The services over HTTP: what a request's body becomes, and what a service's answer becomes (`http-api.md` 1 to 7).
//! Media types are checked before an endpoint runs; every endpoint takes the services it needs.

mod admin;
mod answers;
mod app_links;
mod asker;
mod auth_answer;
mod auth_fidouaf;
mod auth_fidouaf_response;
mod auth_login;
mod auth_logout;
mod auth_oob;
mod auth_pwd;
mod body;
mod create;
mod dispatch;
mod facets;
mod form;
mod jwks;
pub mod management;
pub mod openapi;
mod problems;
mod redeem;
mod status;
mod targets;
mod uaf_request;
mod uaf_response;

pub use admin::{AdminListEndpoint, AdminRemoveEndpoint};
pub use app_links::AppLinksEndpoint;
pub use auth_fidouaf::FidoLoginRequestEndpoint;
pub use auth_fidouaf_response::FidoLoginResponseEndpoint;
pub use auth_login::LoginPageEndpoint;
pub use auth_logout::{LogoutEndpoint, LogoutPageEndpoint};
pub use auth_oob::{Approvals, OobLoginEndpoint, OobStandingEndpoint};
pub use auth_pwd::PasswordLoginEndpoint;
pub use create::CreateEndpoint;
pub use dispatch::DispatchEndpoint;
pub use facets::FacetsEndpoint;
pub use jwks::{JwksEndpoint, UpstreamJwksEndpoint};
pub use redeem::RedeemEndpoint;
pub use status::StatusEndpoint;
pub use targets::{CreateTargetEndpoint, DeleteTargetEndpoint, ListTargetsEndpoint, ModifyTargetEndpoint};
pub use uaf_request::UafRequestEndpoint;
pub use uaf_response::UafResponseEndpoint;

#[cfg(test)]
mod tests;
