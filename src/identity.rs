//! Who is calling: realms that log users in, the sessions that come of it, internal callers, and the SecToken that tells
//! upstreams (`gateway.md` 3).

pub mod fido_uaf;
pub mod forward;
pub mod goal;
pub mod internal_callers;
pub mod jwt;
pub mod key_file;
pub mod login_page;
pub mod mtls;
mod of_request;
pub mod oob;
pub mod password;
pub mod remote;
pub mod return_field;
pub mod same_origin;
mod seal;
pub mod sec_token;
pub mod sessions;
#[cfg(test)]
pub(crate) mod testing;
pub mod throttle;

pub use crate::store::users::is_role;
pub use fido_uaf::{FidoLoginError, FidoUafRealm};
pub use forward::ForwardRealm;
pub use internal_callers::ConfiguredCallers;
pub use jwt::JwtRealm;
pub use login_page::LoginPages;
pub use mtls::MtlsRealm;
pub use oob::OobRealm;
pub use password::PasswordRealm;
pub use sec_token::{SecTokenIssuer, SecTokenKeys};
pub use sessions::{DomainSessions, LoggedIn, LoginAttempt, LoginError, Realm, SessionTokens};
pub use throttle::{Paces, Throttle};
