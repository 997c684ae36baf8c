//! A map of bounded size that forgets what was not written lately.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// Entries in two generations: when the young one is full it becomes the old one, and what was old is dropped. An entry
/// survives at least as long as it takes to write half of the map anew; every step takes constant time.
#[derive(Debug)]
pub struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    room: usize,
}

impl<K: Hash + Eq, V: Clone> Recent<K, V> {
    /// At most `entries`, two at least.
    #[must_use]
    pub fn new(entries: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), room: (entries / 2).max(1) }
    }

    /// What is kept under this key.
    #[must_use]
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.young.get(key).or_else(|| self.old.get(key)).cloned()
    }

    /// Keeps a value in place of the one that the key had.
    pub fn insert(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.room && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Forgets a key; gives back what it had.
    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let old = self.old.remove(key);
        self.young.remove(key).or(old)
    }

    /// How many entries are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_written_lately_is_there() {
        let mut recent = Recent::new(10);
        for key in 0..100 {
            recent.insert(key, key);
            assert_eq!(recent.get(&(key - 4)).is_some(), key >= 4);
            assert!(recent.get(&(key - 11)).is_none());
        }
    }

    #[test]
    fn an_entry_that_is_written_again_survives() {
        let mut recent = Recent::new(10);
        for key in 0..100 {
            recent.insert(key, 0);
            recent.insert(-1, key);
            assert_eq!(recent.get(&-1), Some(key));
        }
    }

    proptest! {
        #[test]
        fn it_is_bounded_and_never_wrong(steps in proptest::collection::vec((0u8..20, 0u8..3), 0..200)) {
            let mut recent = Recent::new(6);
            let mut all = HashMap::new();
            for (count, (key, step)) in steps.into_iter().enumerate() {
                if step == 0 {
                    recent.remove(&key);
                    all.remove(&key);
                } else {
                    recent.insert(key, count);
                    all.insert(key, count);
                }
                prop_assert!(recent.len() <= 6);
                for key in 0..20 {
                    let found = recent.get(&key);
                    prop_assert!(found.is_none() || found == all.get(&key).copied());
                }
            }
        }
    }
}
