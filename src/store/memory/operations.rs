//! Operations in memory.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sidegate_filters::clock::{Clock, Millis};

use super::budget::Budget;
use super::table::{Left, Perishable, Table};
use crate::store::operation::{Event, Operation, OperationId, Refused};
use crate::store::operations::{Operations, Transition, TransitionError};
use crate::store::{Growth, Origin, StoreError};

/// The operations of one gateway. Its calls never wait.
pub struct MemoryOperations(Table<OperationId, Operation>);

impl MemoryOperations {
    /// None yet, with this budget.
    #[must_use]
    pub fn new(budget: Arc<Budget>, clock: Arc<dyn Clock>) -> Self {
        Self(Table::new(budget, clock))
    }
}

/// What a gateway leaves to the one that takes over from it.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationsLeft(Vec<Left<OperationId, Operation>>);

impl OperationsLeft {
    /// How many they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl MemoryOperations {
    /// All that there is, to be left.
    #[must_use]
    pub fn left(&self) -> OperationsLeft {
        OperationsLeft(self.0.left())
    }

    /// Goes on with what another one left; how many operations there was no room for.
    pub fn take_over(&self, left: OperationsLeft) -> usize {
        self.0.take_over(left.0)
    }
}

impl Perishable for Operation {
    fn perishes_at(&self) -> Millis {
        self.forgotten_at()
    }

    fn weight(&self) -> usize {
        Operation::weight(self)
    }
}

#[async_trait]
impl Operations for MemoryOperations {
    async fn create(&self, operation: Operation, origin: &Origin) -> Result<(), StoreError> {
        self.0.insert(operation.id, operation, origin, Growth::Bounded)
    }

    async fn get(&self, id: OperationId) -> Result<Option<Arc<Operation>>, StoreError> {
        Ok(self.0.get(&id))
    }

    async fn transition(&self, id: OperationId, event: Event) -> Result<Transition, TransitionError> {
        // A token that finds no room for its challenge stays free. What was handed out once is seen through.
        let begins = matches!(event, Event::Redeem { .. } | Event::Commit { .. });
        let growth = if begins { Growth::Bounded } else { Growth::Granted };
        let step = self.0.update(&id, growth, |old, now| {
            let mut next = old.clone();
            let applied = next.apply(event, now)?;
            Ok::<_, TransitionError>((next, applied))
        });
        let (operation, origin, applied) = step.ok_or(Refused::Unknown)??;
        Ok(Transition { operation, origin, applied })
    }

    async fn discard(&self, id: OperationId) -> Result<(), StoreError> {
        self.0.remove(&id);
        Ok(())
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        self.0.sweep();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract::{self, Fixture, START};
    use crate::store::operation::{Authenticator, ChallengeState, ClaimId, OperationKind, Outcome, Room};
    use crate::store::origin::SourceNetwork;
    use sidegate_filters::clock::ManualClock;
    use std::time::Duration;

    fn fixture() -> Fixture<dyn Operations> {
        let clock = Arc::new(ManualClock::new(START));
        let store = MemoryOperations::new(Budget::new(10_000_000, 100), clock.clone());
        Fixture { store: Arc::new(store), clock, _folder: None }
    }

    contract::operations_contract!(fixture);

    fn networks() -> impl Iterator<Item = Origin> {
        (0..30).map(|n| Origin::Network(SourceNetwork::of([192, 0, 2, n].into())))
    }

    /// How many operations anonymous callers of thirty networks get acknowledged.
    async fn fill(store: &MemoryOperations, clock: &ManualClock) -> usize {
        let mut acknowledged = Vec::new();
        for origin in networks() {
            loop {
                let operation = contract::operations::created(clock.now());
                let id = operation.id;
                match store.create(operation, &origin).await {
                    Ok(()) => acknowledged.push(id),
                    Err(error) => break assert!(matches!(error, StoreError::Full)),
                }
            }
        }
        for id in &acknowledged {
            assert!(store.get(*id).await.unwrap().is_some(), "nothing acknowledged is lost");
        }
        acknowledged.len()
    }

    #[tokio::test]
    async fn filled_and_expired_a_hundred_times_the_counter_is_zero() {
        let clock = Arc::new(ManualClock::new(START));
        let budget = Budget::new(100_000, 5);
        let store = MemoryOperations::new(budget.clone(), clock.clone());
        let mut counts = Vec::new();
        for round in 0..100 {
            counts.push(fill(&store, &clock).await);
            let internal = contract::operations::created(clock.now());
            let id = internal.id;
            store.create(internal, &Origin::Internal).await.unwrap();
            store.transition(id, contract::operations::redeem()).await.unwrap();
            if round % 2 == 0 {
                store.discard(id).await.unwrap();
            }
            clock.advance(Duration::from_secs(1200));
            store.sweep().await.unwrap();
            assert_eq!(budget.used(), 0, "round {round}");
        }
        assert!(counts[0] > 20 && counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    }

    #[tokio::test]
    async fn a_full_store_makes_room_by_itself() {
        let clock = Arc::new(ManualClock::new(START));
        let store = MemoryOperations::new(Budget::new(100_000, 5), clock.clone());
        let first = fill(&store, &clock).await;
        clock.advance(Duration::from_secs(1200));
        assert_eq!(fill(&store, &clock).await, first);
    }

    /// An answer's challenge of so many bytes.
    fn redeem_with(bytes: usize) -> Event {
        Event::Redeem { kind: OperationKind::Auth, challenge: ChallengeState(vec![7; bytes].into()) }
    }

    #[tokio::test]
    async fn in_a_full_store_a_usual_operation_goes_on_and_a_big_one_waits() {
        let clock = Arc::new(ManualClock::new(START));
        let budget = Budget::new(200_000, 5);
        let store = MemoryOperations::new(budget.clone(), clock.clone());
        let [first, second] = [(); 2].map(|()| contract::operations::created(clock.now()));
        let (usual, big) = (first.id, second.id);
        for operation in [first, second] {
            store.create(operation, &networks().next().unwrap()).await.unwrap();
        }
        fill(&store, &clock).await;
        let full = budget.used();
        let refused = store.transition(big, redeem_with(100_000)).await;
        assert!(matches!(refused, Err(TransitionError::Store(StoreError::Full))));
        store.transition(usual, redeem_with(700)).await.unwrap();
        store.transition(usual, Event::Answer).await.unwrap();
        // The longest that there may be.
        let key = Authenticator { aaid: "FFFF#0001".into(), key_id: "k".repeat(2731), ext_id: "c".repeat(36) };
        let good = Outcome::Succeeded { user: Some("jeff".into()), authenticators: vec![key] };
        store.transition(usual, Event::Finish(good)).await.unwrap();
        assert!(budget.used() <= full + 3000);
        store.transition(big, redeem_with(700)).await.expect("its token stayed free");
        let internal = contract::operations::created(clock.now());
        let id = internal.id;
        store.create(internal, &Origin::Internal).await.unwrap();
        store.transition(id, redeem_with(100_000)).await.unwrap();
        clock.advance(Duration::from_secs(1800));
        store.sweep().await.unwrap();
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn a_claim_frees_the_room_for_what_is_kept_beside_and_a_release_takes_it_back() {
        let clock = Arc::new(ManualClock::new(START));
        let budget = Budget::new(200_000, 5);
        let store = MemoryOperations::new(budget.clone(), clock.clone());
        let plain = contract::operations::created(clock.now());
        let (id, claim) = (plain.id, ClaimId::random());
        let operation = Operation { room: Room { beside: 600, ..plain.room }, ..plain };
        store.create(operation, &networks().next().unwrap()).await.unwrap();
        fill(&store, &clock).await;
        let full = budget.used();
        store.transition(id, Event::Claim { kind: OperationKind::Auth, claim }).await.unwrap();
        assert_eq!(budget.used(), full - 600);
        store.transition(id, Event::Release { claim }).await.unwrap();
        assert_eq!(budget.used(), full);
    }

    #[tokio::test]
    async fn a_redeemed_operation_outlives_the_sweep_of_its_token() {
        let clock = Arc::new(ManualClock::new(START));
        let budget = Budget::new(100_000, 5);
        let store = MemoryOperations::new(budget.clone(), clock.clone());
        let operation = contract::operations::created(clock.now());
        let id = operation.id;
        store.create(operation, &Origin::Internal).await.unwrap();
        clock.advance(Duration::from_secs(299));
        store.transition(id, contract::operations::redeem()).await.unwrap();
        clock.advance(Duration::from_secs(890));
        store.sweep().await.unwrap();
        assert!(store.get(id).await.unwrap().is_some());
        clock.advance(Duration::from_secs(11));
        store.sweep().await.unwrap();
        assert!(store.get(id).await.unwrap().is_none());
        assert_eq!(budget.used(), 0);
    }
}
