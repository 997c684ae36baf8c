//! What outlives a configuration (`gateway.md` 6.3): what failed is not forgotten by a reload, what was used stays used, and
//! servers that are still configured keep their connections and their outages.
//!
//! A composition takes from here what the one before made, or makes it. Nothing here gives anybody a right: rights come
//! from the configuration alone, and what belongs to a key or name that is no longer in it is not asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use sidegate_filters::clock::Millis;
use sidegate_filters::jws_bypass::Uses;
use sidegate_filters::rate::Rate;
use sidegate_filters::rate_limit::RateLimit;

use crate::dispatchers::Recipients;
use crate::fido::{Endpoint, Named};
use crate::identity::jwt::IssuerKeys;
use crate::identity::{PasswordRealm, SessionTokens, Throttle};
use crate::routes::Upstream;

use super::gate::KeySetOf;
use super::services::upstream::Asked;

/// What one gateway has from its start to its end, beside its stores.
#[derive(Default)]
pub(super) struct Lasting {
    /// The realm of passwords that was made first: those after it share its throttle and its queue.
    pub(super) password: OnceLock<Arc<PasswordRealm>>,
    pub(super) uaf_throttle: OnceLock<Arc<Throttle>>,
    pub(super) session_tokens: OnceLock<Arc<SessionTokens>>,
    /// Whom the UAF server behind named keys for.
    pub(super) named: Named,
    /// Keys to encrypt for, imported.
    pub(super) recipients: Recipients,
    uses: Mutex<BTreeMap<String, Arc<Uses>>>,
    published: Mutex<BTreeMap<String, Millis>>,
    upstreams: Mutex<BTreeMap<String, Arc<Upstream>>>,
    asked: Mutex<Option<(Asked, Endpoint)>>,
    issuers: Mutex<BTreeMap<String, (KeySetOf, IssuerKeys)>>,
    rates: Mutex<BTreeMap<String, (RateLimit, Arc<Rate>)>>,
}

impl Lasting {
    /// What is remembered of the targets of this server, `host:port`; of our own where it is empty.
    pub(super) fn uses(&self, server: &str, make: impl FnOnce() -> Uses) -> Arc<Uses> {
        held(&self.uses).entry(server.to_owned()).or_insert_with(|| Arc::new(make())).clone()
    }

    /// Since when this key for SecTokens is published.
    pub(super) fn published(&self, kid: &str, now: Millis) -> Millis {
        *held(&self.published).entry(kid.to_owned()).or_insert(now)
    }

    /// The upstream of this name as it was composed last.
    pub(super) fn upstream(&self, name: &str) -> Option<Arc<Upstream>> {
        held(&self.upstreams).get(name).cloned()
    }

    /// Keeps these upstreams and forgets all others.
    pub(super) fn keep_upstreams<'a>(&self, upstreams: impl Iterator<Item = &'a Arc<Upstream>>) {
        *held(&self.upstreams) = upstreams.map(|upstream| (upstream.name.clone(), upstream.clone())).collect();
    }

    /// What the rate-limits of these names count in: what is there, where the limit is still the same. All others are
    /// forgotten.
    pub(super) fn rates<'c>(
        &self,
        wanted: impl Iterator<Item = (&'c str, &'c RateLimit)>,
        make: impl Fn(&RateLimit) -> Rate,
    ) -> BTreeMap<&'c str, Arc<Rate>> {
        let mut last = held(&self.rates);
        let rate = |name: &str, limit: &RateLimit| {
            let before = last.get(name).filter(|(before, _)| before == limit).map(|(_, rate)| rate.clone());
            before.unwrap_or_else(|| Arc::new(make(limit)))
        };
        let rates: BTreeMap<_, _> = wanted.map(|(name, limit)| (name, (limit, rate(name, limit)))).collect();
        let kept = rates.iter().map(|(name, (limit, rate))| ((*name).to_owned(), ((*limit).clone(), rate.clone())));
        *last = kept.collect();
        rates.into_iter().map(|(name, (_, rate))| (name, rate)).collect()
    }

    /// The keys of a realm's token issuer: what is known of them, if they are read from the same place in the same way.
    /// A reload while that place is out of reach takes nothing away.
    pub(super) fn issuer_keys<E>(
        &self,
        realm: &str,
        wanted: KeySetOf,
        make: impl FnOnce(&KeySetOf) -> Result<IssuerKeys, E>,
    ) -> Result<IssuerKeys, E> {
        let mut issuers = held(&self.issuers);
        let key = format!("{realm} {}", wanted.issuer);
        if let Some((_, keys)) = issuers.get(&key).filter(|(before, _)| *before == wanted) {
            return Ok(keys.clone());
        }
        let keys = make(&wanted)?;
        issuers.insert(key, (wanted, keys.clone()));
        Ok(keys)
    }

    /// The client of the UAF server behind: the one that is there, if it is asked in just this way.
    pub(super) fn endpoint<E>(
        &self,
        asked: Asked,
        make: impl FnOnce(&Asked) -> Result<Endpoint, E>,
    ) -> Result<Endpoint, E> {
        let mut last = held(&self.asked);
        if let Some((_, endpoint)) = last.as_ref().filter(|(before, _)| *before == asked) {
            return Ok(endpoint.clone());
        }
        let endpoint = make(&asked)?;
        *last = Some((asked, endpoint.clone()));
        Ok(endpoint)
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
