//! An operation that ends while its answer is being checked.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use sidegate_filters::clock::{Clock, Millis};
use sidegate_uaf::Folding;

use super::registration;
use crate::fido::{AnswerAt, Arrival, Embedded, EmbeddedSettings, Fido, Policies};
use crate::oob::testing::{House, Phone, relying_party};
use crate::store::operation::{Event, Limits};
use crate::store::{
    CounterError, Credential, CredentialError, CredentialKey, Credentials, ExtId, OperationId, Operations, Removal,
    StoreError, Users,
};

/// Cancels an operation in the moment in which its credential is stored.
struct Cancelling {
    inner: Arc<dyn Credentials>,
    operations: Arc<dyn Operations>,
    id: OperationId,
}

#[async_trait]
impl Credentials for Cancelling {
    async fn add_all(
        &self,
        credentials: Vec<Credential>,
        beside: Option<BTreeSet<CredentialKey>>,
    ) -> Result<(), CredentialError> {
        self.inner.add_all(credentials, beside).await?;
        self.operations.transition(self.id, Event::Cancel).await.unwrap();
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

#[tokio::test]
async fn a_registration_that_was_cancelled_leaves_no_credential() {
    let house = House::new();
    let response = Phone::new().register(&registration(&house).await).to_message();
    let relying_party = relying_party();
    let opened = relying_party.open(sidegate_uaf::wire::Operation::Reg, &response, None).unwrap();
    let id = OperationId(opened.operation_id().parse().unwrap());
    let credentials =
        Arc::new(Cancelling { inner: Arc::clone(&house.credentials), operations: Arc::clone(&house.operations), id });
    let fido = Embedded {
        decoys: None,
        relying_party,
        policies: Policies::built_in(),
        operations: Arc::clone(&house.operations),
        credentials,
        users: Arc::clone(&house.users) as Arc<dyn Users>,
        eras: house.eras.clone(),
        clock: Arc::clone(&house.clock) as Arc<dyn Clock>,
        channels: Vec::new(),
        settings: EmbeddedSettings { answer: Limits::default().answer, folding: Folding::Specific },
    };
    let refused = fido
        .open(&Arrival { at: AnswerAt::Registration, uaf_response: &response, context: None, from: None })
        .take()
        .await
        .unwrap_err();
    assert!(refused.to_string().ends_with("1491"), "{refused}");
    assert!(house.credentials.list(&"ext-jeff".into()).await.unwrap().is_empty());
    assert_eq!(house.status(&id.to_string()).await["uafStatusCode"], 1403);
}
