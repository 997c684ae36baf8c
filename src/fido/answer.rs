//! An answer: how it comes in, and what comes of it.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{FidoError, Subject};
use crate::store::operation::{Authenticator, OperationKind, Purpose};
use crate::store::{ExtId, OperationId, SourceNetwork, StoreError};

/// Where an answer came in: decides which operations it may finish (`http-api.md` 0.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerAt {
    /// `/nevisfido/uaf/1.1/registration`.
    Registration,
    /// `/nevisfido/uaf/1.1/authentication`: makes no session of whoever answers there.
    Authentication,
    /// `/auth/…`: makes a session.
    Login,
}

impl AnswerAt {
    /// The word for it in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Authentication => "authentication",
            Self::Login => "login",
        }
    }

    /// The UAF operation that is answered there.
    #[must_use]
    pub fn kind(self) -> OperationKind {
        if self == Self::Registration { OperationKind::Reg } else { OperationKind::Auth }
    }

    /// Whether an operation of this purpose may be finished there.
    #[must_use]
    pub fn takes(self, purpose: Purpose) -> bool {
        match self {
            Self::Registration => purpose == Purpose::Registration,
            Self::Authentication => {
                matches!(purpose, Purpose::OutOfBand | Purpose::BrowserLogin | Purpose::Transaction)
            }
            Self::Login => purpose == Purpose::InBandLogin,
        }
    }
}

/// An answer as it came in. Nothing of it is verified.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    /// Where.
    pub at: AnswerAt,
    /// The message.
    pub uaf_response: &'a str,
    /// What the phone says of itself beside it: JSON.
    pub context: Option<&'a str>,
    /// As in [`Commission::from`](super::Commission::from).
    pub from: Option<SourceNetwork>,
}

/// An answer that was read ([`Fido::open`](super::Fido::open)). The message is gone, so it is read once, whatever is asked of
/// the answer; and with [`Self::take`] the answer is too, so it is taken once.
#[async_trait]
pub trait Received: Send + Sync {
    /// Who it says it is from; no signature is verified. `None` too of what is no answer.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn claimant(&self) -> Result<Option<Claimed>, StoreError>;

    /// Takes it: finishes its operation, for good or bad.
    ///
    /// # Errors
    /// The code for the client. No operation moves unless serverData and challenge are those of it.
    async fn take(self: Box<Self>) -> Result<Answered, FidoError>;
}

/// A good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The operation that it finished.
    pub id: OperationId,
    /// Who answered; none where a user-less operation was answered and an upstream alone knows by whom.
    pub user: Option<Subject>,
    /// With which credentials, as far as the user is known.
    pub authenticators: Vec<Authenticator>,
    /// SHA-256 of each content that was confirmed. None where an upstream saw to that.
    pub confirmed: BTreeSet<[u8; 32]>,
}

/// Who an answer says it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Of which user; there may be none where users are hidden.
    pub ext_id: ExtId,
    /// Whom a refusal counts against.
    pub counted: Counted,
}

/// Whom the refusal of an answer counts against, beside the network that it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    /// The user.
    User,
    /// The user, or whoever was called so by a stranger who is not to learn whether there is one.
    Called(String),
    /// The network alone, where nobody was named: what is counted would tell a user's key from a decoy.
    Nobody,
}
