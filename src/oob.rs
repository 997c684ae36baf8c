//! The out-of-band services (`http-api.md` 0 to 5): dispatch targets, tokens, redeem, status. Pure services over the
//! traits of `store`, `fido` and `dispatchers`; HTTP is the business of `routes::endpoints`.

pub mod acting;
pub mod administration;
pub mod bypass;
pub mod dispatch_token;
pub mod redeem;
pub mod request;
pub mod status;
pub mod target;
pub mod token;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use acting::{Acting, ActingFor, Asker, Deed, Ghosts, Named, NotPermitted};
pub use administration::{Administration, AdministrationFault};
pub use dispatch_token::{DispatchToken, TokenKey};
pub use redeem::{NotRedeemed, Redeem};
pub use request::{NotRequested, Requests};
pub(crate) use status::rfc3339;
pub use status::{StatusView, Statuses};
pub use target::{NewTarget, TargetFault, Targets};
pub use token::{DispatchAnswer, DispatchRequest, DispatchResult, TokenFault, TokenSettings, Tokens};
