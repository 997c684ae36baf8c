//! The audit trail: one line a security event, with the request id of the span around it (`gateway.md` 6.4).
//!
//! The filters crate has events of its own, [`sidegate_filters::audit::Event`]. Each of either kind is also counted as
//! `sidegate_events_total{event=…}` by [`super::log`].

use std::net::IpAddr;

pub use sidegate_filters::audit::TARGET;

/// The names of the events.
pub const NAMES: &[&str] = &[
    "login",
    "login-failed",
    "guessed-at",
    "sessions-ended",
    "step-up",
    "logout",
    "dispatch",
    "redeem",
    "administration",
    "answer",
    "target",
    "credential",
    "user",
    "verdict-unknown",
    "provision",
    "configuration",
    "swept",
    "act-for",
];

/// Something that an auditor asks about. Users appear by extId, targets by id, callers by their configured name; session
/// ids of operations and of users never do, since they are credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A user logged in.
    Login {
        /// The realm.
        realm: &'a str,
        /// The user's extId.
        user: &'a str,
    },
    /// Somebody failed to log in.
    LoginFailed {
        /// The realm.
        realm: &'a str,
        /// The extId of the user meant, where it is known.
        user: Option<&'a str>,
        /// Where the attempt came from.
        address: IpAddr,
        /// Why, in a word.
        reason: &'static str,
    },
    /// So many failed to log in as one user, from networks where that user has not lately, that this is slowed: once in the time
    /// for which it is remembered.
    GuessedAt {
        /// The realm.
        realm: &'a str,
        /// The extId of the user, where there is one.
        user: Option<&'a str>,
        /// Where the attempt came from that was the first to be slowed.
        address: IpAddr,
    },
    /// A bearer token was not taken.
    TokenRefused {
        /// The realm.
        realm: &'a str,
        /// Its issuer, where that is one of the configured ones.
        issuer: Option<&'a str>,
        /// The key that it names then, where the name is short and plain.
        kid: Option<&'a str>,
        /// Where it came from.
        address: IpAddr,
        /// Why, in a few words.
        reason: &'static str,
    },
    /// A user logged in again, and the session that was there has that login too.
    StepUp {
        /// The realm of that login.
        realm: &'a str,
        /// The user's extId.
        user: &'a str,
        /// The level that it gave: the session has it or, before, a higher one.
        auth_level: u8,
    },
    /// A session was ended by its user.
    Logout {
        /// The user's extId.
        user: &'a str,
    },
    /// A token was made and handed to a dispatcher, or could not be.
    Dispatch {
        /// `registration`, `authentication` or `deregistration`.
        operation: &'static str,
        /// The dispatcher's type, `-` for a created token.
        dispatcher: &'a str,
        /// The documented result, `dispatched` when it worked.
        result: &'static str,
        /// The extId of the user meant, where there is one.
        user: Option<&'a str>,
        /// The target's id, where there is one.
        target: Option<&'a str>,
    },
    /// A token was redeemed, or could not be.
    Redeem {
        /// `registration`, `authentication` or `deregistration`.
        operation: &'static str,
        /// The UAF status code.
        code: u16,
        /// The extId of the user for whom it was made, where there is one.
        user: Option<&'a str>,
        /// The id of the target to which it was sent, where there is one.
        target: Option<&'a str>,
    },
    /// A UAF answer was judged.
    Answer {
        /// `registration` or `authentication`.
        operation: &'static str,
        /// The UAF status code.
        code: u16,
        /// The extId of the user, once it is proven.
        user: Option<&'a str>,
        /// SHA-256 of the rendering of a transaction that was confirmed, in hexadecimal digits; with spaces between where
        /// several keys confirmed different ones.
        confirmed: Option<&'a str>,
    },
    /// A dispatch target was made, changed or removed.
    Target {
        /// What happened.
        change: Change,
        /// The target's id.
        target: &'a str,
        /// The extId of its user.
        user: &'a str,
    },
    /// A credential was added or removed.
    Credential {
        /// What happened.
        change: Change,
        /// The extId of its user.
        user: &'a str,
        /// The model of the authenticator.
        aaid: &'a str,
    },
    /// A UAF server behind was sent a registration and nobody knows what it made of it: it failed here, and the key is
    /// to be removed there.
    VerdictUnknown {
        /// The extId of its user.
        user: &'a str,
        /// The model of the authenticator.
        aaid: &'a str,
    },
    /// An internal caller named a user who did not exist, and who was made.
    Provision {
        /// The caller's configured name.
        caller: &'a str,
        /// The extId of the user.
        user: &'a str,
    },
    /// What a removed user had left is gone.
    Swept {
        /// The user's extId.
        user: &'a str,
        /// `targets` or `credentials`.
        what: &'static str,
        /// How many.
        count: usize,
    },
    /// A user was removed by an internal caller.
    User {
        /// What happened.
        change: Change,
        /// The user's extId.
        user: &'a str,
    },
    /// All sessions of a user were ended by an internal caller.
    SessionsEnded {
        /// The user's extId.
        user: &'a str,
    },
    /// An internal caller asked for a removal; what went has lines of its own.
    Administration {
        /// The caller's configured name.
        caller: &'a str,
        /// The extId of the user whose it is.
        user: &'a str,
        /// What was asked.
        operation: &'static str,
    },
    /// Another configuration is served.
    Configuration {
        /// How many were served before it since the start, and it.
        generation: u64,
        /// The keys of the file's root whose values are others.
        sections: &'a str,
        /// The files that changed.
        files: &'a str,
    },
    /// An internal caller named a user.
    ActFor {
        /// The caller's configured name.
        caller: &'a str,
        /// The extId of the user.
        user: &'a str,
        /// What was asked.
        operation: &'static str,
    },
}

/// Says in every line that the request at hand causes from here on which operation it is about. Lines of one operation have
/// the same id, whoever sends the requests; it leads neither to a token nor to a session.
pub fn about(operation: Option<&str>) {
    tracing::Span::current().record("operation_id", operation);
}

/// What happened to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It is different now.
    Changed,
    /// It is gone.
    Removed,
    /// It is refused here, and may be there still.
    Doubted,
}

impl Change {
    fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Doubted => "doubted",
        }
    }
}

macro_rules! line {
    ($name:literal $(, $($field:tt)+)?) => {
        tracing::info!(target: TARGET, event = $name $(, $($field)+)?)
    };
}

impl Event<'_> {
    /// Writes the line.
    pub fn record(self) {
        match self {
            Self::Login { realm, user } => line!("login", realm, user),
            Self::LoginFailed { realm, user, address, reason } => {
                line!("login-failed", realm, user, %address, reason);
            }
            Self::GuessedAt { realm, user, address } => line!("guessed-at", realm, user, %address),
            Self::TokenRefused { realm, issuer, kid, address, reason } => {
                line!("login-failed", realm, issuer, kid, %address, reason);
            }
            Self::StepUp { realm, user, auth_level } => line!("step-up", realm, user, auth_level),
            Self::Logout { user } => line!("logout", user),
            Self::Dispatch { operation, dispatcher, result, user, target } => {
                line!("dispatch", operation, dispatcher, result, user, target_id = target);
            }
            Self::Redeem { operation, code, user, target } => {
                line!("redeem", operation, code, user, target_id = target);
            }
            Self::Answer { operation, code, user, confirmed } => line!("answer", operation, code, user, confirmed),
            Self::Target { change, target, user } => line!("target", change = change.name(), target_id = target, user),
            Self::Credential { change, user, aaid } => line!("credential", change = change.name(), user, aaid),
            Self::VerdictUnknown { user, aaid } => line!("verdict-unknown", user, aaid),
            Self::Provision { caller, user } => line!("provision", caller, user),
            Self::Swept { user, what, count } => line!("swept", user, what, count),
            Self::User { change, user } => line!("user", change = change.name(), user),
            Self::SessionsEnded { user } => line!("sessions-ended", user),
            Self::Administration { caller, user, operation } => line!("administration", caller, user, operation),
            Self::Configuration { generation, sections, files } => {
                line!("configuration", generation, sections, files);
            }
            Self::ActFor { caller, user, operation } => line!("act-for", caller, user, operation),
        }
    }
}
