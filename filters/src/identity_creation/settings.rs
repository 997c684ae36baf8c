//! How the filter is set up on a route.

use std::fmt;

use super::{Demand, PassedOn, ReturnTarget, SessionDomain};
use crate::identity::{KnownCaller, Role};

/// Whom a route lets in, apart from internal callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Everybody; a user is recognised, and an invalid session counts as none (`http-api.md` 0.3).
    Open,
    /// Whoever has a session that meets the demand.
    Session(Demand),
    /// Nobody else.
    InternalOnly,
}

/// Which internal callers a route lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InternalAccess {
    /// None: 403.
    Nobody,
    /// Every one; what it may do is the service's question.
    Anybody,
    /// Those with this role.
    With(Role),
}

impl InternalAccess {
    pub(crate) fn admits(self, caller: &KnownCaller) -> bool {
        match self {
            Self::Nobody => false,
            Self::Anybody => true,
            Self::With(role) => caller.may(role),
        }
    }
}

impl fmt::Display for InternalAccess {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => out.write_str("no internal caller"),
            Self::Anybody => out.write_str("every internal caller"),
            Self::With(role) => write!(out, "internal callers with {}", role.name()),
        }
    }
}

/// Whether browsers see a login page in place of a 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interception {
    /// Clients that accept `text/html` do.
    Auto,
    /// Never: an API.
    Never,
}

/// How the filter is set up on a route.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The session domain.
    pub domain: SessionDomain,
    /// Whom the route lets in.
    pub admission: Admission,
    /// Which internal callers it lets in.
    pub internal: InternalAccess,
    /// Login page or 401.
    pub interception: Interception,
    /// Where a login leads that followed an intercepted POST.
    pub start: ReturnTarget,
    /// What goes on to the destination all the same.
    pub passed_on: PassedOn,
}
