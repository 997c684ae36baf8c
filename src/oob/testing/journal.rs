//! Stores that write down what they are asked: two callers for whom the same was done can't be told apart by that work.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sidegate_filters::clock::Millis;

use crate::store::operation::{Event, Operation, OperationId};
use crate::store::users::{Costs, PasswordHash, PasswordStamp};
use crate::store::{
    AddedLogin, ChallengeDigest, Challenges, CounterError, Credential, CredentialError, CredentialKey, Credentials,
    ExtId, Growth, Operations, Origin, Removal, SessionKey, SessionRecord, Sessions, StoreError, Target, TargetError,
    TargetUpdate, Targets, Transition, TransitionError, User, UserError, Users,
};

/// What was asked, in its order.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<&'static str>>>);

impl Journal {
    fn note(&self, question: &'static str) {
        self.0.lock().unwrap().push(question);
    }

    /// What was asked since the last time.
    pub(crate) fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A store that is written down.
pub(crate) struct Journaled<S: ?Sized> {
    pub(crate) journal: Journal,
    pub(crate) store: Arc<S>,
}

#[async_trait]
impl Users for Journaled<dyn Users> {
    async fn by_name(&self, name: &str) -> Result<Option<User>, StoreError> {
        self.journal.note("users.by_name");
        self.store.by_name(name).await
    }

    async fn by_ext_id(&self, ext_id: &ExtId) -> Result<Option<User>, StoreError> {
        self.journal.note("users.by_ext_id");
        self.store.by_ext_id(ext_id).await
    }

    async fn password_stamp(&self, ext_id: &ExtId) -> Result<Option<PasswordStamp>, StoreError> {
        self.journal.note("users.password_stamp");
        self.store.password_stamp(ext_id).await
    }

    async fn roles(&self, ext_id: &ExtId) -> Result<Vec<String>, StoreError> {
        self.journal.note("users.roles");
        self.store.roles(ext_id).await
    }

    async fn costs(&self) -> Result<Costs, StoreError> {
        self.journal.note("users.costs");
        self.store.costs().await
    }

    async fn list(&self) -> Result<Vec<User>, StoreError> {
        self.journal.note("users.list");
        self.store.list().await
    }

    async fn add(&self, name: &str, password: PasswordHash) -> Result<User, UserError> {
        self.journal.note("users.add");
        self.store.add(name, password).await
    }

    async fn set_password(&self, name: &str, password: PasswordHash) -> Result<Option<User>, UserError> {
        self.journal.note("users.set_password");
        self.store.set_password(name, password).await
    }

    async fn set_roles(&self, name: &str, roles: Vec<String>) -> Result<Option<User>, UserError> {
        self.journal.note("users.set_roles");
        self.store.set_roles(name, roles).await
    }

    async fn removed(&self) -> Result<BTreeSet<ExtId>, StoreError> {
        self.journal.note("users.removed");
        self.store.removed().await
    }

    async fn remove(&self, name: &str) -> Result<Option<User>, UserError> {
        self.journal.note("users.remove");
        self.store.remove(name).await
    }
}

#[async_trait]
impl Operations for Journaled<dyn Operations> {
    async fn create(&self, operation: Operation, origin: &Origin) -> Result<(), StoreError> {
        self.journal.note("operations.create");
        self.store.create(operation, origin).await
    }

    async fn get(&self, id: OperationId) -> Result<Option<Arc<Operation>>, StoreError> {
        self.journal.note("operations.get");
        self.store.get(id).await
    }

    async fn transition(&self, id: OperationId, event: Event) -> Result<Transition, TransitionError> {
        self.journal.note("operations.transition");
        self.store.transition(id, event).await
    }

    async fn discard(&self, id: OperationId) -> Result<(), StoreError> {
        self.journal.note("operations.discard");
        self.store.discard(id).await
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        self.journal.note("operations.sweep");
        self.store.sweep().await
    }
}

#[async_trait]
impl Challenges for Journaled<dyn Challenges> {
    async fn remember(
        &self,
        challenge: ChallengeDigest,
        operation: OperationId,
        until: Millis,
        origin: &Origin,
        growth: Growth,
    ) -> Result<(), StoreError> {
        self.journal.note("challenges.remember");
        self.store.remember(challenge, operation, until, origin, growth).await
    }

    async fn forget(&self, challenge: ChallengeDigest) -> Result<(), StoreError> {
        self.journal.note("challenges.forget");
        self.store.forget(challenge).await
    }

    fn room(&self) -> usize {
        self.store.room()
    }

    async fn find(&self, challenge: ChallengeDigest) -> Result<Option<OperationId>, StoreError> {
        self.journal.note("challenges.find");
        self.store.find(challenge).await
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        self.journal.note("challenges.sweep");
        self.store.sweep().await
    }
}

#[async_trait]
impl Credentials for Journaled<dyn Credentials> {
    async fn add_all(
        &self,
        credentials: Vec<Credential>,
        beside: Option<BTreeSet<CredentialKey>>,
    ) -> Result<(), CredentialError> {
        self.journal.note("credentials.add_all");
        self.store.add_all(credentials, beside).await
    }

    async fn get(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        self.journal.note("credentials.get");
        self.store.get(key).await
    }

    async fn list(&self, owner: &ExtId) -> Result<Vec<Credential>, StoreError> {
        self.journal.note("credentials.list");
        self.store.list(owner).await
    }

    async fn advance_all(&self, received: &[(CredentialKey, u32)], now: Millis) -> Result<Vec<String>, CounterError> {
        self.journal.note("credentials.advance_all");
        self.store.advance_all(received, now).await
    }

    async fn remove(&self, owner: &ExtId, which: &Removal) -> Result<Vec<CredentialKey>, StoreError> {
        self.journal.note("credentials.remove");
        self.store.remove(owner, which).await
    }

    async fn owners(&self) -> Result<BTreeSet<ExtId>, StoreError> {
        self.journal.note("credentials.owners");
        self.store.owners().await
    }
}

#[async_trait]
impl Targets for Journaled<dyn Targets> {
    async fn create(&self, target: Target) -> Result<(), TargetError> {
        self.journal.note("targets.create");
        self.store.create(target).await
    }

    async fn get(&self, id: &str) -> Result<Option<Target>, StoreError> {
        self.journal.note("targets.get");
        self.store.get(id).await
    }

    async fn list(&self, owner: &ExtId) -> Result<Vec<Target>, StoreError> {
        self.journal.note("targets.list");
        self.store.list(owner).await
    }

    async fn key_is_shared(&self, thumbprint: &str) -> Result<bool, StoreError> {
        self.journal.note("targets.key_is_shared");
        self.store.key_is_shared(thumbprint).await
    }

    async fn update(&self, id: &str, update: TargetUpdate) -> Result<Target, TargetError> {
        self.journal.note("targets.update");
        self.store.update(id, update).await
    }

    async fn delete(&self, id: &str, owner: &ExtId) -> Result<bool, StoreError> {
        self.journal.note("targets.delete");
        self.store.delete(id, owner).await
    }

    async fn owners(&self) -> Result<BTreeSet<ExtId>, StoreError> {
        self.journal.note("targets.owners");
        self.store.owners().await
    }
}

#[async_trait]
impl Sessions for Journaled<dyn Sessions> {
    async fn create(&self, key: SessionKey, record: SessionRecord) -> Result<(), StoreError> {
        self.journal.note("sessions.create");
        self.store.create(key, record).await
    }

    async fn touch(&self, key: &SessionKey) -> Result<Option<SessionRecord>, StoreError> {
        self.journal.note("sessions.touch");
        self.store.touch(key).await
    }

    async fn look(&self, key: &SessionKey) -> Result<Option<SessionRecord>, StoreError> {
        self.journal.note("sessions.look");
        self.store.look(key).await
    }

    async fn renew(
        &self,
        old: &SessionKey,
        new: SessionKey,
        added: AddedLogin,
    ) -> Result<Option<SessionRecord>, StoreError> {
        self.journal.note("sessions.renew");
        self.store.renew(old, new, added).await
    }

    async fn raise(&self, key: &SessionKey, added: AddedLogin) -> Result<Option<SessionRecord>, StoreError> {
        self.journal.note("sessions.raise");
        self.store.raise(key, added).await
    }

    async fn end(&self, key: &SessionKey) -> Result<(), StoreError> {
        self.journal.note("sessions.end");
        self.store.end(key).await
    }

    async fn generation(&self, user: &ExtId) -> Result<u64, StoreError> {
        self.journal.note("sessions.generation");
        self.store.generation(user).await
    }

    async fn end_all(&self, user: &ExtId) -> Result<(), StoreError> {
        self.journal.note("sessions.end_all");
        self.store.end_all(user).await
    }

    async fn of(&self, user: &ExtId, sid: &str) -> Result<Option<SessionRecord>, StoreError> {
        self.journal.note("sessions.of");
        self.store.of(user, sid).await
    }

    async fn list(&self, user: &ExtId) -> Result<Vec<SessionRecord>, StoreError> {
        self.journal.note("sessions.list");
        self.store.list(user).await
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        self.journal.note("sessions.sweep");
        self.store.sweep().await
    }
}
