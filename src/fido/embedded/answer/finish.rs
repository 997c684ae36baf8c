//! The checks of a taken answer, and what a good one leaves in the stores.

use std::collections::BTreeSet;

use sidegate_uaf::authentication::{AuthenticationOutcome, AuthenticationState, VerifiedKey};
use sidegate_uaf::registration::{RegistrationOutcome, RegistrationState};
use sidegate_uaf::{Arrival, Credential, Error, KeyRef, Opened};

use super::super::super::{FidoError, Subject};
use super::super::credential::{record_key, refuse_unkept};
use super::super::{Embedded, Kept, credential, unix};
use super::Finished;
use crate::store::operation::{Authenticator, ChallengeState};
use crate::store::{CounterError, ExtId, Operation};
use crate::telemetry::audit::{Change, Event};

impl Embedded {
    pub(super) async fn finish(
        &self,
        asked: &Operation,
        state: &ChallengeState,
        opened: &Opened,
    ) -> Result<Finished, FidoError> {
        match Kept::read(state)? {
            Kept::Registration(state) => self.finish_registration(asked, &state, opened).await,
            Kept::Authentication(state) => self.finish_authentication(&state, opened).await,
        }
    }

    async fn finish_registration(
        &self,
        asked: &Operation,
        state: &RegistrationState,
        opened: &Opened,
    ) -> Result<Finished, FidoError> {
        let mut known = self.records(opened).await?;
        // A decoy is taken, as the key that it is to be mistaken for would be.
        known.extend(self.decoys_among(opened, "")?);
        let registered: Vec<KeyRef> = known.iter().map(Credential::key_ref).collect();
        let outcome = self.relying_party.finish_registration(state, opened, &registered, &self.arrival());
        let credentials = match outcome.map_err(|error| self.refuse_from(opened, &error))? {
            RegistrationOutcome::Denied(denial) => return Ok(Finished::Denied(denial)),
            RegistrationOutcome::Registered { credentials, skipped } => {
                for reason in skipped {
                    tracing::info!(%reason, "an assertion of a UAF registration is passed over beside a good one");
                }
                credentials
            }
        };
        let owner = credentials.first().map_or("", |credential| credential.user.as_str());
        let user = self.existing(owner).await?.ok_or_else(|| self.refuse(&Error::UserNotAuthenticated))?;
        self.eras.check(asked).await?;
        let records: Vec<_> = credentials
            .iter()
            .map(|credential| credential::to_record(credential, opened.reply(), self.clock.now()))
            .collect();
        let beside = if asked.is_for_first_key() { Some(self.given_up(&user).await?) } else { None };
        let kept = self.credentials.add_all(records.clone(), beside).await;
        kept.map_err(|error| self.folded(refuse_unkept(error)))?;
        for record in &records {
            let (change, user) = (Change::Added, record.owner.as_str());
            Event::Credential { change, user, aaid: record.key.aaid() }.record();
        }
        let authenticators = records.iter().map(|record| credential::shown(&record.key, &record.ext_id)).collect();
        let added = records.into_iter().map(|record| record.key).collect();
        Ok(Finished::Good { user, authenticators, confirmed: BTreeSet::new(), added })
    }

    async fn finish_authentication(&self, state: &AuthenticationState, opened: &Opened) -> Result<Finished, FidoError> {
        let mut credentials = self.records(opened).await?;
        if let Some(user) = state.decoyed() {
            credentials.extend(self.decoys_among(opened, user)?);
        }
        let outcome = self.relying_party.finish_authentication(state, opened, &credentials, &self.arrival());
        let (user, keys) = match outcome.map_err(|error| self.refuse_from(opened, &error))? {
            AuthenticationOutcome::Denied(denial) => return Ok(Finished::Denied(denial)),
            AuthenticationOutcome::Authenticated { user, keys } => (user, keys),
        };
        let unknown = || self.refuse(&Error::KeyUnknown { user_is_real: false });
        let user = self.existing(&user).await?.ok_or_else(unknown)?;
        let confirmed = keys.iter().filter_map(|key| key.confirmed).collect();
        Ok(Finished::Good { user, authenticators: self.advance(&keys).await?, confirmed, added: Vec::new() })
    }

    /// The store compares once more: of two answers with one counter only one counts.
    async fn advance(&self, verified: &[VerifiedKey]) -> Result<Vec<Authenticator>, FidoError> {
        let received: Vec<_> = verified.iter().map(|key| (record_key(&key.key), key.counter)).collect();
        let ext_ids = self.credentials.advance_all(&received, self.clock.now()).await.map_err(|error| match error {
            CounterError::NotAdvanced => self.refuse(&Error::SignCounter),
            CounterError::NotFound => self.refuse(&Error::KeyUnknown { user_is_real: false }),
            CounterError::Store(error) => FidoError::Store(error),
        })?;
        Ok(received.iter().zip(&ext_ids).map(|((key, _), ext_id)| credential::shown(key, ext_id)).collect())
    }

    /// The credentials that the answer is about, whoever owns them.
    async fn records(&self, opened: &Opened) -> Result<Vec<Credential>, FidoError> {
        let mut found = Vec::new();
        for key in opened.keys() {
            if let Some(record) = self.credentials.get(&record_key(key)).await? {
                found.push(credential::from_record(&record)?);
            }
        }
        Ok(found)
    }

    /// The decoys that the answer is about, as keys of this user.
    fn decoys_among(&self, opened: &Opened, user: &str) -> Result<Vec<Credential>, FidoError> {
        let Some(decoys) = &self.decoys else { return Ok(Vec::new()) };
        decoys.among(opened, user).map_err(|error| self.refuse(&error))
    }

    async fn existing(&self, ext_id: &str) -> Result<Option<Subject>, FidoError> {
        let user = self.users.by_ext_id(&ExtId::from(ext_id)).await?;
        Ok(user.as_ref().map(Subject::from))
    }

    /// A facet that is not listed is logged ready to paste: it is the most frequent fault of a new set-up.
    fn refuse_from(&self, opened: &Opened, error: &Error) -> FidoError {
        if *error == Error::UntrustedFacet {
            tracing::warn!(facet = opened.facet_id(), "an answer came from a facet that fido-uaf.facets does not list");
        }
        self.refuse(error)
    }

    fn arrival(&self) -> Arrival<'_> {
        Arrival { now: unix(self.clock.now()), channels: &self.channels }
    }
}
