//! The index of challenges in memory.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sidegate_filters::clock::{Clock, Millis};

use super::budget::Budget;
use super::table::{self, Left, Perishable, Table};
use crate::store::{ChallengeDigest, Challenges, Growth, OperationId, Origin, StoreError};

/// The challenges of one gateway. Its calls never wait.
pub struct MemoryChallenges(Table<ChallengeDigest, Issued>);

#[derive(Clone, Serialize, Deserialize)]
struct Issued {
    operation: OperationId,
    until: Millis,
}

impl MemoryChallenges {
    /// None yet, with this budget: that of the operations.
    #[must_use]
    pub fn new(budget: Arc<Budget>, clock: Arc<dyn Clock>) -> Self {
        Self(Table::new(budget, clock))
    }
}

/// What a gateway leaves to the one that takes over from it.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChallengesLeft(Vec<Left<ChallengeDigest, Issued>>);

impl MemoryChallenges {
    /// All that there is, to be left.
    #[must_use]
    pub fn left(&self) -> ChallengesLeft {
        ChallengesLeft(self.0.left())
    }

    /// Goes on with what another one left; how many challenges there was no room for.
    pub fn take_over(&self, left: ChallengesLeft) -> usize {
        self.0.take_over(left.0)
    }
}

impl Perishable for Issued {
    fn perishes_at(&self) -> Millis {
        self.until
    }

    fn weight(&self) -> usize {
        0
    }
}

#[async_trait]
impl Challenges for MemoryChallenges {
    async fn remember(
        &self,
        challenge: ChallengeDigest,
        operation: OperationId,
        until: Millis,
        origin: &Origin,
        growth: Growth,
    ) -> Result<(), StoreError> {
        self.0.insert(challenge, Issued { operation, until }, origin, growth)
    }

    async fn forget(&self, challenge: ChallengeDigest) -> Result<(), StoreError> {
        self.0.remove(&challenge);
        Ok(())
    }

    fn room(&self) -> usize {
        table::least::<Issued>()
    }

    async fn find(&self, challenge: ChallengeDigest) -> Result<Option<OperationId>, StoreError> {
        Ok(self.0.get(&challenge).map(|issued| issued.operation))
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        self.0.sweep();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sidegate_filters::clock::ManualClock;

    use super::*;
    use crate::store::contract::{self, Fixture, START};
    use crate::store::origin::SourceNetwork;

    fn fixture() -> Fixture<dyn Challenges> {
        let clock = Arc::new(ManualClock::new(START));
        let store = MemoryChallenges::new(Budget::new(10_000_000, 100), clock.clone());
        Fixture { store: Arc::new(store), clock, _folder: None }
    }

    contract::challenges_contract!(fixture);

    #[tokio::test]
    async fn every_entry_is_charged_and_its_bytes_come_back() {
        let clock = Arc::new(ManualClock::new(START));
        let budget = Budget::new(100_000, 5);
        let store = MemoryChallenges::new(budget.clone(), clock.clone());
        let stranger = Origin::Network(SourceNetwork::of([192, 0, 2, 1].into()));
        let until = clock.now().after(Duration::from_secs(60));
        let mut kept = 0_u32;
        let full = loop {
            let digest = ChallengeDigest::of(&kept.to_be_bytes());
            match store.remember(digest, OperationId::random(), until, &stranger, Growth::Bounded).await {
                Ok(()) => kept += 1,
                Err(full) => break full,
            }
        };
        assert!(matches!(full, StoreError::Full), "{full}");
        assert!(kept > 2 && budget.used() <= 5_000, "{kept} entries take {} bytes", budget.used());
        let (first, granted) = (ChallengeDigest::of(&0_u32.to_be_bytes()), ChallengeDigest::of(b"granted"));
        let before = budget.used();
        store.remember(granted, OperationId::random(), until, &stranger, Growth::Granted).await.unwrap();
        assert_eq!(budget.used(), before + store.room());
        store.forget(first).await.unwrap();
        assert_eq!((store.find(first).await.unwrap(), budget.used()), (None, before));
        clock.advance(Duration::from_secs(62));
        store.sweep().await.unwrap();
        assert_eq!(budget.used(), 0);
    }
}
