//! For a gateway before another UAF server: what that server's request issued, and whether an answer belongs to it
//! before it is passed on. Nothing here verifies a signature; the other server does.
//!
//! ```
//! use sidegate_uaf::relay::{Claim, Issue};
//! use sidegate_uaf::wire::Operation;
//! use sidegate_uaf::{Error, Incoming};
//!
//! /// Whether the answer belongs to the request, and names only keys that the request let answer.
//! fn may_pass(request: &str, uaf_response: &str) -> Result<bool, Error> {
//!     let issue = Issue::authentication(request, &[])?; // kept when the request passes; serde writes it
//!     let incoming = Incoming::parse(Operation::Auth, uaf_response, None)?;
//!     issue.check(&incoming)?;
//!     Ok(matches!(issue.claim(&incoming)?, Claim::Keys { allowed: true, .. }))
//! }
//! # assert_eq!(may_pass("[]", "[]"), Err(Error::NotUaf("empty array")));
//! ```

mod criteria;
mod deregistration;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::aaid::KeyRef;
use crate::denial::Denial;
use crate::encoding;
use crate::error::Error;
use crate::incoming::{Asserted, Incoming};
use crate::wire::{
    AppId, AuthenticationRequest, Challenge, MatchCriteria, Operation, OperationHeader, Policy, RegistrationRequest,
    ServerDataText, Transaction,
};

use criteria::{covers, names_key, refuses};
pub use deregistration::{check_deregistration, deregistration};

/// What one request of another server issued: to be kept until its answer comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    operation: Operation,
    challenge: Challenge,
    server_data: ServerDataText,
    policy: Policy,
    app_id: Option<AppId>,
}

/// What an answer claims. Whether it is true only the server that issued the request can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Possession of these keys, one or more.
    Keys {
        /// The keys, as the signed parts of the assertions name them.
        keys: Vec<KeyRef>,
        /// Whether the request let each of them answer: an authentication names them one by one, a registration
        /// their models.
        allowed: bool,
    },
    /// The user or the device said no.
    Denial(Denial),
}

impl Issue {
    /// Reads a registration request: a message with exactly one dictionary, and serverData in it.
    ///
    /// # Errors
    /// [`Error`]: what is wrong with the message.
    pub fn registration(message: &str) -> Result<Self, Error> {
        single(message)?;
        let request = RegistrationRequest::from_message(message)?;
        Self::new(request.header, request.challenge, request.policy)
    }

    /// Reads an authentication request. It must ask for this transaction, in one of its renderings at least: one that is
    /// dropped on the way would become an approval of nothing. What the user's keys can't show the server may leave out.
    ///
    /// # Errors
    /// [`Error`]: what is wrong with the message; [`Error::TransactionHash`] if it asks for another transaction.
    pub fn authentication(message: &str, transaction: &[Transaction]) -> Result<Self, Error> {
        single(message)?;
        let request = AuthenticationRequest::from_message(message)?;
        let is_ours = |sent: &Transaction| transaction.iter().any(|ours| sent.renders(ours));
        if request.transaction.is_empty() != transaction.is_empty() || !request.transaction.iter().all(is_ours) {
            return Err(Error::TransactionHash);
        }
        Self::new(request.header, request.challenge, request.policy)
    }

    fn new(header: OperationHeader, challenge: Challenge, policy: Policy) -> Result<Self, Error> {
        let server_data = header.server_data.ok_or(Error::ServerDataMissing)?;
        Ok(Self { operation: header.op, challenge, server_data, policy, app_id: header.app_id })
    }

    /// The nonce by which an answer is found again.
    #[must_use]
    pub const fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// The application that the answering keys are for.
    #[must_use]
    pub fn app_id(&self) -> Option<&AppId> {
        self.app_id.as_ref()
    }

    /// Whether every alternative of its policy names keys, as the request for a known user does.
    #[must_use]
    pub fn names_keys(&self) -> bool {
        self.policy.accepted.iter().all(|alternative| !alternative.is_empty() && alternative.iter().all(names_key))
    }

    /// The keys that its policy names one by one.
    pub fn named_keys(&self) -> impl Iterator<Item = KeyRef> {
        let naming = self.policy.accepted.iter().flatten().filter(|criterion| names_key(criterion));
        naming.flat_map(|criterion| {
            criterion
                .aaid
                .iter()
                .flat_map(|aaid| criterion.key_ids.iter().map(|key_id| KeyRef { aaid: *aaid, key_id: key_id.clone() }))
        })
    }

    /// Bytes of JSON of the criteria in its policy that name no keys: the requests for other users have them too.
    #[must_use]
    pub fn standing_length(&self) -> usize {
        let criteria = self.policy.accepted.iter().flatten().chain(&self.policy.disallowed);
        let standing = criteria.filter(|criterion| criterion.key_ids.is_empty());
        standing.map(|criterion| serde_json::to_string(criterion).map_or(0, |text| text.len())).sum()
    }

    /// Whether the answer bears this challenge where the signature covers it, and the serverData issued beside it.
    ///
    /// # Errors
    /// [`Error::FcParamsEncoding`], [`Error::FcParams`], [`Error::ChallengeMismatch`], [`Error::WrongOperation`],
    /// [`Error::ServerDataOfAnotherOperation`]. None of them may move any state.
    pub fn check(&self, incoming: &Incoming) -> Result<(), Error> {
        if incoming.final_challenge()?.challenge != self.challenge {
            return Err(Error::ChallengeMismatch);
        }
        if incoming.header().op != self.operation {
            return Err(Error::WrongOperation);
        }
        if incoming.header().server_data.as_ref() != Some(&self.server_data) {
            return Err(Error::ServerDataOfAnotherOperation);
        }
        Ok(())
    }

    /// What the answer claims.
    ///
    /// # Errors
    /// [`Error::NoAssertions`]; those of an assertion that can't be read.
    pub fn claim(&self, incoming: &Incoming) -> Result<Claim, Error> {
        if let Some(denial) = incoming.denial()? {
            return Ok(Claim::Denial(denial));
        }
        let asserted = incoming.asserted()?;
        let allowed = asserted.iter().all(|of| self.allows(of));
        Ok(Claim::Keys { keys: asserted.into_iter().map(|of| of.key).collect(), allowed })
    }

    fn allows(&self, asserted: &Asserted) -> bool {
        let explicit = self.operation == Operation::Auth;
        let accepts = |of: &MatchCriteria| covers(of, &asserted.key) && (names_key(of) || !explicit);
        self.policy.accepted.iter().flatten().any(accepts)
            && !self.policy.disallowed.iter().any(|of| refuses(of, asserted))
    }
}

/// With a dictionary for each version a client could answer one that was not looked at.
fn single(message: &str) -> Result<(), Error> {
    match encoding::parse::<Vec<IgnoredAny>>(message)?.len() {
        0 => Err(Error::NotUaf("empty array")),
        1 => Ok(()),
        _ => Err(Error::SeveralMessages),
    }
}

#[cfg(test)]
mod tests;
