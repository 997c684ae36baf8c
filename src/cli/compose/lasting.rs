//! What outlives a configuration (`gateway.md` 6.3): what failed is not forgotten by a reload, what was used stays used, and
//! servers that are still configured keep their connections and their outages.
//!
//! A composition takes from here what the one that is served made, or makes it; what it has counts once it is served
//! ([`Lasting::keep`]), and one that is not leaves everything as it was. Nothing here gives anybody a right: rights come
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
use crate::identity::{PasswordRealm, SessionTokens, Throttle, forward};
use crate::jose::MacKey;
use crate::routes::Upstream;
use crate::seats::Seats;
use crate::store::OperationId;

use super::gate::KeySetOf;
use super::services::upstream::Asked;

/// What one gateway has from its start to its end, beside its stores.
#[derive(Default)]
pub(super) struct Lasting {
    /// The realm of passwords that was made first: those after it share its throttle and its queue.
    pub(super) password: OnceLock<Arc<PasswordRealm>>,
    pub(super) uaf_throttle: OnceLock<Arc<Throttle>>,
    /// Of all realms whose users a service knows.
    pub(super) forward: OnceLock<forward::Memory>,
    pub(super) session_tokens: OnceLock<Arc<SessionTokens>>,
    /// Whom the UAF server behind named keys for.
    pub(super) named: Named,
    /// Keys to encrypt for, imported.
    pub(super) recipients: Recipients,
    /// By which the log calls operations; a trial of a configuration has another one, and serves nothing.
    pub(super) log_key: OnceLock<MacKey>,
    turns: Mutex<Turns>,
}

#[derive(Default)]
struct Turns {
    served: Parts,
    /// What is put together.
    next: Parts,
}

/// What one composition has.
#[derive(Default)]
struct Parts {
    uses: BTreeMap<String, Arc<Uses>>,
    published: BTreeMap<String, Millis>,
    upstreams: BTreeMap<String, Arc<Upstream>>,
    asked: Option<(Asked, Endpoint)>,
    issuers: Vec<(KeySetOf, IssuerKeys)>,
    rates: BTreeMap<String, (RateLimit, Arc<Rate>)>,
    seats: BTreeMap<String, Arc<Seats>>,
}

impl Lasting {
    /// A composition begins. What the one before it had is forgotten, if that was not served.
    pub(super) fn begin(&self) {
        self.turns().next = Parts::default();
    }

    /// The composition that was made last is served from now on. What was used stays used, whether or not its server is
    /// still in the configuration: it may be again.
    pub(super) fn keep(&self) {
        if let Some(key) = self.log_key.get() {
            OperationId::name_in_log_by(key);
        }
        let mut turns = self.turns();
        let next = std::mem::take(&mut turns.next);
        let before = std::mem::replace(&mut turns.served, next);
        for (server, uses) in before.uses {
            turns.served.uses.entry(server).or_insert(uses);
        }
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered of the targets of this server, `host:port`; of our own where it is empty.
    pub(super) fn uses(&self, server: &str, make: impl FnOnce() -> Uses) -> Arc<Uses> {
        let Turns { served, next } = &mut *self.turns();
        let made = || served.uses.get(server).cloned().unwrap_or_else(|| Arc::new(make()));
        next.uses.entry(server.to_owned()).or_insert_with(made).clone()
    }

    /// Since when this key for SecTokens is published.
    pub(super) fn published(&self, kid: &str, now: Millis) -> Millis {
        let Turns { served, next } = &mut *self.turns();
        let since = served.published.get(kid).copied().unwrap_or(now);
        *next.published.entry(kid.to_owned()).or_insert(since)
    }

    /// The upstream of this name as it is served.
    pub(super) fn upstream(&self, name: &str) -> Option<Arc<Upstream>> {
        self.turns().served.upstreams.get(name).cloned()
    }

    /// Those of the questions to this realm's service: what is still asked for the configuration before has its own there.
    pub(super) fn seats(&self, realm: &str, make: impl FnOnce() -> Arc<Seats>) -> Arc<Seats> {
        let Turns { served, next } = &mut *self.turns();
        let made = || served.seats.get(realm).cloned().unwrap_or_else(make);
        next.seats.entry(realm.to_owned()).or_insert_with(made).clone()
    }

    /// These are those of the composition.
    pub(super) fn set_upstreams<'a>(&self, upstreams: impl Iterator<Item = &'a Arc<Upstream>>) {
        self.turns().next.upstreams = upstreams.map(|upstream| (upstream.name.clone(), upstream.clone())).collect();
    }

    /// What the rate-limits of these names count in: what is there, where the limit is still the same.
    pub(super) fn rates<'c>(
        &self,
        wanted: impl Iterator<Item = (&'c str, &'c RateLimit)>,
        make: impl Fn(&RateLimit) -> Rate,
    ) -> BTreeMap<&'c str, Arc<Rate>> {
        let Turns { served, next } = &mut *self.turns();
        let rate = |name: &str, limit: &RateLimit| {
            let before = served.rates.get(name).filter(|(before, _)| before == limit).map(|(_, rate)| rate.clone());
            before.unwrap_or_else(|| Arc::new(make(limit)))
        };
        let rates: BTreeMap<_, _> = wanted.map(|(name, limit)| (name, (limit, rate(name, limit)))).collect();
        let kept = rates.iter().map(|(name, (limit, rate))| ((*name).to_owned(), ((*limit).clone(), rate.clone())));
        next.rates = kept.collect();
        rates.into_iter().map(|(name, (_, rate))| (name, rate)).collect()
    }

    /// The keys of an issuer of tokens: what is known of them, if they are read from the same place in the same way, whoever
    /// does. A reload while that place is out of reach takes none of them away; it does take the tokens that were
    /// remembered beyond `keep`, since those are one composition's.
    pub(super) fn issuer_keys<E>(
        &self,
        wanted: KeySetOf,
        make: impl FnOnce(&KeySetOf) -> Result<IssuerKeys, E>,
    ) -> Result<IssuerKeys, E> {
        let Turns { served, next } = &mut *self.turns();
        let known = next.issuers.iter().chain(&served.issuers).find(|(known, _)| *known == wanted);
        let keys = known.map_or_else(|| make(&wanted), |(_, keys)| Ok(keys.clone()))?;
        next.issuers.push((wanted, keys.clone()));
        Ok(keys)
    }

    /// The client of the UAF server behind: the one that is there, if it is asked in just this way.
    pub(super) fn endpoint<E>(
        &self,
        asked: Asked,
        make: impl FnOnce(&Asked) -> Result<Endpoint, E>,
    ) -> Result<Endpoint, E> {
        let Turns { served, next } = &mut *self.turns();
        let known = served.asked.as_ref().filter(|(before, _)| *before == asked).map(|(_, endpoint)| endpoint.clone());
        let endpoint = known.map_or_else(|| make(&asked), Ok)?;
        next.asked = Some((asked, endpoint.clone()));
        Ok(endpoint)
    }
}

#[cfg(test)]
mod tests;
