//! How far a request came, where it went, and who broke it off.

use std::time::Duration;

/// Which server behind a request was sent to.
#[derive(Debug)]
pub struct Way {
    /// The upstream's name.
    pub upstream: String,
    /// Host and port, where there was one to be tried.
    pub server: Option<String>,
    /// From when it had the request to the head of its answer; `None`: there was none.
    pub took: Option<Duration>,
}

/// Who broke a request off, so that its answer did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It went away, or stood still for too long.
    Client,
    /// A server behind failed in the middle of its answer.
    Upstream,
    /// A stop, or a fault of this program.
    Gateway,
}

impl Cut {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Client, Self::Upstream, Self::Gateway];

    /// As the log and the metrics name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Gateway => "gateway",
        }
    }
}

/// How far a request came: what refuses it where no filter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its head is read.
    Head,
    /// Whether its connection is still good.
    Connection,
    /// Its row is looked for.
    Route,
    /// The filters of the row look at it.
    Filters,
    /// Types of what is sent and asked for.
    Media,
    /// Its body is read, or passed on.
    Body,
    /// It opens a WebSocket.
    WebSocket,
    /// A place among those on their way to upstreams.
    Limits,
    /// A service of ours has it.
    Service,
    /// A server behind has it.
    Upstream,
    /// A fault of this program.
    Gateway,
}

impl Stage {
    /// As the log names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Connection => "connection",
            Self::Route => "route",
            Self::Filters => "filters",
            Self::Media => "media",
            Self::Body => "body",
            Self::WebSocket => "websocket",
            Self::Limits => "limits",
            Self::Service => "service",
            Self::Upstream => "upstream",
            Self::Gateway => "gateway",
        }
    }
}
