//! UAF credentials in the file.

mod tables;

use std::collections::BTreeSet;

use async_trait::async_trait;
use redb::{ReadableTable, WriteTransaction};
use sidegate_filters::clock::Millis;

use super::{Embedded, Fault, decode, encode};
use crate::store::credentials::{
    CREDENTIALS_PER_OWNER, CounterError, Credential, CredentialError, CredentialKey, Credentials, Removal,
};
use crate::store::{ExtId, StoreError};
use tables::{OWNED, Tables, key};

pub(super) use tables::make_tables;

fn add_all(transaction: &WriteTransaction, added: &[Credential]) -> Result<Result<(), CredentialError>, Fault> {
    let mut tables = Tables::to_write(transaction)?;
    for credential in added {
        let replaces = credential.behind.is_some()
            && tables.of_owner(&credential.owner, &credential.key)?.is_some_and(|known| known.is_doubted());
        let is_new = tables.put(credential)?;
        if !is_new && !replaces {
            return Ok(Err(CredentialError::Registered));
        }
    }
    for owner in added.iter().map(|credential| &credential.owner).collect::<BTreeSet<_>>() {
        if tables.count(owner)? > CREDENTIALS_PER_OWNER {
            return Ok(Err(CredentialError::TooMany));
        }
    }
    Ok(Ok(()))
}

fn confirm(transaction: &WriteTransaction, owner: &ExtId, keys: &[CredentialKey]) -> Result<bool, Fault> {
    let mut tables = Tables::to_write(transaction)?;
    let mut confirmed = Vec::with_capacity(keys.len());
    for of in keys {
        let stored = tables.of_owner(owner, of)?.filter(|credential| !credential.is_doubted());
        let Some(mut credential) = stored else { return Ok(false) };
        if let Some(behind) = &mut credential.behind {
            behind.confirmed = true;
        }
        confirmed.push(credential);
    }
    for credential in &confirmed {
        tables.put(credential)?;
    }
    Ok(true)
}

fn doubt(transaction: &WriteTransaction, doubted: Vec<Credential>) -> Result<(), Fault> {
    let mut tables = Tables::to_write(transaction)?;
    for mut credential in doubted {
        if let Some(behind) = &mut credential.behind {
            (behind.confirmed, behind.doubted) = (false, true);
        }
        tables.put(&credential)?;
    }
    Ok(())
}

fn retire(
    transaction: &WriteTransaction,
    owner: &ExtId,
    which: &Removal,
    settled: Millis,
) -> Result<Vec<CredentialKey>, Fault> {
    let mut chosen = Tables::to_write(transaction)?.list(owner)?;
    chosen.retain(|credential| which.covers(credential));
    let (gone, open): (Vec<_>, Vec<_>) =
        chosen.into_iter().partition(|credential| credential.is_confirmed() || credential.created < settled);
    doubt(transaction, open)?;
    let mut tables = Tables::to_write(transaction)?;
    for credential in &gone {
        tables.remove(credential)?;
    }
    Ok(gone.into_iter().map(|credential| credential.key).collect())
}

fn advance(
    transaction: &WriteTransaction,
    of: &CredentialKey,
    received: u32,
    now: Millis,
) -> Result<Result<(), CounterError>, Fault> {
    let mut tables = Tables::to_write(transaction)?;
    let stored = tables.here.get(key(of))?.map(|bytes| decode::<Credential>(bytes.value())).transpose()?;
    let Some(mut credential) = stored else { return Ok(Err(CounterError::NotFound)) };
    let both_zero = received == 0 && credential.sign_counter == 0;
    if !both_zero && received <= credential.sign_counter {
        return Ok(Err(CounterError::NotAdvanced));
    }
    credential.sign_counter = received;
    credential.last_used = Some(now);
    tables.here.insert(key(of), encode(&credential)?.as_slice())?;
    Ok(Ok(()))
}

fn remove(transaction: &WriteTransaction, owner: &ExtId, which: &Removal) -> Result<Vec<CredentialKey>, Fault> {
    let mut tables = Tables::to_write(transaction)?;
    let mut chosen = tables.list(owner)?;
    chosen.retain(|credential| which.covers(credential));
    for credential in &chosen {
        tables.remove(credential)?;
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

    async fn doubt(&self, credentials: Vec<Credential>) -> Result<(), StoreError> {
        self.write(move |transaction| Ok(Ok(doubt(transaction, credentials)?))).await
    }

    async fn retire(&self, owner: &ExtId, which: &Removal, settled: Millis) -> Result<Vec<CredentialKey>, StoreError> {
        let (owner, which) = (owner.clone(), which.clone());
        self.write(move |transaction| Ok(Ok(retire(transaction, &owner, &which, settled)?))).await
    }

    async fn behind(&self, key: &CredentialKey) -> Result<Vec<Credential>, StoreError> {
        self.read(|transaction| Tables::to_read(transaction)?.of_key(key))
    }

    async fn get(&self, of: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        self.read(|transaction| {
            let tables = Tables::to_read(transaction)?;
            tables.here.get(key(of))?.map(|bytes| decode(bytes.value())).transpose()
        })
    }

    async fn list(&self, owner: &ExtId) -> Result<Vec<Credential>, StoreError> {
        self.read(|transaction| Tables::to_read(transaction)?.list(owner))
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
