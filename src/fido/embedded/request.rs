//! Requests: what a phone is asked.

use std::collections::BTreeSet;

use sidegate_uaf::authentication::{Claimant, NotFitting};
use sidegate_uaf::deregistration::Deregistration;
use sidegate_uaf::policy::Policy;
use sidegate_uaf::registration::NewRegistration;
use sidegate_uaf::wire::{Challenge, Operation, Transaction};
use sidegate_uaf::{Credential, Error, Start, StartError, StatusCode};

use super::super::credential::refuse_unkept;
use super::super::{Commission, FidoError, Scope, Subject, UafRequest};
use super::{Embedded, Kept, credential, internal, unix};
use crate::jose;
use crate::store::operation::{ChallengeState, Purpose};
use crate::store::{self, CredentialError, CredentialKey, Removal, StoreError};
use crate::telemetry::audit::{Change, Event};

type Made = Result<(UafRequest, ChallengeState), FidoError>;

impl Embedded {
    /// A registration; the keys that the user has already are disallowed.
    pub(super) async fn registration(&self, commission: &Commission<'_>, user: &Subject, policy: &str) -> Made {
        let registered: Vec<_> = self.keys_of(user).await?.iter().map(Credential::key_ref).collect();
        let id = commission.id.to_string();
        let new = NewRegistration {
            start: self.start(&id, commission.purpose)?,
            user: user.ext_id.as_str(),
            username: &user.name,
            policy: self.policy(policy)?.clone(),
            registered: &registered,
        };
        let started = self.relying_party.start_registration(new).map_err(|error| not_begun(user, &error));
        let (request, state) = started?;
        Ok((self.request_of(request.to_message(), Operation::Reg), Kept::Registration(state).write()?))
    }

    /// An authentication: of a named user by the keys they have and the policy admits, in what these can show; else of
    /// whoever owns the key.
    pub(super) async fn authentication(
        &self,
        commission: &Commission<'_>,
        policy: &str,
        transaction: &[Transaction],
    ) -> Made {
        let credentials = match &commission.user {
            None => Vec::new(),
            Some(user) => self.keys_of(user).await?,
        };
        let claimant = commission.user.as_ref().map_or(Claimant::Anyone, |user| Claimant::Named {
            user: user.ext_id.as_str(),
            credentials: &credentials,
            decoys: self.decoys.as_ref().zip(commission.hidden_from).map(|(decoys, called)| decoys.of(called)),
        });
        let asking = self.relying_party.asking(self.policy(policy)?, claimant, transaction);
        let asking = asking.map_err(|why| self.nothing_fits(why))?;
        let id = commission.id.to_string();
        let start = self.start(&id, commission.purpose)?;
        let started = self.relying_party.start_authentication(start, asking);
        let (request, state) = started.map_err(|error| internal(&error))?;
        Ok((self.request_of(request.to_message(), Operation::Auth), Kept::Authentication(state).write()?))
    }

    fn nothing_fits(&self, why: NotFitting) -> FidoError {
        let code = match why {
            NotFitting::NoKey => StatusCode::NOT_FOUND,
            NotFitting::NoDisplay => StatusCode::CLIENT_CAPABILITIES,
            NotFitting::Internal => return internal(&why),
        };
        tracing::info!(reason = %why, "a UAF authentication is not asked for");
        FidoError::Refused(self.settings.folding.apply(code))
    }

    /// Removes the records of the keys, and tells the phone to remove the keys. The phone is named each key, so that a
    /// phone with two users keeps the other's.
    pub(super) async fn deregistration(&self, user: &Subject, scope: &Scope) -> Result<UafRequest, FidoError> {
        let removed = self.credentials.remove(&user.ext_id, &Removal::from(scope)).await?;
        for key in &removed {
            let (change, user) = (Change::Removed, user.ext_id.as_str());
            Event::Credential { change, user, aaid: key.aaid() }.record();
        }
        // Those that went, and no others: a key that is registered at this moment is either told or kept.
        let mut keys = removed.iter().map(credential::protocol_key);
        let first = keys.next().ok_or(FidoError::Refused(StatusCode::NOT_FOUND))??;
        let message = self
            .relying_party
            .deregistration(&Deregistration::Keys(first, keys.collect::<Result<_, FidoError>>()?))
            .to_message();
        Ok(UafRequest { message, operation: Operation::Dereg, lifetime_millis: None })
    }

    /// Whether the user has a key that was not given up. One of a revoked model was, on purpose. One of a model that is not
    /// known may be of use again, so whoever has nothing but the password does not get past it meanwhile.
    pub(super) async fn has_key(&self, user: &Subject) -> Result<bool, StoreError> {
        Ok(self.guards_among(user, &self.credentials.list(&user.ext_id).await?))
    }

    /// The keys of the user, all of which were given up: else no first one can be registered beside them.
    pub(super) async fn given_up(&self, user: &Subject) -> Result<BTreeSet<CredentialKey>, FidoError> {
        let records = self.credentials.list(&user.ext_id).await?;
        if self.guards_among(user, &records) {
            return Err(self.folded(refuse_unkept(CredentialError::NotFirst)));
        }
        Ok(records.into_iter().map(|record| record.key).collect())
    }

    fn guards_among(&self, user: &Subject, records: &[store::Credential]) -> bool {
        let of_model = |aaid: &str| {
            let aaid = aaid.parse().ok()?;
            Some(self.relying_party.check_model(aaid))
        };
        let worth: Vec<_> = records.iter().map(|record| (record.key.aaid(), of_model(record.key.aaid()))).collect();
        if worth.iter().any(|(_, worth)| *worth == Some(Ok(()))) {
            return true;
        }
        let unknown = worth.iter().find(|(_, worth)| *worth != Some(Err(Error::ModelRevoked)));
        if let Some((aaid, _)) = unknown {
            tracing::warn!(
                user = user.ext_id.as_str(),
                aaid,
                "the user can't log in with a key, nor register another one without: its model is not known. Add its \
                 statement to fido-uaf.metadata, or name it under revoked"
            );
        }
        unknown.is_some()
    }

    async fn keys_of(&self, user: &Subject) -> Result<Vec<Credential>, FidoError> {
        self.credentials.list(&user.ext_id).await?.iter().map(credential::from_record).collect()
    }

    fn policy(&self, name: &str) -> Result<&Policy, FidoError> {
        self.policies.get(name).ok_or_else(|| internal(&"a policy is gone that was there when the token was made"))
    }

    fn start<'a>(&self, id: &'a str, purpose: Purpose) -> Result<Start<'a>, FidoError> {
        let challenge = jose::random::<32>().map_err(|error| internal(&error))?;
        Ok(Start {
            operation_id: id,
            // An answer to one purpose can't be moved to another.
            purpose: purpose.word(),
            challenge: Challenge::new(challenge).map_err(|error| internal(&error))?,
            expires_at: unix(self.clock.now().after(self.settings.answer)),
        })
    }

    fn request_of(&self, message: String, operation: Operation) -> UafRequest {
        let lifetime = u64::try_from(self.settings.answer.as_millis()).unwrap_or(u64::MAX);
        UafRequest { message, operation, lifetime_millis: Some(lifetime) }
    }
}

/// A name that no request can hold is the user's lot, and no fault of the server.
fn not_begun(user: &Subject, error: &StartError) -> FidoError {
    if *error != StartError::Username {
        return internal(error);
    }
    tracing::warn!(
        user = user.ext_id.as_str(),
        "the user can't register a key: {error}. Add a user with a shorter name in place of this one"
    );
    FidoError::Refused(StatusCode::FORBIDDEN)
}
