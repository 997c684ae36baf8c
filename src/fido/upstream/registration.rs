//! A registration: its keys are written down before the upstream hears of them, and count only once it took them and the
//! operation succeeded. However it ends, by a lost verdict or with this process, no key is usable that was not confirmed.

use sidegate_uaf::{Error, StatusCode};

use super::super::credential::{of_upstream, record_key, refuse_unkept, shown};
use super::super::{Answered, FidoError, Scope, Subject};
use super::Upstream;
use super::answer::{Taken, Verdict, refused};
use crate::store::credentials::Behind;
use crate::store::{Credential, CredentialError, CredentialKey, Removal};
use crate::telemetry::audit::{Change, Event};

impl Upstream {
    pub(super) async fn register(&self, taken: &Taken<'_>, user: Subject) -> Result<Answered, FidoError> {
        let records = match self.expect(taken, &user).await {
            Ok(records) => records,
            Err(fault) => return Err(taken.fail(fault).await),
        };
        match taken.verdict().await {
            Verdict::Good => self.accept(taken, user, &records).await,
            Verdict::Refused(fault) => {
                self.expect_no_more(&user, &records).await;
                Err(taken.fail(fault).await)
            }
            Verdict::Unknown(fault) => {
                for record in &records {
                    Event::VerdictUnknown { user: user.ext_id.as_str(), aaid: record.key.aaid() }.record();
                }
                let fault = taken.fail(fault).await;
                self.take_back(taken, &user, &records).await;
                Err(fault)
            }
        }
    }

    /// Writes the new keys down, unconfirmed, all of them or none. One that is known already registers for nobody.
    async fn expect(&self, taken: &Taken<'_>, user: &Subject) -> Result<Vec<Credential>, FidoError> {
        let mut records = Vec::with_capacity(taken.keys.len());
        for key in taken.keys {
            match self.credentials.get(&record_key(key)).await? {
                Some(record) if record.owner != user.ext_id => return Err(refused(&Error::KeyOfAnotherUser)),
                Some(_) => return Err(refused(&Error::AlreadyRegistered)),
                None => {}
            }
            let app_id = taken.issue.app_id().map(|app_id| app_id.as_str().to_owned());
            let behind = Behind { app_id, confirmed: false };
            records.push(of_upstream(key, user, taken.incoming.reply(), behind, self.clock.now()));
        }
        self.credentials.add_all(records.clone()).await.map_err(refuse_unkept)?;
        Ok(records)
    }

    /// What comes to nothing here leaves no key over there either.
    async fn accept(&self, taken: &Taken<'_>, user: Subject, records: &[Credential]) -> Result<Answered, FidoError> {
        let accepted = self.confirm(taken, &user, records).await;
        if accepted.is_err() {
            self.take_back(taken, &user, records).await;
        }
        accepted
    }

    /// The operation succeeds before its keys count: one that ended meanwhile leaves none. With a key that was
    /// deregistered while the upstream judged it does not succeed.
    async fn confirm(&self, taken: &Taken<'_>, user: &Subject, records: &[Credential]) -> Result<Answered, FidoError> {
        if let Err(fault) = self.still_expected(records).await {
            return Err(taken.fail(fault).await);
        }
        let (id, authenticators) = (taken.operation.id, records.iter().map(shown).collect());
        let answered = Answered { id, user: Some(user.clone()), authenticators };
        taken.conclusion.succeed(&answered).await?;
        let keys: Vec<CredentialKey> = records.iter().map(|record| record.key.clone()).collect();
        if !self.credentials.confirm(&user.ext_id, &keys).await? {
            return Err(deregistered());
        }
        for key in &keys {
            let (change, user) = (Change::Added, user.ext_id.as_str());
            Event::Credential { change, user, aaid: key.aaid() }.record();
        }
        Ok(answered)
    }

    async fn still_expected(&self, records: &[Credential]) -> Result<(), FidoError> {
        for record in records {
            if self.credentials.get(&record.key).await?.as_ref() != Some(record) {
                return Err(deregistered());
            }
        }
        Ok(())
    }

    /// The upstream did not take them. What can't be removed stays unconfirmed.
    async fn expect_no_more(&self, user: &Subject, records: &[Credential]) {
        for record in records {
            if let Err(error) = self.credentials.remove(&user.ext_id, &Removal::Key(record.key.clone())).await {
                tracing::warn!(%error, "a key that was not registered stays on record, unconfirmed");
            }
        }
    }

    /// A registration that came to nothing here must not leave keys over there. Only who removed one can tell that it is
    /// gone: an upstream that does not know it may still be busy with it. So it stays on record, and is refused; one that was
    /// deregistered meanwhile comes back on it until then.
    async fn take_back(&self, taken: &Taken<'_>, user: &Subject, records: &[Credential]) {
        for record in records {
            match self.credentials.add_all(vec![record.clone()]).await {
                Ok(()) | Err(CredentialError::Registered) => {}
                Err(error) => tracing::warn!(%error, "a key whose registration failed is not on record"),
            }
        }
        for key in taken.keys {
            let scope = Scope::Key(key.clone());
            let removed = match self.remove_there(taken.place, user, &scope).await {
                Ok(_) => self.forget(user, &scope).await.map_err(FidoError::from),
                Err(fault) => Err(fault),
            };
            if let Err(error) = removed {
                let (change, user, aaid) = (Change::Doubted, user.ext_id.as_str(), key.aaid.as_str());
                tracing::warn!(%error, user, aaid, "a key whose registration failed may be with the UAF upstream");
                Event::Credential { change, user, aaid }.record();
            }
        }
    }
}

/// Whether the upstream removed the key before it took it or after is not known here, so the phone begins anew.
fn deregistered() -> FidoError {
    tracing::warn!("a key was deregistered while the UAF upstream judged its registration");
    FidoError::Refused(StatusCode::INTERNAL)
}
