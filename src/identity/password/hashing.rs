//! Where passwords are hashed: on blocking threads, a few at a time, with a bounded number waiting in each of two lanes.

use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use zeroize::Zeroizing;

use crate::identity::throttle::Lane;
use crate::store::users::{Costs, PasswordHash};
use crate::telemetry::Metrics;

pub(super) struct Hashing {
    running: Arc<Semaphore>,
    common: Queue,
    reserved: Queue,
    metrics: Arc<Metrics>,
}

/// Those of one lane.
struct Queue {
    /// Those that may stand in line for `running`, which is first come, first served: no more than run, so that the lanes
    /// take turns however many wait in the other.
    line: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Queue {
    fn new(parallel: usize, places: usize) -> Self {
        Self { line: Arc::new(Semaphore::new(parallel)), places: Arc::new(Semaphore::new(places)) }
    }
}

impl Hashing {
    /// At most `parallel` checks at a time, and in each lane `queue` more that wait for their turn.
    pub(super) fn new(parallel: usize, queue: usize, metrics: Arc<Metrics>) -> Self {
        let parallel = parallel.clamp(1, 1024);
        let places = parallel.saturating_add(queue).min(65_536);
        let queue = || Queue::new(parallel, places);
        Self { running: Arc::new(Semaphore::new(parallel)), common: queue(), reserved: queue(), metrics }
    }

    /// From now on no check runs.
    #[cfg(test)]
    pub(super) fn stop(&self) {
        self.running.close();
    }

    /// A place in this lane; `None` when all are taken.
    pub(super) fn place(&self, lane: Lane) -> Option<Place> {
        let queue = match lane {
            Lane::Common => &self.common,
            Lane::Reserved => &self.reserved,
        };
        let taken = Arc::clone(&queue.places).try_acquire_owned().ok()?;
        let (running, metrics) = (Arc::clone(&self.running), Arc::clone(&self.metrics));
        Some(Place { running, line: Arc::clone(&queue.line), taken, metrics })
    }
}

/// A check did not run to its end: nothing is known of the password.
#[derive(Debug, thiserror::Error)]
pub enum NotChecked {
    /// No check runs any more.
    #[error(transparent)]
    Turn(#[from] AcquireError),
    /// The thread of the check failed, or was stopped.
    #[error(transparent)]
    Thread(#[from] JoinError),
}

/// The right to have one password checked.
pub(super) struct Place {
    running: Arc<Semaphore>,
    line: Arc<Semaphore>,
    taken: OwnedSemaphorePermit,
    metrics: Arc<Metrics>,
}

/// A password, and what it is compared with.
pub(super) struct Question {
    /// The hash of the user, if there is one.
    pub(super) hash: Option<PasswordHash>,
    /// Each of these is spent once, whosever hash it is.
    pub(super) costs: Costs,
    pub(super) password: Zeroizing<String>,
}

impl Question {
    fn is_good(&self, metrics: &Metrics) -> bool {
        let (own, password) = (self.hash.as_ref(), self.password.as_bytes());
        let good = own.is_some_and(|hash| {
            let good = hash.verify(password);
            metrics.password_hashed(&hash.cost().to_string());
            good
        });
        for cost in self.costs.without(own.map(PasswordHash::cost)) {
            cost.spend(password);
            metrics.password_hashed(&cost.to_string());
        }
        good
    }
}

impl Place {
    /// Whether the password is the user's; as much work for one as for another, and for nobody.
    pub(super) async fn verify(self, question: Question) -> Result<bool, NotChecked> {
        let (place, metrics) = ((self.line.acquire_owned().await?, self.taken), self.metrics);
        let turn = self.running.acquire_owned().await?;
        let check = tokio::task::spawn_blocking(move || {
            let good = question.is_good(&metrics);
            // All go with the thread, not with the request: a client that hung up frees no core.
            drop((turn, place));
            good
        });
        Ok(check.await?)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn hashing(parallel: usize, queue: usize) -> Hashing {
        Hashing::new(parallel, queue, Arc::new(Metrics::new().unwrap()))
    }

    fn typed(password: &str) -> Question {
        let hash = PasswordHash::of(b"secret").unwrap();
        Question { hash: Some(hash), costs: Costs::default(), password: Zeroizing::new(password.to_owned()) }
    }

    #[tokio::test]
    async fn a_full_queue_holds_no_reserved_place_up() {
        let hashing = hashing(1, 2);
        let busy = hashing.running.clone().acquire_owned().await.unwrap();
        let mut strangers: Vec<_> =
            (0..3).map(|_| Box::pin(hashing.place(Lane::Common).unwrap().verify(typed("secret")))).collect();
        for stranger in &mut strangers {
            assert!(futures::poll!(stranger).is_pending());
        }
        assert!(hashing.place(Lane::Common).is_none());
        let mut reserved = Box::pin(hashing.place(Lane::Reserved).unwrap().verify(typed("secret")));
        assert!(futures::poll!(&mut reserved).is_pending());
        drop(busy);
        // One stranger stood in line before it; the others, who are not looked at here, are behind it.
        assert!(strangers.remove(0).await.unwrap());
        assert!(timeout(LONG, reserved).await.expect("others of the queue came first").unwrap());
        for stranger in strangers {
            assert!(stranger.await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_crowd_in_reserved_places_leaves_the_others_their_turn() {
        let hashing = hashing(1, 2);
        let busy = hashing.running.clone().acquire_owned().await.unwrap();
        let place = |lane| Box::pin(hashing.place(lane).unwrap().verify(typed("secret")));
        let mut crowd: Vec<_> = (0..3).map(|_| place(Lane::Reserved)).collect();
        for familiar in &mut crowd {
            assert!(futures::poll!(familiar).is_pending());
        }
        let mut stranger = place(Lane::Common);
        assert!(futures::poll!(&mut stranger).is_pending());
        drop(busy);
        // One of the crowd stood in line before it; the others, who are not looked at here, are behind it.
        assert!(crowd.remove(0).await.unwrap());
        assert!(timeout(LONG, stranger).await.expect("the whole crowd came first").unwrap());
        for familiar in crowd {
            assert!(familiar.await.unwrap());
        }
    }

    #[tokio::test]
    async fn beyond_the_queue_there_is_no_place() {
        let hashing = hashing(1, 1);
        let first = hashing.place(Lane::Common).unwrap();
        let second = hashing.place(Lane::Common).unwrap();
        assert!(hashing.place(Lane::Common).is_none());
        assert!(first.verify(typed("secret")).await.unwrap());
        let third = hashing.place(Lane::Common).unwrap();
        assert!(!second.verify(typed("Secret")).await.unwrap());
        drop(third);
        assert_eq!((hashing.running.available_permits(), hashing.common.places.available_permits()), (1, 2));
    }
}
