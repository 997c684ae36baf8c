//! Authentication, with or without a user's name, with or without a transaction (UAF protocol 1.1,
//! "Authentication Response Processing Rules for FIDO Server").

mod answerer;
mod asking;

use serde::{Deserialize, Serialize};

pub use asking::{Asking, Claimant, NotFitting};

use answerer::Answerer;

use crate::aaid::{Aaid, KeyRef};
use crate::assertion::{AuthenticationAssertion, Mode};
use crate::credential::Credential;
use crate::denial::Denial;
use crate::error::Error;
use crate::incoming::Opened;
use crate::metadata::Model;
use crate::policy::Candidate;
use crate::relying_party::{Admission, Arrival, Issued, RelyingParty, Start, StartError};
use crate::transaction::{Asked, Sent, check_renderings};
use crate::wire::{AuthenticationRequest, AuthenticatorAssertion, Operation, Outgoing, Version};

/// What to keep until the answer comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticationState {
    issued: Issued,
    #[serde(rename = "claimant")]
    answerer: Answerer,
    asked: Asked,
}

impl AuthenticationState {
    /// As whose key a decoy ([`crate::Decoys`]) answers: of the user who was asked for one; of nobody, which is empty, where
    /// anyone may answer. `None` where a user's own keys were asked for.
    #[must_use]
    pub fn decoyed(&self) -> Option<&str> {
        match &self.answerer {
            Answerer::Anyone => Some(""),
            Answerer::Named { user, exists: false } => Some(user),
            Answerer::Named { .. } => None,
        }
    }
}

/// How an authentication ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthenticationOutcome {
    /// The user has proved possession of all these keys; a transaction, if one was asked for, was confirmed with each.
    Authenticated {
        /// The owner of the keys.
        user: String,
        /// The keys; counters are to be stored.
        keys: Vec<VerifiedKey>,
    },
    /// The user or the device said no.
    Denied(Denial),
}

/// A key whose assertion was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedKey {
    /// Model and key.
    pub key: KeyRef,
    /// The new counter: to be stored if it is still greater than the stored one, or if both are 0.
    pub counter: u32,
    /// SHA-256 of the content of the rendering that was confirmed with it, if one was.
    pub confirmed: Option<[u8; 32]>,
}

impl RelyingParty {
    /// Whether answers by keys of this model are looked at.
    ///
    /// # Errors
    /// [`Error::ModelRevoked`], [`Error::UnknownModel`].
    pub fn check_model(&self, aaid: Aaid) -> Result<(), Error> {
        self.models.find(aaid).map(drop)
    }

    /// Makes the request of what [`Self::asking`] found, and the state to keep for [`Self::finish_authentication`].
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start_authentication(
        &self,
        start: Start<'_>,
        asking: Asking,
    ) -> Result<(Outgoing<AuthenticationRequest>, AuthenticationState), StartError> {
        let Asking { answerer, mut policy, transaction } = asking;
        check_renderings(&transaction)?;
        policy.disallow_models(self.models.revoked().collect());
        let issued = self.issue(Operation::Auth, &start, answerer.user(), policy.into_wire())?;
        let asked = Asked::of(&transaction);
        let request = AuthenticationRequest {
            header: self.header(Operation::Auth, Some(issued.server_data.clone())),
            challenge: start.challenge,
            transaction,
            policy: issued.policy.clone(),
        };
        Ok((self.outgoing(request), AuthenticationState { issued, answerer, asked }))
    }

    /// Checks the answer. The caller has taken the challenge out of its store, and has loaded the `credentials` that it
    /// has under [`Opened::keys`], whoever owns them.
    ///
    /// # Errors
    /// [`Error`]: the check that failed. One bad assertion refuses the whole response.
    pub fn finish_authentication(
        &self,
        state: &AuthenticationState,
        opened: &Opened,
        credentials: &[Credential],
        arrival: &Arrival<'_>,
    ) -> Result<AuthenticationOutcome, Error> {
        let asserted = match self.admit(&state.issued, state.answerer.user(), opened, arrival)? {
            Admission::Denied(denial) => return Ok(AuthenticationOutcome::Denied(denial)),
            Admission::Asserted(asserted) => asserted,
        };
        let assertions = &opened.incoming.response.assertions;
        let mut owner: Option<&str> = None;
        let mut keys: Vec<VerifiedKey> = Vec::with_capacity(assertions.len());
        let mut candidates = Vec::with_capacity(assertions.len());
        for assertion in assertions {
            let (read, model) = self.read(state, assertion, asserted.upv)?;
            let credential = state.answerer.key(&read, credentials)?;
            if *owner.get_or_insert(&credential.user) != credential.user {
                return Err(Error::KeyOfAnotherUser);
            }
            let verified = verify(state, &read, credential, model, &asserted.final_challenge_hash)?;
            if keys.iter().any(|other| other.key == verified.key) {
                return Err(Error::RepeatedKey);
            }
            keys.push(verified);
            candidates.push(self.candidate(&read)?);
        }
        if !state.issued.policy.is_met_by(&candidates) {
            return Err(Error::PolicyIncomplete);
        }
        let user = owner.ok_or(Error::NoAssertions)?.to_owned();
        Ok(AuthenticationOutcome::Authenticated { user, keys })
    }

    /// Parses an assertion of an authenticator that may answer.
    fn read<'a>(
        &self,
        state: &AuthenticationState,
        assertion: &'a AuthenticatorAssertion,
        upv: Version,
    ) -> Result<(AuthenticationAssertion<'a>, &Model), Error> {
        assertion.check_envelope()?;
        let read = AuthenticationAssertion::parse(assertion.assertion.as_bytes())?;
        let model = state.issued.policy.admit(&self.candidate(&read)?, &self.models)?;
        model.admits(read.common.version, upv)?;
        if model.second_factor_only && state.answerer == Answerer::Anyone {
            return Err(Error::SecondFactorOnly);
        }
        if read.mode == Mode::TransactionConfirmed && !model.shows_transactions() {
            return Err(Error::NoTransactionDisplay);
        }
        Ok((read, model))
    }

    fn candidate<'a>(&'a self, read: &AuthenticationAssertion<'a>) -> Result<Candidate<'a>, Error> {
        let common = &read.common;
        Ok(Candidate {
            aaid: common.aaid,
            key_id: Some(common.key_id),
            version: Some(common.version),
            algorithm: common.algorithm()?,
            model: self.models.find(common.aaid).ok(),
        })
    }
}

/// Checks an assertion against the key that was registered.
fn verify(
    state: &AuthenticationState,
    read: &AuthenticationAssertion<'_>,
    credential: &Credential,
    model: &Model,
    final_challenge_hash: &[u8; 32],
) -> Result<VerifiedKey, Error> {
    let common = &read.common;
    if common.algorithm()? != credential.algorithm {
        return Err(Error::AlgorithmNotRegistered);
    }
    if common.final_challenge_hash != final_challenge_hash {
        return Err(Error::FinalChallengeHash);
    }
    state.asked.check(read.mode, read.transaction_hash)?;
    if !credential.verification_key()?.verifies(common.signed, common.signature) {
        return Err(Error::Signature);
    }
    // After the signature: a stranger who has no key is not to learn what a user's shows, nor how far it counted.
    if !state.asked.is_shown(read.transaction_hash, model, credential) {
        return Err(Error::TransactionNotShown);
    }
    if !counter_is_good(credential.sign_counter, common.sign_counter) {
        return Err(Error::SignCounter);
    }
    Ok(VerifiedKey {
        key: credential.key_ref(),
        counter: common.sign_counter,
        // As long as the one of those sent that it equals.
        confirmed: read.transaction_hash.try_into().ok(),
    })
}

/// Both zero where the authenticator does not count, else growing.
const fn counter_is_good(stored: u32, received: u32) -> bool {
    received > stored || (received == 0 && stored == 0)
}

impl Asked {
    fn check(&self, mode: Mode, hash: &[u8]) -> Result<(), Error> {
        match mode {
            Mode::UserVerified if !hash.is_empty() => Err(Error::TransactionHashUnexpected),
            Mode::UserVerified if self.is_something() => Err(Error::TransactionNotConfirmed),
            Mode::UserVerified => Ok(()),
            Mode::TransactionConfirmed if !self.is_something() => Err(Error::TransactionNotAsked),
            Mode::TransactionConfirmed if self.of_hash(hash).next().is_none() => Err(Error::TransactionHash),
            Mode::TransactionConfirmed => Ok(()),
        }
    }

    /// Whether the key's authenticator can show what was confirmed, if something was.
    fn is_shown(&self, hash: &[u8], model: &Model, credential: &Credential) -> bool {
        let shows = |sent: &Sent| model.shows(sent.picture.as_ref(), &credential.png_characteristics);
        hash.is_empty() || self.of_hash(hash).any(shows)
    }
}
