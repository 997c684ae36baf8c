//! Records in memory, each with its own end by the injected clock and its charge on the budget.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moka::notification::RemovalCause;
use moka::ops::compute::{CompResult, Op};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use sidegate_filters::clock::{Clock, Millis};

use super::budget::{Budget, Charge, Growth};
use crate::store::{Origin, StoreError};

/// A record with an end.
pub(super) trait Perishable: Send + Sync + 'static {
    /// From this moment on it is not there.
    fn perishes_at(&self) -> Millis;
    /// Bytes that it takes beyond its own size.
    fn weight(&self) -> usize;
}

/// A record of another table.
#[derive(Serialize, Deserialize)]
pub(super) struct Left<K, V>(K, V, Origin);

/// A record as it is now, on whose account it is, and what the change gave.
type Updated<V, T, E> = Option<Result<(Arc<V>, Origin, T), E>>;

/// What moka, the sweep's lists and the allocator take for an entry, measured (platform.md 10) and rounded up.
const ENTRY: usize = 512;

/// How much later than our sweep moka would drop a record by its own clock.
const BACKSTOP: Duration = Duration::from_secs(60);

struct Entry<V> {
    value: Arc<V>,
    charge: Arc<Charge>,
    left: Duration,
}

impl<V> Clone for Entry<V> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), charge: Arc::clone(&self.charge), left: self.left }
    }
}

struct Backstop;

impl<K, V> moka::Expiry<K, Entry<V>> for Backstop {
    fn expire_after_create(&self, _: &K, entry: &Entry<V>, _: Instant) -> Option<Duration> {
        Some(entry.left)
    }

    fn expire_after_update(&self, _: &K, entry: &Entry<V>, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(entry.left)
    }
}

/// A map whose entries perish. Each call is one atomic step for its key.
pub(super) struct Table<K, V> {
    cache: Cache<K, Entry<V>>,
    /// Keys by the second in which they may have perished; looked at again then.
    due: Mutex<BTreeMap<i64, Vec<K>>>,
    budget: Arc<Budget>,
    clock: Arc<dyn Clock>,
}

impl<K, V> Table<K, V>
where
    K: Copy + Eq + Hash + Send + Sync + 'static,
    V: Perishable,
{
    pub(super) fn new(budget: Arc<Budget>, clock: Arc<dyn Clock>) -> Self {
        Self::over(Cache::builder().expire_after(Backstop).build(), budget, clock)
    }

    /// The same, which tells of each record that goes, however it does.
    pub(super) fn telling(
        budget: Arc<Budget>,
        clock: Arc<dyn Clock>,
        gone: impl Fn(&K, &V) + Send + Sync + 'static,
    ) -> Self {
        let listener = move |key: Arc<K>, entry: Entry<V>, cause| {
            if cause != RemovalCause::Replaced {
                gone(&key, &entry.value);
            }
        };
        Self::over(Cache::builder().expire_after(Backstop).eviction_listener(listener).build(), budget, clock)
    }

    fn over(cache: Cache<K, Entry<V>>, budget: Arc<Budget>, clock: Arc<dyn Clock>) -> Self {
        Self { cache, due: Mutex::default(), budget, clock }
    }

    /// Keeps a new record, if there is room for it or that is granted.
    pub(super) fn insert(&self, key: K, value: V, origin: &Origin, growth: Growth) -> Result<(), StoreError> {
        let charge = self.charge(origin, weight(&value), growth)?;
        let perishes = value.perishes_at();
        let entry = self.entry(value, Arc::new(charge));
        let result = self.cache.entry(key).and_compute_with(|old| match old {
            Some(_) => Op::Nop,
            None => Op::Put(entry),
        });
        match result {
            CompResult::Inserted(_) => {
                self.schedule(key, perishes);
                Ok(())
            }
            _ => Err(StoreError::Exists),
        }
    }

    /// The record, if it has not perished.
    pub(super) fn get(&self, key: &K) -> Option<Arc<V>> {
        let entry = self.cache.get(key)?;
        (self.clock.now() < entry.value.perishes_at()).then_some(entry.value)
    }

    /// All records, perished ones too.
    pub(super) fn all(&self) -> Vec<(K, Arc<V>)> {
        self.cache.iter().map(|(key, entry)| (*key, entry.value)).collect()
    }

    /// What a record takes of the budget.
    pub(super) fn weight(&self, value: &V) -> usize {
        weight(value)
    }

    /// How much less there would have to be for a new record to fit.
    pub(super) fn lacking(&self, origin: &Origin, value: &V) -> usize {
        self.budget.lacking(origin, weight(value))
    }

    /// All that has not perished, with whose account it is on.
    pub(super) fn left(&self) -> Vec<Left<K, V>>
    where
        V: Clone,
    {
        let now = self.clock.now();
        let living = self.cache.iter().filter(|(_, entry)| now < entry.value.perishes_at());
        living.map(|(key, entry)| Left(*key, (*entry.value).clone(), entry.charge.origin().clone())).collect()
    }

    /// Keeps what another one left; how many records there was no room for.
    pub(super) fn take_over(&self, left: Vec<Left<K, V>>) -> usize {
        left.into_iter()
            .filter_map(|Left(key, value, origin)| self.insert(key, value, &origin, Growth::Bounded).err())
            .count()
    }

    /// The time by which records perish.
    pub(super) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Puts what `change` makes of the record in its place, if there is room for it or its growth is granted; tells on whose
    /// account it is. None if there is no record; then `change` is not called.
    pub(super) fn update<T, E: From<StoreError>>(
        &self,
        key: &K,
        growth: Growth,
        change: impl FnOnce(&V, Millis) -> Result<(V, T), E>,
    ) -> Updated<V, T, E> {
        let mut outcome = None;
        self.cache.entry(*key).and_compute_with(|old| {
            let (Some(old), now) = (old, self.clock.now()) else { return Op::Nop };
            let old = old.into_value();
            if now >= old.value.perishes_at() {
                return Op::Nop;
            }
            let changed = change(&old.value, now).and_then(|(value, result)| {
                old.charge.resize(weight(&value), growth)?;
                Ok((value, result))
            });
            match changed {
                Ok((value, result)) => {
                    let origin = old.charge.origin().clone();
                    let entry = self.entry(value, old.charge);
                    outcome = Some(Ok((Arc::clone(&entry.value), origin, result)));
                    Op::Put(entry)
                }
                Err(error) => {
                    outcome = Some(Err(error));
                    Op::Nop
                }
            }
        });
        outcome
    }

    /// Drops a record; gives back what was there, perished or not.
    pub(super) fn remove(&self, key: &K) -> Option<Arc<V>> {
        let entry = self.cache.remove(key)?;
        entry.charge.release();
        Some(entry.value)
    }

    /// Drops what has perished.
    pub(super) fn sweep(&self) {
        let now = self.clock.now();
        while let Some(keys) = self.take_due(now) {
            keys.into_iter().for_each(|key| self.drop_perished(key, now));
        }
        self.cache.run_pending_tasks();
    }

    fn drop_perished(&self, key: K, now: Millis) {
        let mut later = None;
        let result = self.cache.entry(key).and_compute_with(|old| match old {
            Some(old) if old.value().value.perishes_at() <= now => Op::Remove,
            Some(old) => {
                later = Some(old.value().value.perishes_at());
                Op::Nop
            }
            None => Op::Nop,
        });
        if let CompResult::Removed(entry) = result {
            entry.value().charge.release();
        }
        if let Some(later) = later {
            self.schedule(key, later);
        }
    }

    fn charge(&self, origin: &Origin, bytes: usize, growth: Growth) -> Result<Charge, StoreError> {
        // Where there seems to be no room, what has perished since the last sweep may be in the way.
        self.budget.charge(origin, bytes, growth).or_else(|_| {
            self.sweep();
            self.budget.charge(origin, bytes, growth)
        })
    }

    fn entry(&self, value: V, charge: Arc<Charge>) -> Entry<V> {
        let left = value.perishes_at().since(self.clock.now()).saturating_add(BACKSTOP);
        Entry { value: Arc::new(value), charge, left }
    }

    fn schedule(&self, key: K, perishes: Millis) {
        let second = perishes.seconds().saturating_add(1);
        self.due().entry(second).or_default().push(key);
    }

    fn take_due(&self, now: Millis) -> Option<Vec<K>> {
        let mut due = self.due();
        let first = due.first_entry()?;
        (*first.key() <= now.seconds()).then(|| first.remove())
    }

    fn due(&self) -> MutexGuard<'_, BTreeMap<i64, Vec<K>>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn weight<V: Perishable>(value: &V) -> usize {
    least::<V>() + value.weight()
}

/// What a record takes that has nothing beyond its own size.
pub(super) const fn least<V>() -> usize {
    ENTRY + size_of::<V>()
}
