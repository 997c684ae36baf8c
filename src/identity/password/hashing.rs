//! Where passwords are hashed: on blocking threads, a few at a time, with a bounded number waiting in each of two lanes.

use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use zeroize::Zeroizing;

use crate::identity::throttle::Lane;
use crate::store::users::PasswordHash;

pub(super) struct Hashing {
    running: Arc<Semaphore>,
    common: Queue,
    reserved: Queue,
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
    pub(super) fn new(parallel: usize, queue: usize) -> Self {
        let parallel = parallel.clamp(1, 1024);
        let places = parallel.saturating_add(queue).min(65_536);
        let queue = || Queue::new(parallel, places);
        Self { running: Arc::new(Semaphore::new(parallel)), common: queue(), reserved: queue() }
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
        Some(Place { running: Arc::clone(&self.running), line: Arc::clone(&queue.line), taken })
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
}

impl Place {
    /// Whether `hash` is the password's.
    pub(super) async fn verify(self, hash: PasswordHash, password: Zeroizing<String>) -> Result<bool, NotChecked> {
        let place = (self.line.acquire_owned().await?, self.taken);
        let turn = self.running.acquire_owned().await?;
        let check = tokio::task::spawn_blocking(move || {
            let good = hash.verify(password.as_bytes());
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

    fn typed() -> Zeroizing<String> {
        Zeroizing::new("secret".to_owned())
    }

    #[tokio::test]
    async fn a_full_queue_holds_no_reserved_place_up() {
        let hashing = Hashing::new(1, 2);
        let hash = PasswordHash::of(b"secret").unwrap();
        let busy = hashing.running.clone().acquire_owned().await.unwrap();
        let mut strangers: Vec<_> =
            (0..3).map(|_| Box::pin(hashing.place(Lane::Common).unwrap().verify(hash.clone(), typed()))).collect();
        for stranger in &mut strangers {
            assert!(futures::poll!(stranger).is_pending());
        }
        assert!(hashing.place(Lane::Common).is_none());
        let mut reserved = Box::pin(hashing.place(Lane::Reserved).unwrap().verify(hash, typed()));
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
        let hashing = Hashing::new(1, 2);
        let hash = PasswordHash::of(b"secret").unwrap();
        let busy = hashing.running.clone().acquire_owned().await.unwrap();
        let place = |lane| Box::pin(hashing.place(lane).unwrap().verify(hash.clone(), typed()));
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
        let hashing = Hashing::new(1, 1);
        let first = hashing.place(Lane::Common).unwrap();
        let second = hashing.place(Lane::Common).unwrap();
        assert!(hashing.place(Lane::Common).is_none());
        let hash = PasswordHash::of(b"secret").unwrap();
        assert!(first.verify(hash.clone(), Zeroizing::new("secret".to_owned())).await.unwrap());
        let third = hashing.place(Lane::Common).unwrap();
        assert!(!second.verify(hash.clone(), Zeroizing::new("Secret".to_owned())).await.unwrap());
        drop(third);
        assert_eq!((hashing.running.available_permits(), hashing.common.places.available_permits()), (1, 2));
    }
}
