//! What the filters tell the audit: one line a security event. Whoever mounts them keeps the lines of [`TARGET`]; the
//! gateway's own events stand beside these (`gateway.md` 6.4).

use std::fmt::Display;
use std::net::IpAddr;

use crate::jws::Thumbprint;

/// The `tracing` target of audit lines.
pub const TARGET: &str = "audit";

/// The names of the events.
pub const NAMES: &[&str] =
    &["internal-caller-refused", "internal-caller-forbidden", "jws-bypass", "user-binding", "act-for"];

/// Something that an auditor asks about. Nothing that a client sent is a field before it is known to be one of ours.
#[derive(Clone, Copy)]
pub enum Event<'a> {
    /// A bearer on an internal listener is nobody's.
    InternalCallerRefused {
        /// Where it came from.
        address: IpAddr,
        /// What is wrong with it, in words of ours.
        reason: &'a str,
    },
    /// An internal caller lacks the role that its route needs.
    InternalCallerForbidden {
        /// Its configured name.
        caller: &'a str,
    },
    /// A request went past the gate by its signature.
    BypassPassed {
        /// The target's id.
        target: &'a str,
        /// The key that signed; `None` where the server behind verified it.
        key: Option<&'a Thumbprint>,
    },
    /// It was sent to a server that verifies the signature, and no answer told what became of it.
    BypassUnknown,
    /// It did not.
    BypassRefused {
        /// The target's id, once there is one of this id.
        target: Option<&'a str>,
        /// Why.
        reason: &'a dyn Display,
    },
    /// A user's session was used to name somebody else.
    OtherUserNamed {
        /// The extId of the session's user.
        user: &'a str,
    },
    /// An internal caller named the user itself.
    UserNamed {
        /// Its configured name.
        caller: &'a str,
    },
}

macro_rules! line {
    ($name:literal, $($field:tt)+) => {
        tracing::info!(target: TARGET, event = $name, $($field)+)
    };
}

impl Event<'_> {
    /// Writes the line.
    pub fn record(self) {
        match self {
            Self::InternalCallerRefused { address, reason } => line!("internal-caller-refused", %address, reason),
            Self::InternalCallerForbidden { caller } => line!("internal-caller-forbidden", caller),
            Self::BypassPassed { target, key } => {
                let key = key.map(tracing::field::display);
                line!("jws-bypass", outcome = "passed", target_id = target, key);
            }
            Self::BypassUnknown => line!("jws-bypass", outcome = "unknown"),
            Self::BypassRefused { target, reason } => {
                line!("jws-bypass", outcome = "refused", target_id = target, %reason);
            }
            Self::OtherUserNamed { user } => line!("user-binding", outcome = "refused", user),
            Self::UserNamed { caller } => line!("act-for", caller),
        }
    }
}
