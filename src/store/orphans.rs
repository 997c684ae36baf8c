//! What removed users leave behind (`gateway.md` 5).

use std::collections::BTreeSet;

use crate::store::{Credentials, ExtId, Removal, StoreError, Targets, Users};

/// How much was swept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Dispatch targets.
    pub targets: usize,
    /// UAF credentials.
    pub credentials: usize,
}

/// Removes the targets and credentials of users who exist no more. Where there are no users at all and nobody is known
/// to have been removed, nothing is: that is a fresh or a lost users file rather than everybody's removal.
///
/// # Errors
/// If a store can't be asked; what was removed until then stays removed.
pub async fn sweep_orphans(
    users: &dyn Users,
    targets: &dyn Targets,
    credentials: &dyn Credentials,
) -> Result<Swept, StoreError> {
    // The owners before the users: who comes in between is then a user already.
    let mut owners = targets.owners().await?;
    owners.append(&mut credentials.owners().await?);
    let existing: BTreeSet<ExtId> = users.list().await?.into_iter().map(|user| user.ext_id).collect();
    let mut swept = Swept::default();
    if existing.is_empty() && !users.all_removed().await? {
        return Ok(swept);
    }
    for orphan in owners.difference(&existing) {
        swept.targets += targets.delete_all(orphan).await?;
        swept.credentials += credentials.remove(orphan, &Removal::All).await?.len();
    }
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sidegate_filters::clock::SystemClock;

    use super::*;
    use crate::store::contract;
    use crate::store::{Embedded, PasswordHash, UsersFile};

    #[tokio::test]
    async fn only_what_belongs_to_nobody_goes() {
        let folder = tempfile::tempdir().unwrap();
        let users = UsersFile::open(folder.path().join("users")).unwrap();
        let store = Embedded::open(&folder.path().join("store.redb"), Arc::new(SystemClock)).unwrap();
        let hash = PasswordHash::of(b"x").unwrap();
        let (jeff, eve) = (users.add("jeff", hash.clone()).await.unwrap(), users.add("eve", hash).await.unwrap());
        for (number, user) in (1..).zip([&jeff, &eve]) {
            let ext_id = user.ext_id.as_str();
            store.create(contract::targets::target(ext_id, "phone")).await.unwrap();
            store.add_all(vec![contract::credentials::credential(ext_id, "FFFF#0001", number)]).await.unwrap();
        }
        assert_eq!(sweep_orphans(&users, &store, &store).await.unwrap(), Swept::default());
        users.remove("eve").await.unwrap();
        assert_eq!(sweep_orphans(&users, &store, &store).await.unwrap(), Swept { targets: 1, credentials: 1 });
        assert_eq!(Targets::owners(&store).await.unwrap(), [jeff.ext_id.clone()].into());
        let lost = UsersFile::open(folder.path().join("lost")).unwrap();
        assert_eq!(sweep_orphans(&lost, &store, &store).await.unwrap(), Swept::default(), "no users at all");
        assert_eq!(Credentials::owners(&store).await.unwrap(), [jeff.ext_id].into());
        users.remove("jeff").await.unwrap();
        assert_eq!(sweep_orphans(&users, &store, &store).await.unwrap(), Swept { targets: 1, credentials: 1 });
    }
}
