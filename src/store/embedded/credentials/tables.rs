//! The tables of credentials, and what they hold of an owner.

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::{Credential, CredentialKey, ExtId, Fault, decode, encode};

/// Model and key id.
type KeyPlace = (&'static str, Bytes);
/// Owner, model, key id.
type OwnedPlace = (&'static str, &'static str, Bytes);
type Bytes = &'static [u8];

/// Credential by model and key id.
const CREDENTIALS: TableDefinition<KeyPlace, Bytes> = TableDefinition::new("credentials");
/// The credentials of an owner.
pub(super) const OWNED: TableDefinition<OwnedPlace, ()> = TableDefinition::new("credential-owners");

pub(in super::super) fn make_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(CREDENTIALS)?;
    transaction.open_table(OWNED)?;
    Ok(())
}

fn place(of: &CredentialKey) -> (&str, &[u8]) {
    (of.aaid(), of.key_id())
}

fn owned<'a>(owner: &'a ExtId, of: &'a CredentialKey) -> (&'a str, &'a str, &'a [u8]) {
    (owner.as_str(), of.aaid(), of.key_id())
}

/// Both of them, in one transaction.
pub(super) struct Tables<C, O> {
    credentials: C,
    owned: O,
}

type Written<'t> = Tables<Table<'t, KeyPlace, Bytes>, Table<'t, OwnedPlace, ()>>;
type Read = Tables<ReadOnlyTable<KeyPlace, Bytes>, ReadOnlyTable<OwnedPlace, ()>>;

impl Read {
    pub(super) fn to_read(transaction: &ReadTransaction) -> Result<Self, Fault> {
        Ok(Self { credentials: transaction.open_table(CREDENTIALS)?, owned: transaction.open_table(OWNED)? })
    }
}

impl<'t> Written<'t> {
    pub(super) fn to_write(transaction: &'t WriteTransaction) -> Result<Self, Fault> {
        Ok(Self { credentials: transaction.open_table(CREDENTIALS)?, owned: transaction.open_table(OWNED)? })
    }

    /// Whether there was none in its place.
    pub(super) fn put(&mut self, credential: &Credential) -> Result<bool, Fault> {
        let (owner, of, bytes) = (&credential.owner, &credential.key, encode(credential)?);
        let is_new = self.credentials.insert(place(of), bytes.as_slice())?.is_none();
        self.owned.insert(owned(owner, of), ())?;
        Ok(is_new)
    }

    pub(super) fn remove(&mut self, credential: &Credential) -> Result<(), Fault> {
        self.credentials.remove(place(&credential.key))?;
        self.owned.remove(owned(&credential.owner, &credential.key))?;
        Ok(())
    }
}

impl<C: ReadableTable<KeyPlace, Bytes>, O: ReadableTable<OwnedPlace, ()>> Tables<C, O> {
    /// The credential of this key.
    pub(super) fn get(&self, of: &CredentialKey) -> Result<Option<Credential>, Fault> {
        self.credentials.get(place(of))?.map(|bytes| decode(bytes.value())).transpose()
    }

    /// An owner's credentials, oldest first.
    pub(super) fn list(&self, owner: &ExtId) -> Result<Vec<Credential>, Fault> {
        let mut found: Vec<Credential> = Vec::new();
        for of in self.keys(owner)? {
            found.extend(self.get(&of)?);
        }
        found.sort_by_key(|credential| credential.created);
        Ok(found)
    }

    /// What an owner's credentials are identified by.
    pub(super) fn keys(&self, owner: &ExtId) -> Result<Vec<CredentialKey>, Fault> {
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
