//! The harness: a gateway as a process, clients, a phone, and a registry of secrets that the logs are searched for.

pub(crate) mod approvals;
pub(crate) mod browser;
pub(crate) mod frames;
pub(crate) mod gateway;
pub(crate) mod http;
pub(crate) mod independent_jose;
pub(crate) mod issuer;
pub(crate) mod jose;
pub(crate) mod logs;
pub(crate) mod multiplex;
pub(crate) mod oob;
pub(crate) mod phone;
pub(crate) mod ports;
pub(crate) mod raw;
pub(crate) mod scripted_upstream;
pub(crate) mod secrets;
pub(crate) mod upstream;
pub(crate) mod wait;
