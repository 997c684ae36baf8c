//! A registration: its keys are written down before the upstream hears of them, and count only once it took them. However it
//! ends, by a lost verdict or with this process, no key is usable that was not confirmed.

use std::collections::BTreeSet;

use sidegate_uaf::{Error, KeyRef, StatusCode};

use super::super::credential::{of_upstream, record_key, refuse_unkept, shown};
use super::super::{Answered, FidoError, Subject};
use super::Upstream;
use super::answer::{Taken, refused};
use super::verdict::Verdict;
use crate::store::{CredentialError, CredentialKey, KeyBehind, Standing, StoreError};
use crate::telemetry::audit::{Change, Event};

/// What a registration is about to add.
struct Expected {
    records: Vec<KeyBehind>,
    /// Whether a registration of one of them failed before: a refusal now tells nothing of that one.
    again: bool,
}

impl Upstream {
    pub(super) async fn register(&self, taken: &Taken<'_>, user: Subject) -> Result<Answered, FidoError> {
        let expected = match self.expect(taken, &user).await {
            Ok(expected) => expected,
            Err(fault) => return Err(taken.fail(fault).await),
        };
        let records = &expected.records;
        match taken.verdict().await {
            Verdict::Good => self.accept(taken, user, records).await,
            Verdict::Refused(fault) => {
                self.expect_no_more(&expected).await;
                Err(taken.fail(fault).await)
            }
            Verdict::Unknown(fault) => {
                for record in records {
                    Event::VerdictUnknown { user: user.ext_id.as_str(), aaid: record.key.aaid() }.record();
                }
                self.disown(&user, records, taken.place).await;
                Err(taken.fail(fault).await)
            }
        }
    }

    /// Writes the new keys down, unconfirmed, all of them or none. One that is somebody's already registers for nobody.
    async fn expect(&self, taken: &Taken<'_>, user: &Subject) -> Result<Expected, FidoError> {
        self.check_first(taken, user).await?;
        let (mut records, mut again) = (Vec::with_capacity(taken.keys.len()), false);
        for key in taken.keys {
            if self.is_anothers(&record_key(key), user).await? {
                return Err(refused(&Error::KeyOfAnotherUser));
            }
            again |= self.failed_before(key, user).await?;
            let (reply, now) = (taken.incoming.reply(), self.clock.now());
            records.push(of_upstream(key, user, reply, taken.issue, Standing::Expected, now));
        }
        self.make_way(user, &records.iter().map(|record| record.key.clone()).collect::<Vec<_>>()).await?;
        self.keys.expect(records.clone()).await.map_err(refuse_unkept)?;
        Ok(Expected { records, again })
    }

    /// Whether the upstream named this key for another user, or took it for one. Key ids are told to whoever asks for a
    /// login, so a copy of one must neither get there nor be removed there in another's name.
    pub(super) async fn is_anothers(&self, key: &CredentialKey, user: &Subject) -> Result<bool, StoreError> {
        let of_another = |record: &KeyBehind| record.is_confirmed() && record.owner != user.ext_id;
        Ok(self.named.is_anothers(key, &user.ext_id) || self.keys.of_key(key).await?.iter().any(of_another))
    }

    /// Whether a registration of this key failed, and none is under way.
    async fn failed_before(&self, key: &KeyRef, user: &Subject) -> Result<bool, FidoError> {
        let records = self.keys.of_key(&record_key(key)).await?;
        match records.iter().find(|record| record.owner == user.ext_id) {
            Some(own) if !own.is_doubted() => Err(refused(&Error::AlreadyRegistered)),
            own => Ok(own.is_some()),
        }
    }

    /// What comes to nothing here leaves no key over there either.
    async fn accept(&self, taken: &Taken<'_>, user: Subject, records: &[KeyBehind]) -> Result<Answered, FidoError> {
        let accepted = self.confirm(taken, &user, records).await;
        if accepted.is_err() {
            self.disown(&user, records, taken.place).await;
        }
        accepted
    }

    /// The keys count before the operation succeeds: it never says so of a key that does not. One that was deregistered while
    /// the upstream judged it is confirmed no more; those of an operation that ended meanwhile count for a moment.
    async fn confirm(&self, taken: &Taken<'_>, user: &Subject, records: &[KeyBehind]) -> Result<Answered, FidoError> {
        if let Err(fault) = self.count(taken, user, records).await {
            return Err(taken.fail(fault).await);
        }
        let (id, keys) = (taken.operation.id, records.iter().map(|record| shown(&record.key, &record.ext_id)));
        let answered =
            Answered { id, user: Some(user.clone()), authenticators: keys.collect(), confirmed: BTreeSet::new() };
        taken.conclusion.succeed(&answered).await?;
        for record in records {
            let (change, user) = (Change::Added, user.ext_id.as_str());
            Event::Credential { change, user, aaid: record.key.aaid() }.record();
        }
        Ok(answered)
    }

    /// What may have ended while the upstream judged is looked at once more.
    async fn count(&self, taken: &Taken<'_>, user: &Subject, records: &[KeyBehind]) -> Result<(), FidoError> {
        self.eras.check(taken.operation).await?;
        if self.keys.confirm(records, taken.operation.is_for_first_key()).await? {
            // Whatever ended the session that began it a moment before did not see the keys.
            return Ok(self.eras.check(taken.operation).await?);
        }
        self.check_first(taken, user).await?;
        Err(deregistered())
    }

    /// Where this was to be the user's first key, there is none yet.
    async fn check_first(&self, taken: &Taken<'_>, user: &Subject) -> Result<(), FidoError> {
        if taken.operation.is_for_first_key() && self.has_key(user).await? {
            return Err(refuse_unkept(CredentialError::NotFirst));
        }
        Ok(())
    }

    /// The upstream did not take them. What can't be removed stays unconfirmed, as does what it may have since before.
    async fn expect_no_more(&self, expected: &Expected) {
        if expected.again {
            self.doubt(&expected.records).await;
        } else if let Err(error) = self.keys.withdraw(&expected.records).await {
            tracing::warn!(%error, "a key that was not registered stays on record, unconfirmed");
        }
    }
}

/// Whether the upstream removed the key before it took it or after is not known here, so the phone begins anew.
fn deregistered() -> FidoError {
    tracing::warn!("a key was deregistered while the UAF upstream judged its registration");
    FidoError::Refused(StatusCode::INTERNAL)
}
