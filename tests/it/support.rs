//! The harness: a gateway as a process, clients, a phone, and a registry of secrets that the logs are searched for.

pub(crate) mod secrets;
