//! UAF credentials in the file.

use std::collections::BTreeSet;

use async_trait::async_trait;
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use sidegate_filters::clock::Millis;

use super::{Embedded, Fault, decode, encode};
use crate::store::credentials::{
    CREDENTIALS_PER_OWNER, CounterError, Credential, CredentialError, CredentialKey, Credentials, Removal,
};
use crate::store::{ExtId, StoreError};

/// Credential by model and key id.
const CREDENTIALS: TableDefinition<(&str, &[u8]), &[u8]> = TableDefinition::new("credentials");
/// The credentials of an owner: (owner, model, key id).
const OWNED: TableDefinition<(&str, &str, &[u8]), ()> = TableDefinition::new("credential-owners");

type Bytes = &'static [u8];

pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(CREDENTIALS)?;
    transaction.open_table(OWNED)?;
    Ok(())
}

fn key(of: &CredentialKey) -> (&str, &[u8]) {
    (of.aaid(), of.key_id())
}

fn owned<'a>(owner: &'a ExtId, of: &'a CredentialKey) -> (&'a str, &'a str, &'a [u8]) {
    (owner.as_str(), of.aaid(), of.key_id())
}

/// An owner's credentials, oldest first.
fn list(
    owners: &impl ReadableTable<(&'static str, &'static str, Bytes), ()>,
    credentials: &impl ReadableTable<(&'static str, Bytes), Bytes>,
    owner: &ExtId,
) -> Result<Vec<Credential>, Fault> {
    let mut found: Vec<Credential> = Vec::new();
    for entry in owners.range((owner.as_str(), "", &[][..])..)? {
        let (place, _) = entry?;
        let (of, aaid, key_id) = place.value();
        if of != owner.as_str() {
            break;
        }
        if let Some(bytes) = credentials.get((aaid, key_id))? {
            found.push(decode(bytes.value())?);
        }
    }
    found.sort_by_key(|credential| credential.created);
    Ok(found)
}

/// How many credentials an owner has.
fn count(owners: &impl ReadableTable<(&'static str, &'static str, Bytes), ()>, owner: &ExtId) -> Result<usize, Fault> {
    let mut count: usize = 0;
    for entry in owners.range((owner.as_str(), "", &[][..])..)? {
        if entry?.0.value().0 != owner.as_str() {
            break;
        }
        count = count.saturating_add(1);
    }
    Ok(count)
}

fn add_all(transaction: &WriteTransaction, added: &[Credential]) -> Result<Result<(), CredentialError>, Fault> {
    let mut credentials = transaction.open_table(CREDENTIALS)?;
    let mut owners = transaction.open_table(OWNED)?;
    for credential in added {
        if credentials.insert(key(&credential.key), encode(credential)?.as_slice())?.is_some() {
            return Ok(Err(CredentialError::Registered));
        }
        owners.insert(owned(&credential.owner, &credential.key), ())?;
    }
    for owner in added.iter().map(|credential| &credential.owner).collect::<BTreeSet<_>>() {
        if count(&owners, owner)? > CREDENTIALS_PER_OWNER {
            return Ok(Err(CredentialError::TooMany));
        }
    }
    Ok(Ok(()))
}

fn confirm(transaction: &WriteTransaction, owner: &ExtId, keys: &[CredentialKey]) -> Result<bool, Fault> {
    let mut credentials = transaction.open_table(CREDENTIALS)?;
    let mut confirmed = Vec::with_capacity(keys.len());
    for of in keys {
        let stored = credentials.get(key(of))?.map(|bytes| decode::<Credential>(bytes.value())).transpose()?;
        let Some(mut credential) = stored.filter(|credential| credential.owner == *owner) else { return Ok(false) };
        if let Some(behind) = &mut credential.behind {
            behind.confirmed = true;
        }
        confirmed.push(credential);
    }
    for credential in &confirmed {
        credentials.insert(key(&credential.key), encode(credential)?.as_slice())?;
    }
    Ok(true)
}

fn advance(
    transaction: &WriteTransaction,
    of: &CredentialKey,
    received: u32,
    now: Millis,
) -> Result<Result<(), CounterError>, Fault> {
    let mut credentials = transaction.open_table(CREDENTIALS)?;
    let stored = credentials.get(key(of))?.map(|bytes| decode::<Credential>(bytes.value())).transpose()?;
    let Some(mut credential) = stored else { return Ok(Err(CounterError::NotFound)) };
    let both_zero = received == 0 && credential.sign_counter == 0;
    if !both_zero && received <= credential.sign_counter {
        return Ok(Err(CounterError::NotAdvanced));
    }
    credential.sign_counter = received;
    credential.last_used = Some(now);
    credentials.insert(key(of), encode(&credential)?.as_slice())?;
    Ok(Ok(()))
}

fn remove(transaction: &WriteTransaction, owner: &ExtId, which: &Removal) -> Result<Vec<CredentialKey>, Fault> {
    let mut credentials = transaction.open_table(CREDENTIALS)?;
    let mut owners = transaction.open_table(OWNED)?;
    let mut chosen = list(&owners, &credentials, owner)?;
    chosen.retain(|credential| which.covers(credential));
    for credential in &chosen {
        credentials.remove(key(&credential.key))?;
        owners.remove(owned(owner, &credential.key))?;
    }
    Ok(chosen.into_iter().map(|credential| credential.key).collect())
}

#[async_trait]
impl Credentials for Embedded {
    async fn add_all(&self, credentials: Vec<Credential>) -> Result<(), CredentialError> {
        self.write(move |transaction| add_all(transaction, &credentials)).await
    }

    async fn confirm(&self, owner: &ExtId, keys: &[CredentialKey]) -> Result<bool, StoreError> {
        let (owner, keys) = (owner.clone(), keys.to_vec());
        self.write(move |transaction| Ok(Ok(confirm(transaction, &owner, &keys)?))).await
    }

    async fn get(&self, of: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        self.read(|transaction| {
            transaction.open_table(CREDENTIALS)?.get(key(of))?.map(|bytes| decode(bytes.value())).transpose()
        })
    }

    async fn list(&self, owner: &ExtId) -> Result<Vec<Credential>, StoreError> {
        self.read(|transaction| list(&transaction.open_table(OWNED)?, &transaction.open_table(CREDENTIALS)?, owner))
    }

    async fn advance_counter(&self, of: &CredentialKey, received: u32, now: Millis) -> Result<(), CounterError> {
        let of = of.clone();
        self.write(move |transaction| advance(transaction, &of, received, now)).await
    }

    async fn remove(&self, owner: &ExtId, which: &Removal) -> Result<Vec<CredentialKey>, StoreError> {
        let (owner, which) = (owner.clone(), which.clone());
        self.write(move |transaction| Ok(Ok(remove(transaction, &owner, &which)?))).await
    }

    async fn owners(&self) -> Result<BTreeSet<ExtId>, StoreError> {
        self.read(|transaction| {
            let owners = transaction.open_table(OWNED)?;
            owners.iter()?.map(|entry| Ok(entry?.0.value().0.into())).collect()
        })
    }
}
