//! Whose keys the upstream is known to have: (AAID, key id) of registrations and authentications that were good through
//! this gateway. Whether a key signs well only the upstream can tell.

use sidegate_uaf::wire::Reply;
use sidegate_uaf::{Error, KeyRef, StatusCode};

use super::super::credential::{of_upstream, record_key, shown};
use super::super::{FidoError, Scope, Subject};
use super::Upstream;
use super::answer::refused;
use crate::store::credentials::CREDENTIALS_PER_OWNER;
use crate::store::operation::Authenticator;
use crate::store::{Credential, CredentialError, CredentialKey, Removal, StoreError};
use crate::telemetry::audit::{Change, Event};

impl Upstream {
    /// Before a registration begins: the upstream need not keep what we would not.
    pub(super) async fn may_have_another(&self, user: &Subject) -> Result<(), FidoError> {
        if self.credentials.list(&user.ext_id).await?.len() < CREDENTIALS_PER_OWNER {
            return Ok(());
        }
        tracing::info!("a UAF registration is refused: {}", CredentialError::TooMany);
        Err(FidoError::Refused(StatusCode::FORBIDDEN))
    }

    /// Keys that a user has registered or shown: those not known yet are kept, all of them or none. One that is another
    /// user's here is not believed to have changed hands.
    pub(super) async fn learn(
        &self,
        user: &Subject,
        keys: &[KeyRef],
        reply: &Reply,
    ) -> Result<Vec<Authenticator>, FidoError> {
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for key in keys {
            match self.credentials.get(&record_key(key)).await? {
                Some(record) if record.owner == user.ext_id => known.push(shown(&record)),
                Some(_) => return Err(refused(&Error::KeyOfAnotherUser)),
                None => new.push(of_upstream(key, user, reply, self.clock.now())),
            }
        }
        known.extend(new.iter().map(shown));
        self.add(user, new).await?;
        Ok(known)
    }

    async fn add(&self, user: &Subject, records: Vec<Credential>) -> Result<(), FidoError> {
        if records.is_empty() {
            return Ok(());
        }
        self.credentials.add_all(records.clone()).await.map_err(|error| match error {
            CredentialError::Registered => refused(&Error::AlreadyRegistered),
            CredentialError::TooMany => FidoError::Refused(StatusCode::FORBIDDEN),
            CredentialError::Store(error) => FidoError::Store(error),
        })?;
        for record in &records {
            let (change, user) = (Change::Added, user.ext_id.as_str());
            Event::Credential { change, user, aaid: record.key.aaid() }.record();
        }
        Ok(())
    }

    /// The keys are gone.
    pub(super) async fn forget(&self, user: &Subject, scope: &Scope) -> Result<(), StoreError> {
        let removal = match scope {
            Scope::User => Removal::All,
            Scope::Model(aaid) => Removal::Model(aaid.as_str().to_owned()),
            Scope::Key(key) => Removal::Key(record_key(key)),
        };
        let removed: Vec<CredentialKey> = self.credentials.remove(&user.ext_id, &removal).await?;
        for key in removed {
            let (change, user) = (Change::Removed, user.ext_id.as_str());
            Event::Credential { change, user, aaid: key.aaid() }.record();
        }
        Ok(())
    }
}
