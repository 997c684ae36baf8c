//! `limits`: how much a client may send and hold.

use std::time::Duration;

use super::scalar::{Bytes, Percent};
use super::section::Section;

/// Limits of connections, requests and memory (`gateway.md` 2.2, 5).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Open connections on all listeners.
    pub connections: usize,
    /// For the whole header of each request.
    pub header_time: Duration,
    /// Header fields of a request.
    pub header_fields: usize,
    /// Bytes of all header fields together.
    pub header_size: usize,
    /// Bytes of a body that a service of ours reads.
    pub body_size: usize,
    /// The slowest body taken, in bytes a second.
    pub body_rate: usize,
    /// How long a connection may wait for its next request.
    pub idle: Duration,
    /// How long open requests may take after the signal to stop.
    pub stop: Duration,
    /// Bytes of all operations together; more are refused with 503.
    pub operations: usize,
    /// The share of `operations` that anonymous callers of one source network may hold, in percent.
    pub anonymous_share: u8,
}

pub(super) fn read(section: &Section<'_>) -> Limits {
    Limits {
        connections: section.field("connections").or(10_000),
        header_time: section.field("header-time").or(Duration::from_secs(10)),
        header_fields: section.field("header-fields").or(100),
        header_size: section.field("header-size").or(Bytes(32 << 10)).0,
        body_size: section.field("body-size").or(Bytes(64 << 10)).0,
        body_rate: section.field("body-rate").or(Bytes(1 << 10)).0,
        idle: section.field("idle").or(Duration::from_secs(60)),
        stop: section.field("stop").or(Duration::from_secs(5)),
        operations: section.field("operations").or(Bytes(256 << 20)).0,
        anonymous_share: section.field("anonymous-share").or(Percent(5)).0,
    }
}
