//! The route table: listener class, method and canonical path lead to filters and a destination (`http-api.md` 8).

mod address;
mod aliases;
mod endpoint;
pub mod endpoints;
mod router;
pub mod rows;
mod upstream;
mod upstream_path;
mod websocket;

pub use address::{Address, Addresses};
pub use aliases::is_alias;
pub use endpoint::{Endpoint, Media, Medium};
pub use router::{BODILESS, Destination, Found, ListenerClass, Route, Router, Unrouted};
pub use upstream::{Affinity, Attempt, Balance, Failure, HealthCheck, Protocol, Server, Servers, Upstream};
pub use upstream_path::UpstreamPath;
pub use websocket::WebSocket;
