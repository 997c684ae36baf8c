//! The tables of keys behind, and what they hold of an owner and of a key.

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::super::{decode, encode};
use super::{CredentialKey, ExtId, Fault, KeyBehind};

/// Model, key id, owner.
type KeyPlace = (&'static str, Bytes, &'static str);
/// Owner, model, key id.
type OwnedPlace = (&'static str, &'static str, Bytes);
type Bytes = &'static [u8];

/// What owners have with a server behind.
const KEYS: TableDefinition<KeyPlace, Bytes> = TableDefinition::new("keys-behind");
/// The same by owner.
pub(super) const OWNED: TableDefinition<OwnedPlace, ()> = TableDefinition::new("key-behind-owners");

pub(in super::super) fn make_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(KEYS)?;
    transaction.open_table(OWNED)?;
    Ok(())
}

fn place<'a>(owner: &'a ExtId, of: &'a CredentialKey) -> (&'a str, &'a [u8], &'a str) {
    (of.aaid(), of.key_id(), owner.as_str())
}

fn owned<'a>(owner: &'a ExtId, of: &'a CredentialKey) -> (&'a str, &'a str, &'a [u8]) {
    (owner.as_str(), of.aaid(), of.key_id())
}

/// Both of them, in one transaction.
pub(super) struct Tables<K, O> {
    keys: K,
    owned: O,
}

type Written<'t> = Tables<Table<'t, KeyPlace, Bytes>, Table<'t, OwnedPlace, ()>>;
type Read = Tables<ReadOnlyTable<KeyPlace, Bytes>, ReadOnlyTable<OwnedPlace, ()>>;

impl Read {
    pub(super) fn to_read(transaction: &ReadTransaction) -> Result<Self, Fault> {
        Ok(Self { keys: transaction.open_table(KEYS)?, owned: transaction.open_table(OWNED)? })
    }
}

impl<'t> Written<'t> {
    pub(super) fn to_write(transaction: &'t WriteTransaction) -> Result<Self, Fault> {
        Ok(Self { keys: transaction.open_table(KEYS)?, owned: transaction.open_table(OWNED)? })
    }

    /// Keeps a record, in place of what its owner had of the key.
    pub(super) fn put(&mut self, key: &KeyBehind) -> Result<(), Fault> {
        self.keys.insert(place(&key.owner, &key.key), encode(key)?.as_slice())?;
        self.owned.insert(owned(&key.owner, &key.key), ())?;
        Ok(())
    }

    pub(super) fn remove(&mut self, key: &KeyBehind) -> Result<(), Fault> {
        self.keys.remove(place(&key.owner, &key.key))?;
        self.owned.remove(owned(&key.owner, &key.key))?;
        Ok(())
    }
}

impl<K: ReadableTable<KeyPlace, Bytes>, O: ReadableTable<OwnedPlace, ()>> Tables<K, O> {
    /// What an owner has of this key.
    pub(super) fn get(&self, owner: &ExtId, of: &CredentialKey) -> Result<Option<KeyBehind>, Fault> {
        self.keys.get(place(owner, of))?.map(|bytes| decode(bytes.value())).transpose()
    }

    /// What all owners have of this key.
    pub(super) fn of_key(&self, of: &CredentialKey) -> Result<Vec<KeyBehind>, Fault> {
        let mut found = Vec::new();
        for entry in self.keys.range((of.aaid(), of.key_id(), "")..)? {
            let (place, bytes) = entry?;
            let (aaid, key_id, _) = place.value();
            if (aaid, key_id) != (of.aaid(), of.key_id()) {
                break;
            }
            found.push(decode(bytes.value())?);
        }
        Ok(found)
    }

    /// An owner's keys, oldest first.
    pub(super) fn of_owner(&self, owner: &ExtId) -> Result<Vec<KeyBehind>, Fault> {
        let mut found: Vec<KeyBehind> = Vec::new();
        for of in self.names(owner)? {
            found.extend(self.get(owner, &of)?);
        }
        found.sort_by_key(|key| key.created);
        Ok(found)
    }

    /// What an owner's keys are identified by.
    pub(super) fn names(&self, owner: &ExtId) -> Result<Vec<CredentialKey>, Fault> {
        let mut names = Vec::new();
        for entry in self.owned.range((owner.as_str(), "", &[][..])..)? {
            let (place, _) = entry?;
            let (of, aaid, key_id) = place.value();
            if of != owner.as_str() {
                break;
            }
            names.push(CredentialKey::new(aaid, key_id));
        }
        Ok(names)
    }
}
