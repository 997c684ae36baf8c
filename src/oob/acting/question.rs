//! What is asked: who wants to do what, for whom.

use std::net::IpAddr;

use sidegate_filters::Caller;

use crate::store::{ExtId, Origin, SourceNetwork};

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Deregistration, creating or deleting a target: the user's own affair.
    Own,
    /// Listing targets: the same, and internal callers need no role (`http-api.md` 8).
    List,
    /// Registration: the same, and a user who has a key already may have to show it (`additional-registration`).
    Registration,
    /// Authentication without words of the caller.
    Authentication,
    /// Authentication that shows words of the caller: a transaction, `dispatchInformation.data`, notification texts.
    AuthenticationWithContent,
}

impl Deed {
    pub(super) fn is_own_affair(self) -> bool {
        matches!(self, Self::Own | Self::Registration | Self::List)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::List => "list",
            Self::Registration => "registration",
            Self::Authentication => "authentication",
            Self::AuthenticationWithContent => "authentication-with-content",
        }
    }
}

/// Whom a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// Nobody.
    Nobody,
    /// The user with this `username`.
    Username(&'a str),
    /// The user with this extId: the owner of the target that the request names.
    Owner(&'a ExtId),
}

/// Who asks, and where.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The caller.
    pub caller: &'a Caller,
    /// The peer's address.
    pub address: IpAddr,
    /// Whether the route lets anybody put words before a user's eyes (`anonymous-content`).
    pub anonymous_content: bool,
}

impl Asker<'_> {
    /// On whose account an operation is kept.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match self.caller {
            Caller::Internal(_) => Origin::Internal,
            Caller::User(session) => Origin::User(session.ext_id.as_str().into()),
            Caller::Anonymous => Origin::Network(SourceNetwork::of(self.address)),
        }
    }

    /// The network whose share of what is asked of a server behind it uses; an internal caller has none.
    #[must_use]
    pub fn network(&self) -> Option<SourceNetwork> {
        (!matches!(self.caller, Caller::Internal(_))).then(|| SourceNetwork::of(self.address))
    }
}
