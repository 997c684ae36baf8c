//! The store of what is known of the keys that a UAF server behind has.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sidegate_filters::clock::Millis;

use crate::store::credentials::is_within_limits;
use crate::store::{CredentialError, CredentialKey, ExtId, Removal, StoreError};

/// What is known of a UAF key that a server behind has: nothing to verify it with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyBehind {
    /// Model and key id.
    pub key: CredentialKey,
    /// Our name for it (`extId` of the status answer).
    pub ext_id: String,
    /// Whose it is.
    pub owner: ExtId,
    /// Ties it to the dispatch targets of the same device, within one user.
    pub device_id: Option<String>,
    /// What the user calls the device.
    pub device_name: Option<String>,
    /// When it came on record.
    pub created: Millis,
    /// The appID of the request that it answered: a phone finds the key by it.
    pub app_id: Option<String>,
    /// What it counts for.
    pub standing: Standing,
}

/// Whether the server behind said that it took a key. Unless it did, the key counts for nothing here, whether it is there or
/// not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Its registration is under way, or its end got lost.
    Expected,
    /// It took the key.
    Confirmed,
    /// Its registration ended badly while that server may have taken the key: none that is under way confirms it any more.
    Doubted,
}

/// What became of keys that the server behind no longer has.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Retired {
    /// These were removed, oldest first.
    pub gone: Vec<KeyBehind>,
    /// These stay, doubted.
    pub doubted: Vec<KeyBehind>,
}

impl KeyBehind {
    /// Whether it may be used.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.standing == Standing::Confirmed
    }

    /// Whether a registration of it failed that the server behind may have taken.
    #[must_use]
    pub fn is_doubted(&self) -> bool {
        self.standing == Standing::Doubted
    }

    /// Whether both are of one and the same registration.
    #[must_use]
    pub fn is_of_one_with(&self, other: &Self) -> bool {
        self.ext_id == other.ext_id
    }
}

/// Which of an owner's `records`, oldest first, have to go so that the owner may have the `new` keys besides: of those made
/// before `old` and never confirmed the oldest. `None`: not even all of them leave room.
#[must_use]
pub fn in_the_way(records: &[KeyBehind], new: &[CredentialKey], old: Millis) -> Option<Vec<KeyBehind>> {
    let is_kept = |record: &&KeyBehind| !new.contains(&record.key);
    let mut keys: Vec<_> =
        records.iter().filter(is_kept).map(|record| record.key.clone()).chain(new.to_vec()).collect();
    let mut giving_way = records.iter().filter(is_kept).filter(|of| !of.is_confirmed() && of.created < old);
    let mut gone = Vec::new();
    while !is_within_limits(&keys) {
        let next = giving_way.next()?;
        keys.retain(|key| *key != next.key);
        gone.push(next.clone());
    }
    Some(gone)
}

/// Keys of a server behind. Acknowledged means durable; every change is atomic.
///
/// Of one key each owner may have a record: only that server can tell whose it is, and what one owner says of a key must
/// not bind another.
#[async_trait]
pub trait KeysBehind: Send + Sync {
    /// Writes down the keys of a registration: all of them, or none. Of one whose registration failed before the record is
    /// replaced.
    ///
    /// # Errors
    /// [`CredentialError::Registered`] if the owner has a record of one that is not doubted, or one is given twice;
    /// [`CredentialError::TooMany`].
    async fn expect(&self, keys: Vec<KeyBehind>) -> Result<(), CredentialError>;

    /// Keeps keys that are new here: all of them, or none. No record is replaced, least of all a doubted one.
    ///
    /// # Errors
    /// [`CredentialError::Registered`] if the owner has a record of one; [`CredentialError::TooMany`].
    async fn learn(&self, keys: Vec<KeyBehind>) -> Result<(), CredentialError>;

    /// Confirms expected keys, whose records are still these. `false`: one of them is not, such as one that was removed or
    /// doubted meanwhile, or with `first` the owner has another one that is confirmed; none was confirmed then.
    ///
    /// # Errors
    /// When the store can't be asked.
    #[must_use = "keys that are not there any more are not confirmed"]
    async fn confirm(&self, expected: &[KeyBehind], first: bool) -> Result<bool, StoreError>;

    /// Keeps these as doubted. What another registration has on record meanwhile stays as it is; gives back those that were
    /// kept.
    ///
    /// # Errors
    /// When the store can't be asked; then all is as it was.
    async fn doubt(&self, keys: Vec<KeyBehind>) -> Result<Vec<KeyBehind>, StoreError>;

    /// Removes these unless they were confirmed. What another registration has on record meanwhile stays.
    ///
    /// # Errors
    /// When the store can't be asked; then none was removed.
    async fn withdraw(&self, keys: &[KeyBehind]) -> Result<(), StoreError>;

    /// Removes keys of this owner that the server behind no longer has. Of those that were never confirmed only the ones
    /// made before `settled` go: that server may still be busy with the others, which stay, doubted.
    ///
    /// # Errors
    /// When the store can't be asked; then all is as it was.
    async fn retire(&self, owner: &ExtId, which: &Removal, settled: Millis) -> Result<Retired, StoreError>;

    /// What is known of a key: at most one record for each owner.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn of_key(&self, key: &CredentialKey) -> Result<Vec<KeyBehind>, StoreError>;

    /// The keys of a user, oldest first.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn of_owner(&self, owner: &ExtId) -> Result<Vec<KeyBehind>, StoreError>;

    /// Removes keys of this owner, whatever they count for, all in one transaction; gives back what was removed.
    ///
    /// # Errors
    /// When the store can't be asked; then none was removed.
    async fn forget(&self, owner: &ExtId, which: &Removal) -> Result<Vec<CredentialKey>, StoreError>;

    /// Everybody who has such a key: to find the orphans of removed users.
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn owners(&self) -> Result<BTreeSet<ExtId>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract::keys_behind::key;
    use crate::store::credentials::{CREDENTIALS_PER_OWNER, KEY_IDS_PER_OWNER};

    const LONG: usize = 2048;

    fn record(number: u8, length: usize, standing: Standing) -> KeyBehind {
        KeyBehind { key: CredentialKey::new("FFFF#0001", vec![number; length]), ..key("jeff", number, standing) }
    }

    /// Which go for a new key with an id of so many bytes; all are old.
    fn gone(records: &[KeyBehind], length: usize) -> Option<Vec<KeyBehind>> {
        in_the_way(records, &[CredentialKey::new("FFFF#0001", vec![200; length])], Millis(i64::MAX))
    }

    #[test]
    fn the_oldest_doubted_ones_go_for_as_many_bytes_as_are_wanted() {
        let most = u8::try_from(KEY_IDS_PER_OWNER / LONG).unwrap();
        let standing = |number| if number % 2 == 0 { Standing::Confirmed } else { Standing::Doubted };
        let records: Vec<_> = (0..most).map(|number| record(number, LONG, standing(number))).collect();
        assert_eq!(gone(&records[1..], LONG), Some(vec![]));
        assert_eq!(gone(&records, 32), Some(vec![records[1].clone()]));
        assert_eq!(in_the_way(&records, &[records[3].key.clone()], Millis(i64::MAX)), Some(vec![]), "its own record");
        assert_eq!(
            in_the_way(&records, &[key("jeff", 200, Standing::Expected).key], records[1].created),
            None,
            "young"
        );
        let shorter = [record(1, 32, Standing::Doubted)].into_iter().chain(records[2..].to_vec());
        let shorter: Vec<_> = [records[0].clone()].into_iter().chain(shorter).collect();
        assert_eq!(gone(&shorter, LONG), Some(vec![shorter[1].clone()]));
        assert_eq!(gone(&shorter, LONG + 1), Some(vec![shorter[1].clone(), shorter[3].clone()]));
    }

    #[test]
    fn they_go_for_a_place_and_good_ones_never() {
        let most = u8::try_from(CREDENTIALS_PER_OWNER).unwrap();
        let good: Vec<_> = (0..most).map(|number| record(number, 32, Standing::Confirmed)).collect();
        assert_eq!(gone(&good, 32), None);
        let mixed: Vec<_> = [record(0, 32, Standing::Expected)].into_iter().chain(good[1..].to_vec()).collect();
        assert_eq!(gone(&mixed, 32), Some(vec![mixed[0].clone()]));
        assert_eq!(gone(&good[1..], 32), Some(vec![]));
    }
}
