//! UAF credentials in the file.

mod tables;

use std::collections::BTreeSet;

use async_trait::async_trait;
use redb::{ReadTransaction, ReadableTable, WriteTransaction};
use sidegate_filters::clock::Millis;

use super::{Embedded, Fault, decode, encode};
use crate::store::credentials::{
    CounterError, Credential, CredentialError, CredentialKey, Credentials, Removal, is_within_limits,
};
use crate::store::{ExtId, StoreError};
use tables::{OWNED, Tables};

pub(super) use tables::make_tables;

fn add_all(
    transaction: &WriteTransaction,
    added: &[Credential],
    beside: Option<&BTreeSet<CredentialKey>>,
) -> Result<Result<(), CredentialError>, Fault> {
    let mut tables = Tables::to_write(transaction)?;
    let owners: BTreeSet<_> = added.iter().map(|credential| &credential.owner).collect();
    if let Some(beside) = beside {
        for owner in &owners {
            if !tables.keys(owner)?.iter().all(|key| beside.contains(key)) {
                return Ok(Err(CredentialError::NotFirst));
            }
        }
    }
    for credential in added {
        if !tables.put(credential)? {
            return Ok(Err(CredentialError::Registered));
        }
    }
    for owner in owners {
        if !is_within_limits(&tables.keys(owner)?) {
            return Ok(Err(CredentialError::TooMany));
        }
    }
    Ok(Ok(()))
}

fn advance_all(
    transaction: &WriteTransaction,
    received: &[(CredentialKey, u32)],
    now: Millis,
) -> Result<Result<Vec<String>, CounterError>, Fault> {
    let mut tables = Tables::to_write(transaction)?;
    let mut ext_ids = Vec::with_capacity(received.len());
    for (of, received) in received {
        let Some(mut credential) = tables.get(of)? else { return Ok(Err(CounterError::NotFound)) };
        let both_zero = *received == 0 && credential.sign_counter == 0;
        if !both_zero && *received <= credential.sign_counter {
            return Ok(Err(CounterError::NotAdvanced));
        }
        credential.sign_counter = *received;
        credential.last_used = Some(now);
        tables.put(&credential)?;
        ext_ids.push(credential.ext_id);
    }
    Ok(Ok(ext_ids))
}

/// What we call an owner's credentials.
pub(super) fn names(transaction: &ReadTransaction, owner: &ExtId) -> Result<Vec<String>, Fault> {
    let credentials = Tables::to_read(transaction)?.list(owner)?;
    Ok(credentials.into_iter().map(|credential| credential.ext_id).collect())
}

/// Removes an owner's credentials that are chosen.
pub(super) fn remove_where(
    transaction: &WriteTransaction,
    owner: &ExtId,
    chosen: impl Fn(&Credential) -> bool,
) -> Result<Vec<CredentialKey>, Fault> {
    let mut tables = Tables::to_write(transaction)?;
    let mut credentials = tables.list(owner)?;
    credentials.retain(chosen);
    for credential in &credentials {
        tables.remove(credential)?;
    }
    Ok(credentials.into_iter().map(|credential| credential.key).collect())
}

#[async_trait]
impl Credentials for Embedded {
    async fn add_all(
        &self,
        credentials: Vec<Credential>,
        beside: Option<BTreeSet<CredentialKey>>,
    ) -> Result<(), CredentialError> {
        self.write(move |transaction| add_all(transaction, &credentials, beside.as_ref())).await
    }

    async fn get(&self, of: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        self.read(|transaction| Tables::to_read(transaction)?.get(of))
    }

    async fn list(&self, owner: &ExtId) -> Result<Vec<Credential>, StoreError> {
        self.read(|transaction| Tables::to_read(transaction)?.list(owner))
    }

    async fn advance_all(&self, received: &[(CredentialKey, u32)], now: Millis) -> Result<Vec<String>, CounterError> {
        let received = received.to_vec();
        self.write(move |transaction| advance_all(transaction, &received, now)).await
    }

    async fn remove(&self, owner: &ExtId, which: &Removal) -> Result<Vec<CredentialKey>, StoreError> {
        let (owner, which) = (owner.clone(), which.clone());
        self.write(move |transaction| {
            Ok(Ok(remove_where(transaction, &owner, |credential| which.covers(&credential.key))?))
        })
        .await
    }

    async fn owners(&self) -> Result<BTreeSet<ExtId>, StoreError> {
        self.read(|transaction| {
            let owners = transaction.open_table(OWNED)?;
            owners.iter()?.map(|entry| Ok(entry?.0.value().0.into())).collect()
        })
    }
}
