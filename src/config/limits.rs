//! `limits`: how much a client may send and hold.

use std::time::Duration;

use super::scalar::{Bytes, Percent};
use super::section::Section;

/// Limits of connections, requests and memory (`gateway.md` 2.2, 5).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections of one listener at a time; a further one is closed at once.
    pub connections: usize,
    /// The share of them, and of `requests`, that one source network may have on a public listener, in percent; and of
    /// the places for checks of passwords.
    pub connections_share: u8,
    /// For the whole header of each request, and for a TLS handshake.
    pub header_time: Duration,
    /// Header fields of a request.
    pub header_fields: usize,
    /// Bytes of the whole header, request line included.
    pub header_size: usize,
    /// Bytes of a body that a service of ours reads.
    pub body_size: usize,
    /// The slowest body taken, in bytes a second on the average of a window.
    pub body_rate: usize,
    /// How often the rate of a body is looked at; a body that stands still is cut after this time.
    pub body_window: Duration,
    /// How long a client may leave our bytes unread.
    pub write_time: Duration,
    /// HTTP/2: requests open at once on one connection.
    pub streams: usize,
    /// HTTP/2: requests open at once on all connections of one listener; a further one is refused.
    pub requests: usize,
    /// How long a connection may wait for its next request.
    pub idle: Duration,
    /// How long open requests may take after the signal to stop.
    pub stop: Duration,
    /// Bytes of all operations together; more are refused with 503.
    pub operations: usize,
    /// Bytes of all sessions together; a login beyond that takes the room of a session of its user, else it is refused with 503.
    pub sessions: usize,
    /// The share of `operations` that anonymous callers of one source network may hold, and of either that one user
    /// may, in percent.
    pub anonymous_share: u8,
}

pub(super) fn read(section: &Section<'_>) -> Limits {
    Limits {
        connections: section.field("connections").or(10_000),
        connections_share: section.field("connections-share").or(Percent(25)).0,
        header_time: section.field("header-time").or(Duration::from_secs(10)),
        header_fields: section.field("header-fields").or(100),
        header_size: section.field("header-size").or(Bytes(32 << 10)).0,
        body_size: section.field("body-size").or(Bytes(64 << 10)).0,
        body_rate: section.field("body-rate").or(Bytes(512)).0,
        body_window: section.field("body-window").or(Duration::from_secs(10)),
        write_time: section.field("write-time").or(Duration::from_secs(30)),
        streams: section.field("streams").or(32),
        requests: section.field("requests").or(4_000),
        idle: section.field("idle").or(Duration::from_secs(60)),
        stop: section.field("stop").or(Duration::from_secs(5)),
        operations: section.field("operations").or(Bytes(256 << 20)).0,
        sessions: section.field("sessions").or(Bytes(64 << 20)).0,
        anonymous_share: section.field("anonymous-share").or(Percent(5)).0,
    }
}
