//! Sidegate's request filters: who is calling, what the upstream learns of it, and the one way past the gate
//! that needs a signature instead of a session.
//!
//! A filter is a plain type over [`http`] types: no proxy, no configuration file, no clock of its own. It is tested
//! as a function and mounts in any proxy that can show it a request head and, where it asks, a bounded body.
//! Contract: `gateway.md` 2 and 3.

pub mod audit;
pub mod chain;
pub mod clock;
pub mod delegation;
pub mod exchange;
pub mod filter;
pub mod identity;
pub mod identity_creation;
pub mod jws;
pub mod jws_bypass;
pub mod memory;
pub mod path;
mod plain_body;
pub mod recent;
pub mod reply;
#[cfg(test)]
mod testing;
mod uaf_body;
pub mod uaf_operation;
pub mod user_binding;

pub use chain::{BodySource, Chain};
pub use delegation::{DelegationFilter, RemovedHeaders};
pub use exchange::{CertificateDigest, Client, Exchange};
pub use filter::{Filter, FilterError, Verdict};
pub use identity::{AuthenticatedSession, Caller, Carrier, InternalCaller, Role};
pub use identity_creation::{IdentityCreationFilter, SessionDomain};
pub use jws_bypass::JwsBypassFilter;
pub use path::{CanonicalPath, Params, PathRules, PathTemplate};
pub use reply::{Problem, Reply};
pub use uaf_operation::{Operation, UafAnswerFilter, UafRequestFilter};
pub use user_binding::{UserBindingFilter, UsernameMapper};
