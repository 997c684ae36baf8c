//! Sidegate: an authentication gateway in front of FIDO servers, with out-of-band services and a FIDO UAF 1.1 server
//! inside. `docs/architecture.md` draws the parts; imports go one way: `telemetry`, `jose`, `store` <- `seats` <-
//! `fido`, `dispatchers` <- `oob`, `identity` <- `routes` <- `config`, `gateway` <- `cli`.

pub mod cli;
pub mod config;
pub mod dispatchers;
pub mod fido;
pub mod gateway;
pub mod identity;
pub mod jose;
pub mod oob;
pub mod routes;
pub mod seats;
pub mod store;
pub mod telemetry;
