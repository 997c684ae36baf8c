//! Registration (UAF protocol 1.1, "Registration Response Processing Rules for FIDO Server").

mod attestation;

use attestation::Circumstances;
use serde::{Deserialize, Serialize};

use crate::aaid::KeyRef;
use crate::algorithm::{Algorithm, KeyFormat};
use crate::assertion::RegistrationAssertion;
use crate::credential::Credential;
use crate::crypto::{KeyError, VerificationKey};
use crate::denial::Denial;
use crate::encoding::{Octets, Text};
use crate::error::Error;
use crate::incoming::Opened;
use crate::metadata::Model;
use crate::policy::{Candidate, Policy};
use crate::relying_party::{
    Admission, Arrival, Asserted, Issued, MAX_REGISTRATION_COUNTER, RelyingParty, Start, StartError,
};
use crate::wire::{self, AuthenticatorAssertion, Operation, Outgoing, RegistrationRequest, UAFV1TLV};

/// Who registers, and with what.
#[derive(Debug, Clone)]
pub struct NewRegistration<'a> {
    /// The operation.
    pub start: Start<'a>,
    /// The owner of the new key, as the store knows him.
    pub user: &'a str,
    /// The name to show beside the key.
    pub username: &'a str,
    /// Which authenticators may answer.
    pub policy: Policy,
    /// The keys the user has already: they may not answer.
    pub registered: &'a [KeyRef],
}

/// What to keep until the answer comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationState {
    issued: Issued,
    user: String,
}

/// How a registration ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationOutcome {
    /// At least one key was registered.
    Registered {
        /// The new keys, to be stored all together.
        credentials: Vec<Credential>,
        /// Why other assertions of the response were passed over.
        skipped: Vec<Error>,
    },
    /// The user or the device said no.
    Denied(Denial),
}

impl RelyingParty {
    /// Makes the request, and the state to keep for [`Self::finish_registration`].
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start_registration(
        &self,
        new: NewRegistration<'_>,
    ) -> Result<(Outgoing<RegistrationRequest>, RegistrationState), StartError> {
        let username = Text::new(new.username).map_err(|_| StartError::Username)?;
        let mut policy = new.policy;
        policy.disallow_keys(new.registered);
        policy.disallow_models(self.models.revoked().collect());
        let issued = self.issue(Operation::Reg, &new.start, Some(new.user), policy.into_wire())?;
        let request = RegistrationRequest {
            header: self.header(Operation::Reg, Some(issued.server_data.clone())),
            challenge: new.start.challenge,
            username,
            policy: issued.policy.clone(),
        };
        Ok((self.outgoing(request), RegistrationState { issued, user: new.user.to_owned() }))
    }

    /// Checks the answer. The caller has taken the challenge out of its store, and has looked up which of
    /// [`Opened::keys`] are `registered`, whoever owns them.
    ///
    /// # Errors
    /// [`Error`]: the check that failed; for the assertions, that of the first one that was not good, if those that were
    /// do not meet the policy.
    pub fn finish_registration(
        &self,
        state: &RegistrationState,
        opened: &Opened,
        registered: &[KeyRef],
        arrival: &Arrival<'_>,
    ) -> Result<RegistrationOutcome, Error> {
        let asserted = match self.admit(&state.issued, Some(&state.user), opened, arrival)? {
            Admission::Denied(denial) => return Ok(RegistrationOutcome::Denied(denial)),
            Admission::Asserted(asserted) => asserted,
        };
        let mut credentials: Vec<Credential> = Vec::new();
        let mut skipped = Vec::new();
        for assertion in &opened.incoming.response.assertions {
            let is_new = |key: &KeyRef| match () {
                () if registered.contains(key) => Err(Error::AlreadyRegistered),
                () if credentials.iter().any(|other| other.key_ref() == *key) => Err(Error::RepeatedKey),
                () => Ok(()),
            };
            match self.register(state, assertion, &asserted, is_new) {
                Ok(credential) => credentials.push(credential),
                Err(error) => skipped.push(error),
            }
        }
        if credentials.is_empty() {
            return Err(skipped.into_iter().next().unwrap_or(Error::NoAssertions));
        }
        if !self.completes(&state.issued.policy, &credentials) {
            // What was passed over is why something is missing.
            return Err(skipped.into_iter().next().unwrap_or(Error::PolicyIncomplete));
        }
        Ok(RegistrationOutcome::Registered { credentials, skipped })
    }

    /// Checks one assertion and makes the credential of it.
    fn register(
        &self,
        state: &RegistrationState,
        assertion: &AuthenticatorAssertion,
        asserted: &Asserted,
        is_new: impl Fn(&KeyRef) -> Result<(), Error>,
    ) -> Result<Credential, Error> {
        assertion.check_envelope()?;
        let read = RegistrationAssertion::parse(assertion.assertion.as_bytes())?;
        let algorithm = read.common.algorithm()?;
        let model = self.admit_model(&state.issued.policy, &read, algorithm)?;
        if read.common.final_challenge_hash != asserted.final_challenge_hash {
            return Err(Error::FinalChallengeHash);
        }
        model.admits(read.common.version, asserted.upv)?;
        model.admits_algorithm(algorithm)?;
        let key_format = KeyFormat::try_from(read.key_format).map_err(|_| KeyError::UnsupportedFormat)?;
        if read.registration_counter > MAX_REGISTRATION_COUNTER {
            return Err(Error::RegistrationCounter);
        }
        let key = read.common.key_ref()?;
        is_new(&key)?;
        let public_key = VerificationKey::parse(algorithm, key_format, read.public_key)?;
        let circumstances = Circumstances { algorithm, models: &self.models, now: asserted.now };
        attestation::verify(&read, public_key, model, &circumstances)?;
        let png_characteristics = assertion.png_characteristics.clone();
        Ok(Credential { png_characteristics, ..read.credential(&state.user, key, algorithm, key_format)? })
    }

    /// The model, if the policy that was sent takes it and its attestation.
    fn admit_model(
        &self,
        policy: &wire::Policy,
        read: &RegistrationAssertion<'_>,
        algorithm: Algorithm,
    ) -> Result<&Model, Error> {
        let candidate = read.candidate(algorithm, self.models.find(read.common.aaid).ok());
        let model = policy.admit(&candidate, &self.models)?;
        attestation::check_type(read.attestation.kind, model)?;
        Ok(model)
    }

    fn completes(&self, policy: &wire::Policy, credentials: &[Credential]) -> bool {
        let candidate = |credential| Candidate::of(credential, self.models.find(credential.aaid).ok());
        policy.is_met_by(&credentials.iter().map(candidate).collect::<Vec<_>>())
    }
}

impl RegistrationAssertion<'_> {
    /// What is kept of an assertion that was found good.
    fn credential(
        &self,
        user: &str,
        key: KeyRef,
        algorithm: Algorithm,
        key_format: KeyFormat,
    ) -> Result<Credential, Error> {
        Ok(Credential {
            user: user.to_owned(),
            aaid: key.aaid,
            key_id: key.key_id,
            authenticator_version: self.common.version,
            algorithm,
            key_format,
            public_key: Octets::new(self.public_key).map_err(|_| KeyError::Encoding)?,
            sign_counter: self.common.sign_counter,
            registration_counter: self.registration_counter,
            png_characteristics: Vec::new(),
        })
    }

    fn candidate<'a>(&'a self, algorithm: Algorithm, model: Option<&'a Model>) -> Candidate<'a> {
        let common = &self.common;
        Candidate { aaid: common.aaid, key_id: Some(common.key_id), version: Some(common.version), algorithm, model }
    }
}

impl<'a> Candidate<'a> {
    pub(crate) fn of(credential: &'a Credential, model: Option<&'a Model>) -> Self {
        Self {
            aaid: credential.aaid,
            key_id: Some(credential.key_id.as_bytes()),
            version: Some(credential.authenticator_version),
            algorithm: credential.algorithm,
            model,
        }
    }
}

impl AuthenticatorAssertion {
    /// Checks what stands around the assertion.
    pub(crate) fn check_envelope(&self) -> Result<(), Error> {
        if self.assertion_scheme.as_str() != UAFV1TLV {
            return Err(Error::Scheme);
        }
        if self.exts.iter().any(|extension| extension.fail_if_unknown) {
            return Err(Error::UnknownExtension);
        }
        Ok(())
    }
}
