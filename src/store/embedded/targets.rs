//! Dispatch targets in the file.

use std::collections::BTreeSet;

use async_trait::async_trait;
use redb::{MultimapTable, MultimapTableDefinition, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::{Embedded, Fault, decode, encode};
use crate::store::targets::{TARGETS_PER_OWNER, Target, TargetError, TargetUpdate, Targets};
use crate::store::{ExtId, StoreError};

/// Target by id.
const TARGETS: TableDefinition<&str, &[u8]> = TableDefinition::new("targets");
/// Id by owner and name: what makes names unique, and the way to all targets of an owner.
const NAMES: TableDefinition<(&str, &str), &str> = TableDefinition::new("target-names");
/// Ids by the thumbprint of the signature key.
const KEYS: MultimapTableDefinition<&str, &str> = MultimapTableDefinition::new("target-keys");

pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(TARGETS)?;
    transaction.open_table(NAMES)?;
    transaction.open_multimap_table(KEYS)?;
    Ok(())
}

/// The tables, to be changed together.
struct Tables<'t> {
    targets: Table<'t, &'static str, &'static [u8]>,
    names: Table<'t, (&'static str, &'static str), &'static str>,
    keys: MultimapTable<'t, &'static str, &'static str>,
}

impl<'t> Tables<'t> {
    fn open(transaction: &'t WriteTransaction) -> Result<Self, Fault> {
        Ok(Self {
            targets: transaction.open_table(TARGETS)?,
            names: transaction.open_table(NAMES)?,
            keys: transaction.open_multimap_table(KEYS)?,
        })
    }

    fn get(&self, id: &str) -> Result<Option<Target>, Fault> {
        self.targets.get(id)?.map(|bytes| decode(bytes.value())).transpose()
    }

    fn put(&mut self, target: &Target) -> Result<(), Fault> {
        self.targets.insert(target.id.as_str(), encode(target)?.as_slice())?;
        self.names.insert((target.owner.as_str(), target.name.as_str()), target.id.as_str())?;
        self.keys.insert(target.signature_thumbprint.as_str(), target.id.as_str())?;
        Ok(())
    }

    fn name_is_free(&self, owner: &ExtId, name: &str) -> Result<bool, Fault> {
        Ok(self.names.get((owner.as_str(), name))?.is_none())
    }

    fn drop_name(&mut self, target: &Target) -> Result<(), Fault> {
        self.names.remove((target.owner.as_str(), target.name.as_str()))?;
        Ok(())
    }

    fn remove(&mut self, target: &Target) -> Result<(), Fault> {
        self.drop_name(target)?;
        self.keys.remove(target.signature_thumbprint.as_str(), target.id.as_str())?;
        self.targets.remove(target.id.as_str())?;
        Ok(())
    }

    fn of(&self, owner: &ExtId) -> Result<Vec<Target>, Fault> {
        list(&self.names, &self.targets, owner)
    }

    fn create(&mut self, target: &Target) -> Result<Result<(), TargetError>, Fault> {
        if self.get(&target.id)?.is_some() {
            return Ok(Err(StoreError::Exists.into()));
        }
        if !self.name_is_free(&target.owner, &target.name)? {
            return Ok(Err(TargetError::NameTaken));
        }
        if count(&self.names, &target.owner)? >= TARGETS_PER_OWNER {
            return Ok(Err(TargetError::TooMany));
        }
        self.put(target)?;
        Ok(Ok(()))
    }

    fn update(&mut self, id: &str, update: TargetUpdate) -> Result<Result<Target, TargetError>, Fault> {
        let Some(old) = self.get(id)? else { return Ok(Err(TargetError::NotFound)) };
        let mut target = old.clone();
        if let Some(name) = update.name.filter(|name| *name != old.name) {
            if !self.name_is_free(&old.owner, &name)? {
                return Ok(Err(TargetError::NameTaken));
            }
            self.drop_name(&old)?;
            target.name = name;
        }
        target.push_token = update.push_token.or(target.push_token);
        target.dispatcher = update.dispatcher.unwrap_or(target.dispatcher);
        target.version = target.version.saturating_add(1);
        self.put(&target)?;
        Ok(Ok(target))
    }
}

/// How many targets an owner has.
fn count(
    names: &impl ReadableTable<(&'static str, &'static str), &'static str>,
    owner: &ExtId,
) -> Result<usize, Fault> {
    let mut count: usize = 0;
    for entry in names.range((owner.as_str(), "")..)? {
        if entry?.0.value().0 != owner.as_str() {
            break;
        }
        count = count.saturating_add(1);
    }
    Ok(count)
}

/// An owner's targets, oldest first.
fn list(
    names: &impl ReadableTable<(&'static str, &'static str), &'static str>,
    targets: &impl ReadableTable<&'static str, &'static [u8]>,
    owner: &ExtId,
) -> Result<Vec<Target>, Fault> {
    let mut found: Vec<Target> = Vec::new();
    for entry in names.range((owner.as_str(), "")..)? {
        let (key, id) = entry?;
        if key.value().0 != owner.as_str() {
            break;
        }
        if let Some(bytes) = targets.get(id.value())? {
            found.push(decode(bytes.value())?);
        }
    }
    found.sort_by_key(|target| target.created);
    Ok(found)
}

/// Removes an owner's targets that are chosen; their ids.
pub(super) fn remove_where(
    transaction: &WriteTransaction,
    owner: &ExtId,
    chosen: impl Fn(&Target) -> bool,
) -> Result<Vec<String>, Fault> {
    let mut tables = Tables::open(transaction)?;
    let mut targets = tables.of(owner)?;
    targets.retain(chosen);
    targets.iter().try_for_each(|target| tables.remove(target))?;
    Ok(targets.into_iter().map(|target| target.id).collect())
}

#[async_trait]
impl Targets for Embedded {
    async fn create(&self, target: Target) -> Result<(), TargetError> {
        self.write(move |transaction| Tables::open(transaction)?.create(&target)).await
    }

    async fn get(&self, id: &str) -> Result<Option<Target>, StoreError> {
        self.read(|transaction| {
            transaction.open_table(TARGETS)?.get(id)?.map(|bytes| decode(bytes.value())).transpose()
        })
    }

    async fn list(&self, owner: &ExtId) -> Result<Vec<Target>, StoreError> {
        self.read(|transaction| list(&transaction.open_table(NAMES)?, &transaction.open_table(TARGETS)?, owner))
    }

    async fn key_is_shared(&self, thumbprint: &str) -> Result<bool, StoreError> {
        self.read(|transaction| Ok(transaction.open_multimap_table(KEYS)?.get(thumbprint)?.len() > 1))
    }

    async fn update(&self, id: &str, update: TargetUpdate) -> Result<Target, TargetError> {
        let id = id.to_owned();
        self.write(move |transaction| Tables::open(transaction)?.update(&id, update)).await
    }

    async fn delete(&self, id: &str, owner: &ExtId) -> Result<bool, StoreError> {
        let (id, owner) = (id.to_owned(), owner.clone());
        self.write(move |transaction| Ok(Ok(!remove_where(transaction, &owner, |target| target.id == id)?.is_empty())))
            .await
    }

    async fn owners(&self) -> Result<BTreeSet<ExtId>, StoreError> {
        self.read(|transaction| {
            let names = transaction.open_table(NAMES)?;
            names.iter()?.map(|entry| Ok(entry?.0.value().0.into())).collect()
        })
    }
}
