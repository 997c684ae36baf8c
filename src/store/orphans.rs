//! What removed users leave behind (`gateway.md` 5).

use std::collections::BTreeSet;

use crate::store::{Credentials, ExtId, KeysBehind, StoreError, Targets, Users};

/// Who has targets, credentials or keys behind without being a user.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Orphans {
    /// Who was removed: what they have is to go.
    pub removed: BTreeSet<ExtId>,
    /// Whose removal nobody recorded: their users may have got lost, and what they have stays.
    pub unexplained: BTreeSet<ExtId>,
}

impl Orphans {
    /// Looks for them.
    ///
    /// # Errors
    /// If a store can't be asked.
    pub async fn find(
        users: &dyn Users,
        targets: &dyn Targets,
        credentials: &dyn Credentials,
        keys_behind: &dyn KeysBehind,
    ) -> Result<Self, StoreError> {
        // The owners before the users: who comes in between is then a user already. Removals before the users, too: who is
        // put back in between is one.
        let mut owners = targets.owners().await?;
        owners.append(&mut credentials.owners().await?);
        owners.append(&mut keys_behind.owners().await?);
        let removed = users.removed().await?;
        let existing: BTreeSet<ExtId> = users.list().await?.into_iter().map(|user| user.ext_id).collect();
        let orphans = owners.into_iter().filter(|owner| !existing.contains(owner));
        let (removed, unexplained) = orphans.partition(|owner| removed.contains(owner));
        Ok(Self { removed, unexplained })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sidegate_filters::clock::SystemClock;

    use super::*;
    use crate::store::contract;
    use crate::store::{Embedded, PasswordHash, Standing, User, UsersFile};

    #[tokio::test]
    async fn only_a_recorded_removal_gives_anything_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        let users = UsersFile::open(&path).unwrap();
        let store = Embedded::open(&folder.path().join("store.redb"), Arc::new(SystemClock)).unwrap();
        let hash = PasswordHash::of(b"x").unwrap();
        let (jeff, eve) =
            (users.add("jeff", hash.clone()).await.unwrap(), users.add("eve", hash.clone()).await.unwrap());
        let joe = users.add("joe", hash).await.unwrap();
        store.create(contract::targets::target(jeff.ext_id.as_str(), "phone")).await.unwrap();
        store
            .add_all(vec![contract::credentials::credential(eve.ext_id.as_str(), "FFFF#0001", 1)], None)
            .await
            .unwrap();
        store.expect(vec![contract::keys_behind::key(joe.ext_id.as_str(), 1, Standing::Expected)]).await.unwrap();
        let find = async |users: &UsersFile| Orphans::find(users, &store, &store, &store).await.unwrap();
        let of = |users: &[&User]| users.iter().map(|user| user.ext_id.clone()).collect::<BTreeSet<_>>();
        assert_eq!(find(&users).await, Orphans::default());
        let both = std::fs::read(&path).unwrap();
        users.remove("eve").await.unwrap();
        assert_eq!(find(&users).await, Orphans { removed: of(&[&eve]), ..Orphans::default() });

        let another = UsersFile::open(folder.path().join("another")).unwrap();
        for _ in 0..2 {
            assert_eq!(find(&another).await, Orphans { unexplained: of(&[&jeff, &eve, &joe]), ..Orphans::default() });
            another.add("jeff", PasswordHash::of(b"x").unwrap()).await.unwrap();
            another.remove("jeff").await.unwrap();
        }
        let removals = format!("#removed:{}\n", eve.ext_id).into_bytes();
        std::fs::write(&path, [removals, both].concat()).unwrap();
        assert_eq!(find(&users).await, Orphans::default(), "whoever was put back is a user");
    }
}
