//! Sidegate's request filters: who is calling, what the upstream learns of it, and the one way past the gate
//! that needs a signature instead of a session.
//!
//! A filter is a plain type over [`http`] types: no proxy, no configuration file, no clock of its own. It is tested
//! as a function and mounts in any proxy that can show it a request head and, where it asks, a bounded body.
//! Contract: `gateway.md` 2 and 3.
//!
//! Whoever mounts filters, as `examples/bare_proxy` does in a bare Pingora proxy (`cargo run -p sidegate-filters --example
//! bare_proxy`),
//!
//! 1. reads the path as a [`CanonicalPath`], refuses what [`PathRules`] do not allow, makes an [`Exchange`] of the head, and
//!    picks the [`Chain`] by it;
//! 2. runs [`Chain::request`], with a [`BodySource`] for filters that turn out to want the body, and once nothing else refuses the
//!    request [`Chain::commit`]; a [`Verdict::Answer`] of either is sent in place of it;
//! 3. forwards the canonical path and the headers that are left in the exchange, without any that
//!    [`RemovedHeaders::keep_back`], and adds those of [`Exchange::upstream_headers`];
//! 4. tells [`Chain::response`] how the destination answered, makes the changes of
//!    [`Exchange::answer_changes`] in the answer, and has one that is [`Exchange::personal`] kept by no cache but the
//!    caller's own ([`caching::keep_personal`]).

pub mod audit;
pub mod body;
pub mod caching;
pub mod chain;
pub mod clock;
pub mod delegation;
pub mod exchange;
pub mod filter;
pub mod forwarded;
pub mod headers;
pub mod identity;
pub mod identity_creation;
pub mod ip_list;
pub mod jws;
pub mod jws_bypass;
pub mod media;
pub mod memory;
pub mod network;
pub mod path;
mod plain_body;
pub mod rate;
pub mod rate_limit;
mod reason;
pub mod recent;
pub mod reply;
pub mod role;
mod sender;
#[cfg(test)]
mod testing;
mod uaf_body;
pub mod uaf_operation;
pub mod user_binding;

pub use body::BodySource;
pub use chain::Chain;
pub use delegation::{DelegationFilter, RemovedHeaders};
pub use exchange::{CertificateDigest, CertificateNames, Client, Exchange, Occasion, TurnedAway};
pub use filter::{Filter, FilterError, Verdict};
pub use forwarded::{ForwardedError, ForwardedHeader, TrustedProxies};
pub use headers::HeadersFilter;
pub use identity::{AuthenticatedSession, Caller, CarriedBy, Carrier, InternalCaller, KnownCaller, Role};
pub use identity_creation::{IdentityCreationFilter, SessionDomain};
pub use ip_list::IpListFilter;
pub use jws_bypass::JwsBypassFilter;
pub use network::Network;
pub use path::{CanonicalPath, Params, PathRules, PathTemplate};
pub use rate_limit::RateLimitFilter;
pub use reason::Reason;
pub use reply::{Problem, Reply};
pub use role::RoleFilter;
pub use sender::Sender;
pub use uaf_operation::{Operation, UafAnswerFilter, UafRequestFilter};
pub use user_binding::{UserBindingFilter, UsernameMapper};
