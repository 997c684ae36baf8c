//! What a user has in the file, seen or removed in one transaction.

use async_trait::async_trait;
use redb::{ReadTransaction, WriteTransaction};

use super::{Embedded, Fault, credentials, keys_behind, targets};
use crate::store::belongings::{Belongings, Removed};
use crate::store::{ExtId, Removal, StoreError};

fn has_keys(transaction: &ReadTransaction, owner: &ExtId, names: &[String]) -> Result<bool, Fault> {
    let inside = credentials::names(transaction, owner)?;
    let mut elsewhere = names.iter().filter(|name| !inside.contains(name)).peekable();
    if elsewhere.peek().is_none() {
        return Ok(true);
    }
    let behind = keys_behind::confirmed_names(transaction, owner)?;
    Ok(elsewhere.all(|name| behind.contains(name)))
}

fn remove_device(transaction: &WriteTransaction, owner: &ExtId, device_id: &str) -> Result<Removed, Fault> {
    let is_its = |device: &Option<String>| device.as_deref() == Some(device_id);
    let targets = targets::remove_where(transaction, owner, |target| is_its(&target.device_id))?;
    let credentials = credentials::remove_where(transaction, owner, |credential| is_its(&credential.device_id))?;
    Ok(Removed { targets, credentials })
}

fn remove_all(transaction: &WriteTransaction, owner: &ExtId) -> Result<Removed, Fault> {
    let targets = targets::remove_where(transaction, owner, |_| true)?;
    let mut credentials = credentials::remove_where(transaction, owner, |_| true)?;
    credentials.extend(keys_behind::forget(transaction, owner, &Removal::All)?);
    Ok(Removed { targets, credentials })
}

#[async_trait]
impl Belongings for Embedded {
    async fn has_keys(&self, owner: &ExtId, names: &[String]) -> Result<bool, StoreError> {
        self.read(|transaction| has_keys(transaction, owner, names))
    }

    async fn remove_device(&self, owner: &ExtId, device_id: &str) -> Result<Removed, StoreError> {
        let (owner, device_id) = (owner.clone(), device_id.to_owned());
        self.write(move |transaction| Ok(Ok(remove_device(transaction, &owner, &device_id)?))).await
    }

    async fn remove_all(&self, owner: &ExtId) -> Result<Removed, StoreError> {
        let owner = owner.clone();
        self.write(move |transaction| Ok(Ok(remove_all(transaction, &owner)?))).await
    }
}
