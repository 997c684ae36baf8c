//! What is seen from outside: log lines, audit lines, metrics (`gateway.md` 6.4). No token, key, password, cookie, link or
//! push address is a field of any of them.

pub mod access;
pub mod audit;
mod background;
pub mod log;
pub mod metrics;
pub mod trace;

pub use background::Work;
pub use metrics::Metrics;
pub use trace::Trace;
