//! What becomes of a key between the verdict of the server behind and the record here.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use sidegate_filters::clock::Millis;
use sidegate_uaf::wire::{DeregisterAuthenticator, DeregistrationRequest};

use super::{both, both_with, during, keys, standings};
use crate::fido::tests::JEFF;
use crate::fido::{AnswerAt, Arrival, Subject, key_ref};
use crate::identity::DomainSessions;
use crate::oob::testing::{House, Phone, asker};
use crate::store::contract::keys_behind::key;
use crate::store::operation::OperationKind;
use crate::store::{
    CredentialError, CredentialKey, ExtId, KeyBehind, KeysBehind, Removal, Retired, Standing, StoreError,
};

/// A store in which something comes between.
struct Troubled(Arc<dyn KeysBehind>, Trouble);

enum Trouble {
    /// Nothing can be confirmed.
    Fails,
    /// This key comes on record just before others are retired.
    Comes(KeyBehind),
    /// All sessions of jeff end just after his key was confirmed.
    SessionsEnd(Arc<DomainSessions>),
}

impl Troubled {
    fn over(front: &House, trouble: Trouble) -> Arc<dyn KeysBehind> {
        Arc::new(Self(front.keys_behind.clone(), trouble))
    }
}

#[async_trait]
impl KeysBehind for Troubled {
    async fn expect(&self, keys: Vec<KeyBehind>) -> Result<(), CredentialError> {
        self.0.expect(keys).await
    }

    async fn learn(&self, keys: Vec<KeyBehind>) -> Result<(), CredentialError> {
        self.0.learn(keys).await
    }

    async fn confirm(&self, expected: &[KeyBehind], first: bool) -> Result<bool, StoreError> {
        if matches!(self.1, Trouble::Fails) {
            return Err(StoreError::Unavailable("as the test wants".into()));
        }
        let confirmed = self.0.confirm(expected, first).await?;
        if let Trouble::SessionsEnd(sessions) = &self.1 {
            sessions.end_all(&"ext-jeff".into()).await?;
        }
        Ok(confirmed)
    }

    async fn doubt(&self, keys: Vec<KeyBehind>) -> Result<Vec<KeyBehind>, StoreError> {
        self.0.doubt(keys).await
    }

    async fn withdraw(&self, keys: &[KeyBehind]) -> Result<(), StoreError> {
        self.0.withdraw(keys).await
    }

    async fn retire(&self, owner: &ExtId, which: &Removal, settled: Millis) -> Result<Retired, StoreError> {
        if let Trouble::Comes(key) = &self.1 {
            self.0.learn(vec![key.clone()]).await.unwrap();
        }
        self.0.retire(owner, which, settled).await
    }

    async fn of_key(&self, key: &CredentialKey) -> Result<Vec<KeyBehind>, StoreError> {
        self.0.of_key(key).await
    }

    async fn of_owner(&self, owner: &ExtId) -> Result<Vec<KeyBehind>, StoreError> {
        self.0.of_owner(owner).await
    }

    async fn forget(&self, owner: &ExtId, which: &Removal) -> Result<Vec<CredentialKey>, StoreError> {
        self.0.forget(owner, which).await
    }

    async fn owners(&self) -> Result<BTreeSet<ExtId>, StoreError> {
        self.0.owners().await
    }
}

#[tokio::test]
async fn an_operation_whose_key_can_not_be_confirmed_does_not_succeed() {
    let (front, behind) = both_with(|front| Troubled::over(front, Trouble::Fails)).await;
    let jeff = front.user("jeff").await;
    let (token, session_id) = front.token_of(&jeff, OperationKind::Reg, JEFF).await;
    let (_, request) = front.redeem(OperationKind::Reg, &token.expose()).await;
    let response = Phone::new().register(&request.unwrap()).to_message();
    let before = behind.questions();
    assert!(
        front
            .fido
            .open(&Arrival { at: AnswerAt::Registration, uaf_response: &response, context: None, from: None })
            .take()
            .await
            .is_err()
    );
    let status = front.status(&session_id).await;
    assert_eq!((status["status"].as_str(), status["uafStatusCode"].as_u64()), (Some("failed"), Some(1500)));
    behind.asked_again(before + 1).await;
    assert_eq!(keys(&front, &behind).await, (1, 0), "refused here, and gone there");
    assert_eq!(standings(&front).await, [Standing::Doubted]);
}

#[tokio::test]
async fn nor_does_one_whose_session_ends_while_its_key_is_confirmed() {
    let end = |front: &House| Trouble::SessionsEnd(front.domain.sessions.clone());
    let (front, behind) = both_with(|front| Troubled::over(front, end(front))).await;
    let jeff = front.user("jeff").await;
    let (token, session_id) = front.token_of(&jeff, OperationKind::Reg, JEFF).await;
    let (_, request) = front.redeem(OperationKind::Reg, &token.expose()).await;
    let response = Phone::new().register(&request.unwrap());
    let before = behind.questions();
    assert_eq!(front.answer(AnswerAt::Registration, &response).await, Err(1401));
    assert_eq!(front.status(&session_id).await["uafStatusCode"], 1401);
    behind.asked_again(before + 1).await;
    assert_eq!(keys(&front, &behind).await, (1, 0), "refused here, and gone there");
    assert_eq!(standings(&front).await, [Standing::Doubted]);
}

#[tokio::test]
async fn a_phone_is_told_of_every_key_that_goes() {
    let newcomer = key("ext-jeff", 1, Standing::Confirmed);
    let comes = Trouble::Comes(newcomer.clone());
    let (front, behind) = both_with(|front| Troubled::over(front, comes)).await;
    let phone = front.phone("jeff").await;
    behind.house.credentials.remove(&newcomer.owner, &Removal::All).await.unwrap();
    let jeff = front.user("jeff").await;
    let request = front.requests.request(&asker(&jeff), OperationKind::Dereg, None).await.unwrap();
    let told = DeregistrationRequest::from_message(&request.message).unwrap().authenticators;
    let gone = [phone.keys[0].key_ref(), key_ref(&newcomer).unwrap()].map(DeregisterAuthenticator::Key);
    assert_eq!(keys(&front, &behind).await, (0, 0));
    assert!(told.len() == 2 && gone.iter().all(|key| told.contains(key)), "{told:?}");
}

#[tokio::test]
async fn a_key_that_is_doubted_while_it_answers_is_not_learnt() {
    let (front, behind) = both().await;
    let mut phone = front.phone("jeff").await;
    let owner: ExtId = "ext-jeff".into();
    let records = front.keys_behind.of_owner(&owner).await.unwrap();
    front.keys_behind.forget(&owner, &Removal::All).await.unwrap();
    let (token, session_id) = front.token().await;
    let (_, request) = front.redeem(OperationKind::Auth, &token.expose()).await;
    let response = phone.authenticate(&request.unwrap());
    let judged = during(&behind, front.answer(AnswerAt::Authentication, &response), async || {
        front.keys_behind.doubt(records).await.unwrap();
    });
    assert_eq!(judged.await, Err(1481));
    assert_eq!(standings(&front).await, [Standing::Doubted]);
    assert_eq!(front.status(&session_id).await["status"], "failed");
}

#[tokio::test]
async fn only_a_confirmed_key_guards() {
    let (front, _behind) = both().await;
    let jeff = Subject { ext_id: "ext-jeff".into(), name: "jeff".into() };
    for (standing, guards) in [(Standing::Expected, false), (Standing::Doubted, false), (Standing::Confirmed, true)] {
        let key = key("ext-jeff", standing as u8, standing);
        front.keys_behind.learn(vec![key]).await.unwrap();
        assert_eq!(front.fido.guards(&jeff).await.unwrap(), guards, "{standing:?}");
    }
}
