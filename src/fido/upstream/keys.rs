//! Whose keys the upstream is known to have: (AAID, key id) of registrations and authentications that were good through
//! this gateway. Whether a key signs well only the upstream can tell.

use std::time::Duration;

use sidegate_filters::clock::Millis;
use sidegate_uaf::deregistration::Deregistration;
use sidegate_uaf::relay::Issue;
use sidegate_uaf::wire::{AppId, Reply};
use sidegate_uaf::{Error, KeyRef};

use super::super::credential::{key_ref, of_upstream, record_key, refuse_unkept, shown};
use super::super::{FidoError, Scope, Subject};
use super::Upstream;
use super::answer::refused;
use crate::store::keys_behind::in_the_way;
use crate::store::operation::Authenticator;
use crate::store::{CredentialError, CredentialKey, KeyBehind, Retired, Standing, StoreError};
use crate::telemetry::audit::{Change, Event};

/// So old a key whose registration failed has to be before it gives its place to another.
const GIVES_WAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Bytes that a key id has at least (`uaf.md` A1).
const SHORTEST_KEY_ID: usize = 32;

impl Upstream {
    /// Whether the user has a key that counts.
    pub(super) async fn has_key(&self, user: &Subject) -> Result<bool, StoreError> {
        Ok(self.keys.of_owner(&user.ext_id).await?.iter().any(KeyBehind::is_confirmed))
    }

    /// Before a registration begins: the upstream need not keep what we would not. How long the id of the new key will be is
    /// not known yet.
    pub(super) async fn may_have_another(&self, user: &Subject) -> Result<(), FidoError> {
        self.make_way(user, &[CredentialKey::new("", [0; SHORTEST_KEY_ID])]).await
    }

    /// Where there is no room for these keys of the user, old ones whose registration failed give theirs.
    pub(super) async fn make_way(&self, user: &Subject, new: &[CredentialKey]) -> Result<(), FidoError> {
        let (records, old) = (self.keys.of_owner(&user.ext_id).await?, before(self.clock.now(), GIVES_WAY));
        let given_up = in_the_way(&records, new, old).ok_or_else(|| refuse_unkept(CredentialError::TooMany))?;
        if given_up.is_empty() {
            return Ok(());
        }
        for record in &given_up {
            let (user, aaid) = (user.ext_id.as_str(), record.key.aaid());
            tracing::warn!(
                user,
                aaid,
                "an old key whose registration failed is refused no longer: others need its place"
            );
        }
        Ok(self.keys.withdraw(&given_up).await?)
    }

    /// The keys on record of those that answer, and the others. One of this user whose registration was never confirmed is
    /// refused, whatever the upstream would say; what others have of it tells nothing of this user.
    pub(super) async fn known(
        &self,
        keys: &[KeyRef],
        user: Option<&Subject>,
    ) -> Result<(Vec<Authenticator>, Vec<KeyRef>), FidoError> {
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for key in keys {
            let records = self.keys.of_key(&record_key(key)).await?;
            let Some(user) = user else {
                // Who answered is not known here, so neither are the keys.
                if !records.is_empty() && !records.iter().any(KeyBehind::is_confirmed) {
                    return Err(refused(&Error::KeyUnknown { user_is_real: false }));
                }
                continue;
            };
            match records.iter().find(|record| record.owner == user.ext_id) {
                None => new.push(key.clone()),
                Some(own) if own.is_confirmed() => known.push(shown(&own.key, &own.ext_id)),
                Some(_) => return Err(refused(&Error::KeyUnknown { user_is_real: true })),
            }
        }
        Ok((known, new))
    }

    /// Keeps keys that a user has shown for the first time. The answer is good without that, and what is not kept is not
    /// named; one that came on record meanwhile is judged as if it had been there.
    pub(super) async fn learn(
        &self,
        user: &Subject,
        keys: &[KeyRef],
        issue: &Issue,
    ) -> Result<Vec<Authenticator>, FidoError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        // What a phone says of itself counts when it registers.
        let record = |key| of_upstream(key, user, &Reply::default(), issue, Standing::Confirmed, self.clock.now());
        let records: Vec<KeyBehind> = keys.iter().map(record).collect();
        match self.keys.learn(records.clone()).await {
            Ok(()) => {
                for record in &records {
                    let (change, user) = (Change::Added, user.ext_id.as_str());
                    Event::Credential { change, user, aaid: record.key.aaid() }.record();
                }
                Ok(records.iter().map(|record| shown(&record.key, &record.ext_id)).collect())
            }
            Err(CredentialError::Registered) => Ok(self.known(keys, Some(user)).await?.0),
            Err(error) => {
                tracing::warn!(%error, "a key that the UAF upstream has is not kept on record");
                Ok(Vec::new())
            }
        }
    }

    /// The keys are gone; of those that were never confirmed, the ones of before `settled`.
    pub(super) async fn retire(&self, user: &Subject, scope: &Scope, settled: Millis) -> Result<Retired, StoreError> {
        let retired = self.keys.retire(&user.ext_id, &scope.into(), settled).await?;
        for record in &retired.gone {
            let (change, user) = (Change::Removed, user.ext_id.as_str());
            Event::Credential { change, user, aaid: record.key.aaid() }.record();
        }
        Ok(retired)
    }
}

/// The keys that were retired, the doubted ones among them, with the application that they are for; none where that is not
/// known.
pub(super) fn named(retired: &Retired) -> Result<Option<(AppId, Deregistration)>, FidoError> {
    let records = || retired.gone.iter().chain(&retired.doubted);
    let app_id = records().find_map(|record| record.app_id.clone());
    let Some(app_id) = app_id.and_then(|text| AppId::new(text).ok()) else { return Ok(None) };
    let mut keys = records().map(key_ref);
    let Some(first) = keys.next().transpose()? else { return Ok(None) };
    Ok(Some((app_id, Deregistration::Keys(first, keys.collect::<Result<_, _>>()?))))
}

/// That long before.
pub(super) fn before(now: Millis, span: Duration) -> Millis {
    Millis(now.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
}
