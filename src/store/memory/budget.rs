//! How much memory records may take, and who uses how much of it. All accounting is in this file.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::{Origin, StoreError};

/// A limit in bytes with a share for each origin (`gateway.md` 5): anonymous callers of one network, or one user, get
/// no more than the share; internal callers are counted but never refused.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    share: usize,
    accounts: Mutex<Accounts>,
}

#[derive(Debug, Default)]
struct Accounts {
    total: usize,
    by_origin: HashMap<Origin, usize>,
}

impl Budget {
    /// A budget of `limit` bytes, of which one origin gets at most `share_percent` (5 in `gateway.md` 5).
    #[must_use]
    pub fn new(limit: usize, share_percent: u8) -> Arc<Self> {
        let share = limit / 100 * usize::from(share_percent.min(100));
        Arc::new(Self { limit, share, accounts: Mutex::default() })
    }

    /// Bytes in use.
    #[must_use]
    pub fn used(&self) -> usize {
        self.accounts().total
    }

    /// Takes bytes on the account of an origin.
    ///
    /// # Errors
    /// [`StoreError::Full`] beyond the limit or the origin's share, unless that is granted.
    pub(crate) fn charge(
        self: &Arc<Self>,
        origin: &Origin,
        bytes: usize,
        growth: Growth,
    ) -> Result<Charge, StoreError> {
        let mut accounts = self.accounts();
        if growth == Growth::Bounded {
            self.check(&accounts, origin, bytes)?;
        }
        accounts.add(origin, bytes);
        Ok(Charge { budget: Arc::clone(self), origin: origin.clone(), bytes: AtomicUsize::new(bytes) })
    }

    /// How much of what this origin has would have to come back, for so much more to fit.
    pub(super) fn lacking(&self, origin: &Origin, more: usize) -> usize {
        self.beyond(&self.accounts(), origin, more)
    }

    /// Whether there is room for so much more.
    fn check(&self, accounts: &Accounts, origin: &Origin, more: usize) -> Result<(), StoreError> {
        let fits = *origin == Origin::Internal || self.beyond(accounts, origin, more) == 0;
        if fits { Ok(()) } else { Err(StoreError::Full) }
    }

    /// By how much so much more goes beyond the limit or the share.
    fn beyond(&self, accounts: &Accounts, origin: &Origin, more: usize) -> usize {
        let of_origin = accounts.by_origin.get(origin).copied().unwrap_or(0);
        let beyond = |used: usize, limit: usize| used.saturating_add(more).saturating_sub(limit);
        beyond(accounts.total, self.limit).max(beyond(of_origin, self.share))
    }

    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Accounts {
    fn add(&mut self, origin: &Origin, bytes: usize) {
        self.total = self.total.saturating_add(bytes);
        let account = self.by_origin.entry(origin.clone()).or_default();
        *account = account.saturating_add(bytes);
    }

    fn subtract(&mut self, origin: &Origin, bytes: usize) {
        self.total = self.total.saturating_sub(bytes);
        if let Entry::Occupied(mut account) = self.by_origin.entry(origin.clone()) {
            *account.get_mut() = account.get().saturating_sub(bytes);
            if *account.get() == 0 {
                account.remove();
            }
        }
    }
}

/// Whether a record may be larger than there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// Not beyond the share and the limit: what is asked for can wait.
    Bounded,
    /// By the little that it is: what was acknowledged goes on.
    Granted,
}

/// Bytes that one record holds. They come back once: when it is released or, at the latest, dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    budget: Arc<Budget>,
    origin: Origin,
    /// Zero when released. Changes only under the lock of the accounts.
    bytes: AtomicUsize,
}

impl Charge {
    /// The record is to have another size.
    ///
    /// # Errors
    /// [`StoreError::Full`] as for a new record, if it would grow and that is not granted; the size stays then.
    pub(crate) fn resize(&self, bytes: usize, growth: Growth) -> Result<(), StoreError> {
        let mut accounts = self.budget.accounts();
        let held = self.bytes.load(Ordering::Relaxed);
        if held == 0 {
            return Ok(());
        }
        if bytes > held && growth == Growth::Bounded {
            self.budget.check(&accounts, &self.origin, bytes - held)?;
        }
        accounts.subtract(&self.origin, held);
        accounts.add(&self.origin, bytes);
        self.bytes.store(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// On whose account it is.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The record is gone.
    pub(crate) fn release(&self) {
        let mut accounts = self.budget.accounts();
        let held = self.bytes.swap(0, Ordering::Relaxed);
        if held != 0 {
            accounts.subtract(&self.origin, held);
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SourceNetwork;

    fn network(last: u8) -> Origin {
        Origin::Network(SourceNetwork::of([192, 0, 2, last].into()))
    }

    #[test]
    fn one_network_gets_its_share_and_no_more() {
        let budget = Budget::new(1000, 5);
        let _held = budget.charge(&network(1), 50, Growth::Bounded).unwrap();
        assert!(matches!(budget.charge(&network(1), 1, Growth::Bounded), Err(StoreError::Full)));
        assert!(budget.charge(&network(2), 50, Growth::Bounded).is_ok());
    }

    #[test]
    fn one_user_gets_the_share_too() {
        let budget = Budget::new(1000, 5);
        let eve = Origin::User("eve".into());
        let _held = budget.charge(&eve, 50, Growth::Bounded).unwrap();
        assert!(matches!(budget.charge(&eve, 1, Growth::Bounded), Err(StoreError::Full)));
        assert!(budget.charge(&Origin::User("jeff".into()), 50, Growth::Bounded).is_ok());
    }

    #[test]
    fn the_limit_holds_for_all_but_internal_callers() {
        let budget = Budget::new(1000, 50);
        let _held: Vec<_> = (0..2).map(|n| budget.charge(&network(n), 500, Growth::Bounded).unwrap()).collect();
        assert!(matches!(budget.charge(&network(9), 1, Growth::Bounded), Err(StoreError::Full)));
        assert!(budget.charge(&Origin::Internal, 5000, Growth::Bounded).is_ok());
    }

    #[test]
    fn what_grows_beyond_the_share_or_the_limit_stays_as_it_is() {
        let budget = Budget::new(1000, 50);
        let origins = [network(1), network(2), Origin::Internal];
        let [one, two, own] = origins.map(|of| budget.charge(&of, 300, Growth::Bounded).unwrap());
        assert!(matches!(one.resize(501, Growth::Bounded), Err(StoreError::Full)), "its share");
        assert_eq!(budget.used(), 900);
        one.resize(400, Growth::Bounded).unwrap();
        assert!(matches!(two.resize(301, Growth::Bounded), Err(StoreError::Full)), "the limit");
        own.resize(5000, Growth::Bounded).unwrap();
        two.resize(200, Growth::Bounded).unwrap();
        assert!(
            matches!(two.resize(201, Growth::Bounded), Err(StoreError::Full)),
            "the limit, which internal callers are beyond"
        );
        assert_eq!(budget.used(), 5600);
        two.resize(300, Growth::Granted).unwrap();
        assert_eq!(budget.used(), 5700);
        drop((one, two, own));
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn released_resized_and_dropped_in_any_order_it_comes_back_once() {
        let budget = Budget::new(1000, 100);
        let [first, second] = [100, 10].map(|bytes| budget.charge(&network(1), bytes, Growth::Bounded).unwrap());
        first.resize(300, Growth::Bounded).unwrap();
        assert_eq!(budget.used(), 310);
        first.release();
        first.release();
        first.resize(200, Growth::Bounded).unwrap();
        assert_eq!(budget.used(), 10);
        drop(first);
        assert_eq!(budget.used(), 10);
        drop(second);
        assert_eq!(budget.used(), 0);
        assert!(budget.accounts().by_origin.is_empty(), "no account is kept for who has nothing");
    }
}
