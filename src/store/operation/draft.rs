//! What an operation is made of, and how long it may take.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{OperationId, OperationKind, Purpose, Warrant};
use crate::store::ExtId;

/// How the token was brought to the phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// The dispatch target's extId, when one was named.
    pub target: Option<String>,
    /// The dispatcher's type.
    pub dispatcher: String,
    /// What the dispatcher answered (a link, a picture): holds the token, so it is kept only where the configuration
    /// lets the status show it.
    pub response: Option<String>,
}

/// What an operation is made of before it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its name.
    pub id: OperationId,
    /// What it is for.
    pub purpose: Purpose,
    /// The UAF operation.
    pub kind: OperationKind,
    /// The user it was made for; none for user-less authentication.
    pub user: Option<ExtId>,
    /// What a stranger called the user, who is not to learn whether there is one (`hide-users`); `None`: nothing is hidden.
    pub stranger: Option<String>,
    /// The session that began it, where that is a registration or deregistration of a user's own.
    pub warrant: Option<Warrant>,
    /// What the UAF request is built from at redeem (policy name, transaction, …), as the services wrote it; at most
    /// [`CONTEXT_LIMIT`] bytes.
    pub context: String,
    /// How it was dispatched, if it was.
    pub dispatch: Option<Dispatch>,
    /// What its token has room for.
    pub room: Room,
}

/// The most bytes that a stored context may have (`http-api.md` 0.5).
pub const CONTEXT_LIMIT: usize = 8 * 1024;

/// Bytes that a token holds for what its redeem writes down, so that it can be redeemed when others have filled the store
/// meanwhile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// For the challenge, in the operation's record.
    pub challenge: usize,
    /// For what is kept beside that record: free for it from the claim on.
    pub beside: usize,
}

/// How long things may take (`http-api.md` 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Until the token must be redeemed (5 min).
    pub token: Duration,
    /// From redeem until the UAF answer must be there (5 min).
    pub answer: Duration,
    /// How long a final state stays known (10 min).
    pub retention: Duration,
    /// How long a claim holds while an upstream or a removal is under way, and how long a taken challenge may wait
    /// for its outcome (30 s).
    pub lease: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Self { token: minutes(5), answer: minutes(5), retention: minutes(10), lease: Duration::from_secs(30) }
    }
}
