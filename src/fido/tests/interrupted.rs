//! An operation that ends while its answer is being checked.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use sidegate_filters::clock::{Clock, Millis};
use sidegate_uaf::Folding;

use super::registration;
use crate::fido::{AnswerAt, Arrival, Embedded, EmbeddedSettings, Fido, Policies};
use crate::identity::DomainSessions;
use crate::oob::testing::{House, Phone, relying_party};
use crate::store::operation::{Event, Limits};
use crate::store::{
    CounterError, Credential, CredentialError, CredentialKey, Credentials, ExtId, OperationId, Operations, Removal,
    StoreError, Users,
};

/// What happens in the moment in which a credential is stored.
enum Meanwhile {
    Cancelled(Arc<dyn Operations>, OperationId),
    SessionsEnd(Arc<DomainSessions>),
}

/// Lets it happen.
struct Interrupted {
    inner: Arc<dyn Credentials>,
    meanwhile: Meanwhile,
}

#[async_trait]
impl Credentials for Interrupted {
    async fn add_all(
        &self,
        credentials: Vec<Credential>,
        beside: Option<BTreeSet<CredentialKey>>,
    ) -> Result<(), CredentialError> {
        self.inner.add_all(credentials, beside).await?;
        match &self.meanwhile {
            Meanwhile::Cancelled(operations, id) => drop(operations.transition(*id, Event::Cancel).await.unwrap()),
            Meanwhile::SessionsEnd(sessions) => sessions.end_all(&"ext-jeff".into()).await.unwrap(),
        }
        Ok(())
    }

    async fn get(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        self.inner.get(key).await
    }

    async fn list(&self, owner: &ExtId) -> Result<Vec<Credential>, StoreError> {
        self.inner.list(owner).await
    }

    async fn advance_all(&self, received: &[(CredentialKey, u32)], now: Millis) -> Result<Vec<String>, CounterError> {
        self.inner.advance_all(received, now).await
    }

    async fn remove(&self, owner: &ExtId, which: &Removal) -> Result<Vec<CredentialKey>, StoreError> {
        self.inner.remove(owner, which).await
    }

    async fn owners(&self) -> Result<BTreeSet<ExtId>, StoreError> {
        self.inner.owners().await
    }
}

async fn interrupted(meanwhile: impl FnOnce(&House, OperationId) -> Meanwhile, code: u64, status: u64) {
    let house = House::new();
    let response = Phone::new().register(&registration(&house).await).to_message();
    let relying_party = relying_party();
    let opened = relying_party.open(sidegate_uaf::wire::Operation::Reg, &response, None).unwrap();
    let id = OperationId(opened.operation_id().parse().unwrap());
    let inner = Arc::clone(&house.credentials);
    let fido = Embedded {
        decoys: None,
        relying_party,
        policies: Policies::built_in(),
        operations: Arc::clone(&house.operations),
        credentials: Arc::new(Interrupted { inner, meanwhile: meanwhile(&house, id) }),
        users: Arc::clone(&house.users) as Arc<dyn Users>,
        eras: house.eras.clone(),
        clock: Arc::clone(&house.clock) as Arc<dyn Clock>,
        channels: Vec::new(),
        settings: EmbeddedSettings { answer: Limits::default().answer, folding: Folding::Specific },
    };
    let arrival = Arrival { at: AnswerAt::Registration, uaf_response: &response, context: None, from: None };
    let refused = fido.open(&arrival).take().await.unwrap_err();
    assert!(refused.to_string().ends_with(&code.to_string()), "{refused}");
    assert!(house.credentials.list(&"ext-jeff".into()).await.unwrap().is_empty());
    assert_eq!(house.status(&id.to_string()).await["uafStatusCode"], status);
}

#[tokio::test]
async fn a_registration_that_was_cancelled_leaves_no_credential() {
    interrupted(|house, id| Meanwhile::Cancelled(Arc::clone(&house.operations), id), 1491, 1403).await;
}

#[tokio::test]
async fn nor_does_one_whose_session_ended_with_all_others() {
    interrupted(|house, _| Meanwhile::SessionsEnd(Arc::clone(&house.domain.sessions)), 1401, 1401).await;
}
