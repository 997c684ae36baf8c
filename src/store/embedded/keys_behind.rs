//! Keys of a UAF server behind in the file.

mod tables;

use std::collections::BTreeSet;

use async_trait::async_trait;
use redb::{ReadTransaction, ReadableTable, WriteTransaction};
use sidegate_filters::clock::Millis;

use super::{Embedded, Fault};
use crate::store::credentials::is_within_limits;
use crate::store::keys_behind::Retired;
use crate::store::keys_behind::{KeyBehind, KeysBehind, Standing};
use crate::store::{CredentialError, CredentialKey, ExtId, Removal, StoreError};
use tables::{OWNED, Tables};

pub(super) use tables::make_tables;

/// What we call an owner's keys that are confirmed.
pub(super) fn confirmed_names(transaction: &ReadTransaction, owner: &ExtId) -> Result<Vec<String>, Fault> {
    let mut keys = Tables::to_read(transaction)?.of_owner(owner)?;
    keys.retain(KeyBehind::is_confirmed);
    Ok(keys.into_iter().map(|key| key.ext_id).collect())
}

/// Adds keys, of which those may replace a record whose record says so.
fn add(
    transaction: &WriteTransaction,
    added: &[KeyBehind],
    gives_way: fn(&KeyBehind) -> bool,
) -> Result<Result<(), CredentialError>, Fault> {
    let mut tables = Tables::to_write(transaction)?;
    for key in added {
        if tables.get(&key.owner, &key.key)?.is_some_and(|known| !gives_way(&known)) {
            return Ok(Err(CredentialError::Registered));
        }
        tables.put(key)?;
    }
    for owner in added.iter().map(|key| &key.owner).collect::<BTreeSet<_>>() {
        if !is_within_limits(&tables.names(owner)?) {
            return Ok(Err(CredentialError::TooMany));
        }
    }
    Ok(Ok(()))
}

fn confirm(transaction: &WriteTransaction, expected: Vec<KeyBehind>, first: bool) -> Result<bool, Fault> {
    let mut tables = Tables::to_write(transaction)?;
    for key in &expected {
        if key.standing != Standing::Expected || tables.get(&key.owner, &key.key)?.as_ref() != Some(key) {
            return Ok(false);
        }
        if first && tables.of_owner(&key.owner)?.iter().any(KeyBehind::is_confirmed) {
            return Ok(false);
        }
    }
    for key in expected {
        tables.put(&KeyBehind { standing: Standing::Confirmed, ..key })?;
    }
    Ok(true)
}

fn doubt(transaction: &WriteTransaction, keys: Vec<KeyBehind>) -> Result<Vec<KeyBehind>, Fault> {
    let mut tables = Tables::to_write(transaction)?;
    let mut kept = Vec::with_capacity(keys.len());
    for key in keys {
        if tables.get(&key.owner, &key.key)?.is_none_or(|known| known.is_of_one_with(&key)) {
            let doubted = KeyBehind { standing: Standing::Doubted, ..key };
            tables.put(&doubted)?;
            kept.push(doubted);
        }
    }
    Ok(kept)
}

fn withdraw(transaction: &WriteTransaction, keys: &[KeyBehind]) -> Result<(), Fault> {
    let mut tables = Tables::to_write(transaction)?;
    for key in keys {
        if tables.get(&key.owner, &key.key)?.is_some_and(|known| known.is_of_one_with(key) && !known.is_confirmed()) {
            tables.remove(key)?;
        }
    }
    Ok(())
}

fn retire(transaction: &WriteTransaction, owner: &ExtId, which: &Removal, settled: Millis) -> Result<Retired, Fault> {
    let mut chosen = Tables::to_write(transaction)?.of_owner(owner)?;
    chosen.retain(|key| which.covers(&key.key));
    let (gone, open): (Vec<_>, Vec<_>) =
        chosen.into_iter().partition(|key| key.is_confirmed() || key.created < settled);
    remove(transaction, &gone)?;
    Ok(Retired { gone, doubted: doubt(transaction, open)? })
}

fn remove(transaction: &WriteTransaction, gone: &[KeyBehind]) -> Result<(), Fault> {
    let mut tables = Tables::to_write(transaction)?;
    gone.iter().try_for_each(|key| tables.remove(key))
}

pub(super) fn forget(
    transaction: &WriteTransaction,
    owner: &ExtId,
    which: &Removal,
) -> Result<Vec<CredentialKey>, Fault> {
    let mut gone = Tables::to_write(transaction)?.of_owner(owner)?;
    gone.retain(|key| which.covers(&key.key));
    remove(transaction, &gone)?;
    Ok(gone.into_iter().map(|key| key.key).collect())
}

#[async_trait]
impl KeysBehind for Embedded {
    async fn expect(&self, keys: Vec<KeyBehind>) -> Result<(), CredentialError> {
        self.write(move |transaction| add(transaction, &keys, KeyBehind::is_doubted)).await
    }

    async fn learn(&self, keys: Vec<KeyBehind>) -> Result<(), CredentialError> {
        self.write(move |transaction| add(transaction, &keys, |_| false)).await
    }

    async fn confirm(&self, expected: &[KeyBehind], first: bool) -> Result<bool, StoreError> {
        let expected = expected.to_vec();
        self.write(move |transaction| Ok(Ok(confirm(transaction, expected, first)?))).await
    }

    async fn doubt(&self, keys: Vec<KeyBehind>) -> Result<Vec<KeyBehind>, StoreError> {
        self.write(move |transaction| Ok(Ok(doubt(transaction, keys)?))).await
    }

    async fn withdraw(&self, keys: &[KeyBehind]) -> Result<(), StoreError> {
        let keys = keys.to_vec();
        self.write(move |transaction| Ok(Ok(withdraw(transaction, &keys)?))).await
    }

    async fn retire(&self, owner: &ExtId, which: &Removal, settled: Millis) -> Result<Retired, StoreError> {
        let (owner, which) = (owner.clone(), which.clone());
        self.write(move |transaction| Ok(Ok(retire(transaction, &owner, &which, settled)?))).await
    }

    async fn of_key(&self, key: &CredentialKey) -> Result<Vec<KeyBehind>, StoreError> {
        self.read(|transaction| Tables::to_read(transaction)?.of_key(key))
    }

    async fn of_owner(&self, owner: &ExtId) -> Result<Vec<KeyBehind>, StoreError> {
        self.read(|transaction| Tables::to_read(transaction)?.of_owner(owner))
    }

    async fn forget(&self, owner: &ExtId, which: &Removal) -> Result<Vec<CredentialKey>, StoreError> {
        let (owner, which) = (owner.clone(), which.clone());
        self.write(move |transaction| Ok(Ok(forget(transaction, &owner, &which)?))).await
    }

    async fn owners(&self) -> Result<BTreeSet<ExtId>, StoreError> {
        self.read(|transaction| {
            let owners = transaction.open_table(OWNED)?;
            owners.iter()?.map(|entry| Ok(entry?.0.value().0.into())).collect()
        })
    }
}
