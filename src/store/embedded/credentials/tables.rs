//! The tables of credentials, and what they hold of an owner and of a key.

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::{Credential, CredentialKey, ExtId, Fault, decode, encode};

/// Model and key id.
type KeyPlace = (&'static str, Bytes);
/// Model, key id, owner.
type BehindPlace = (&'static str, Bytes, &'static str);
/// Owner, model, key id.
type OwnedPlace = (&'static str, &'static str, Bytes);
type Bytes = &'static [u8];

/// Credential by model and key id.
const CREDENTIALS: TableDefinition<KeyPlace, Bytes> = TableDefinition::new("credentials");
/// What owners have with a server behind, by model, key id and owner.
const BEHIND: TableDefinition<BehindPlace, Bytes> = TableDefinition::new("credentials-behind");
/// The credentials of an owner, of both kinds.
pub(super) const OWNED: TableDefinition<OwnedPlace, ()> = TableDefinition::new("credential-owners");

pub(in super::super) fn make_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(CREDENTIALS)?;
    transaction.open_table(BEHIND)?;
    transaction.open_table(OWNED)?;
    Ok(())
}

pub(super) fn key(of: &CredentialKey) -> (&str, &[u8]) {
    (of.aaid(), of.key_id())
}

fn behind<'a>(owner: &'a ExtId, of: &'a CredentialKey) -> (&'a str, &'a [u8], &'a str) {
    (of.aaid(), of.key_id(), owner.as_str())
}

fn owned<'a>(owner: &'a ExtId, of: &'a CredentialKey) -> (&'a str, &'a str, &'a [u8]) {
    (owner.as_str(), of.aaid(), of.key_id())
}

/// All of them, in one transaction.
pub(super) struct Tables<C, B, O> {
    /// Credentials that are here.
    pub(super) here: C,
    behind: B,
    owned: O,
}

type Written<'t> = Tables<Table<'t, KeyPlace, Bytes>, Table<'t, BehindPlace, Bytes>, Table<'t, OwnedPlace, ()>>;
type Read = Tables<ReadOnlyTable<KeyPlace, Bytes>, ReadOnlyTable<BehindPlace, Bytes>, ReadOnlyTable<OwnedPlace, ()>>;

impl Read {
    pub(super) fn to_read(transaction: &ReadTransaction) -> Result<Self, Fault> {
        let (here, behind) = (transaction.open_table(CREDENTIALS)?, transaction.open_table(BEHIND)?);
        Ok(Self { here, behind, owned: transaction.open_table(OWNED)? })
    }
}

impl<'t> Written<'t> {
    pub(super) fn to_write(transaction: &'t WriteTransaction) -> Result<Self, Fault> {
        let (here, behind) = (transaction.open_table(CREDENTIALS)?, transaction.open_table(BEHIND)?);
        Ok(Self { here, behind, owned: transaction.open_table(OWNED)? })
    }

    /// Whether there was none in its place.
    pub(super) fn put(&mut self, credential: &Credential) -> Result<bool, Fault> {
        let (owner, of, bytes) = (&credential.owner, &credential.key, encode(credential)?);
        let is_new = match credential.behind {
            Some(_) => self.behind.insert(behind(owner, of), bytes.as_slice())?.is_none(),
            None => self.here.insert(key(of), bytes.as_slice())?.is_none(),
        };
        // An owner has one of a key, of whichever kind.
        Ok(self.owned.insert(owned(owner, of), ())?.is_none() && is_new)
    }

    pub(super) fn remove(&mut self, credential: &Credential) -> Result<(), Fault> {
        let (owner, of) = (&credential.owner, &credential.key);
        if self.behind.remove(behind(owner, of))?.is_none() {
            self.here.remove(key(of))?;
        }
        self.owned.remove(owned(owner, of))?;
        Ok(())
    }
}

impl<C, B, O> Tables<C, B, O>
where
    C: ReadableTable<KeyPlace, Bytes>,
    B: ReadableTable<BehindPlace, Bytes>,
    O: ReadableTable<OwnedPlace, ()>,
{
    /// An owner's credential of this key, of either kind.
    pub(super) fn of_owner(&self, owner: &ExtId, of: &CredentialKey) -> Result<Option<Credential>, Fault> {
        if let Some(bytes) = self.behind.get(behind(owner, of))? {
            return Ok(Some(decode(bytes.value())?));
        }
        let here = self.here.get(key(of))?.map(|bytes| decode::<Credential>(bytes.value())).transpose()?;
        Ok(here.filter(|credential| credential.owner == *owner))
    }

    /// What owners have of this key with a server behind.
    pub(super) fn of_key(&self, of: &CredentialKey) -> Result<Vec<Credential>, Fault> {
        let mut found: Vec<Credential> = Vec::new();
        for entry in self.behind.range((of.aaid(), of.key_id(), "")..)? {
            let (place, bytes) = entry?;
            let (aaid, key_id, _) = place.value();
            if (aaid, key_id) != key(of) {
                break;
            }
            found.push(decode(bytes.value())?);
        }
        // Files of before each owner had one of his own have it among those that are here.
        let here = self.here.get(key(of))?.map(|bytes| decode::<Credential>(bytes.value())).transpose()?;
        let older = here.filter(|older| older.behind.is_some() && found.iter().all(|newer| newer.owner != older.owner));
        found.extend(older);
        Ok(found)
    }

    /// An owner's credentials, oldest first.
    pub(super) fn list(&self, owner: &ExtId) -> Result<Vec<Credential>, Fault> {
        let mut found: Vec<Credential> = Vec::new();
        for of in self.keys(owner)? {
            found.extend(self.of_owner(owner, &of)?);
        }
        found.sort_by_key(|credential| credential.created);
        Ok(found)
    }

    /// How many credentials an owner has.
    pub(super) fn count(&self, owner: &ExtId) -> Result<usize, Fault> {
        Ok(self.keys(owner)?.len())
    }

    fn keys(&self, owner: &ExtId) -> Result<Vec<CredentialKey>, Fault> {
        let mut keys = Vec::new();
        for entry in self.owned.range((owner.as_str(), "", &[][..])..)? {
            let (place, _) = entry?;
            let (of, aaid, key_id) = place.value();
            if of != owner.as_str() {
                break;
            }
            keys.push(CredentialKey::new(aaid, key_id));
        }
        Ok(keys)
    }
}
