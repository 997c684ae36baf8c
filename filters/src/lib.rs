//! Sidegate's request filters: who is calling, what the upstream learns of it, and the one way past the gate
//! that needs a signature instead of a session.
//!
//! A filter is a plain type over [`http`] types: no proxy, no configuration file, no clock of its own. It is tested
//! as a function and mounts in any proxy that can show it a request head and, where it asks, a bounded body.
//! Contract: `gateway.md` 2 and 3, of the specification, which is not in the repository. For whoever has a proxy already:
//! `docs/filters.md`, "In a proxy of yours".
//!
//! Whoever mounts filters, as `examples/bare_proxy` does in a bare Pingora proxy (`cargo run -p sidegate-filters --example
//! bare_proxy`),
//!
//! 1. makes an [`Exchange`] of a head ([`Exchange::receive`]) or refuses it, and picks the [`Chain`] by it;
//! 2. asks the chain whether it passes ([`Chain::admit`]), with a [`BodySource`] for filters that turn out to want the body:
//!    either it is [`Admitted`], or a [`Reply`] is sent in place of it;
//! 3. forwards what is left of the head ([`Admitted::forwarded`]) without the [`RemovedHeaders`];
//! 4. gives the client what it may get of the answer's head ([`Admitted::answered`]).
//!
//! Whoever has more to do in between, as Sidegate has that picks one of many rows by the path and keeps a request back until there is
//! a connection for it, takes the parts: [`arrival::plain_headers`], [`CanonicalPath`] and [`PathRules`]; [`Chain::request`]
//! and [`Chain::commit`]; [`Exchange::keeps_back`] and [`Exchange::upstream_headers`]; [`Chain::response`],
//! [`Exchange::answer_changes`] and [`caching::keep_personal`].

mod admitted;
pub mod arrival;
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
pub mod prelude;
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

/// What the documentation shows compiles, and does what is written there.
#[cfg(doctest)]
#[doc = include_str!("../../docs/filters.md")]
struct Documented;

pub use admitted::Admitted;
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
