//! Where passwords are hashed: on blocking threads, a few at a time, with a bounded number waiting.

use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use zeroize::Zeroizing;

use crate::store::users::PasswordHash;

pub(super) struct Hashing {
    running: Arc<Semaphore>,
    /// Those that may stand in line for `running`, which is first come, first served: no more than run, so that whoever
    /// needs no place in the queue waits for one check and not for all of them.
    line: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Hashing {
    /// At most `parallel` checks at a time and `queue` more that wait for their turn.
    pub(super) fn new(parallel: usize, queue: usize) -> Self {
        let parallel = parallel.clamp(1, 1024);
        let places = parallel.saturating_add(queue).min(65_536);
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { running: semaphore(parallel), line: semaphore(parallel), places: semaphore(places) }
    }

    /// From now on no check runs.
    #[cfg(test)]
    pub(super) fn stop(&self) {
        self.running.close();
    }

    /// A place in the queue; `None` when it is full.
    pub(super) fn place(&self) -> Option<Place> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(Place { running: Arc::clone(&self.running), queued: Some((Arc::clone(&self.line), permit)) })
    }

    /// A place before the queue, which nobody in it can take. The caller sees to it that they are few.
    pub(super) fn reserved(&self) -> Place {
        Place { running: Arc::clone(&self.running), queued: None }
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
    /// The line and the place in the queue; none of one that is reserved.
    queued: Option<(Arc<Semaphore>, OwnedSemaphorePermit)>,
}

impl Place {
    /// Whether `hash` is the password's.
    pub(super) async fn verify(self, hash: PasswordHash, password: Zeroizing<String>) -> Result<bool, NotChecked> {
        let place = match self.queued {
            Some((line, permit)) => Some((line.acquire_owned().await?, permit)),
            None => None,
        };
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
            (0..3).map(|_| Box::pin(hashing.place().unwrap().verify(hash.clone(), typed()))).collect();
        for stranger in &mut strangers {
            assert!(futures::poll!(stranger).is_pending());
        }
        assert!(hashing.place().is_none());
        let mut reserved = Box::pin(hashing.reserved().verify(hash, typed()));
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
    async fn beyond_the_queue_there_is_no_place() {
        let hashing = Hashing::new(1, 1);
        let first = hashing.place().unwrap();
        let second = hashing.place().unwrap();
        assert!(hashing.place().is_none());
        let hash = PasswordHash::of(b"secret").unwrap();
        assert!(first.verify(hash.clone(), Zeroizing::new("secret".to_owned())).await.unwrap());
        let third = hashing.place().unwrap();
        assert!(!second.verify(hash.clone(), Zeroizing::new("Secret".to_owned())).await.unwrap());
        drop(third);
        assert_eq!((hashing.running.available_permits(), hashing.places.available_permits()), (1, 2));
    }
}
