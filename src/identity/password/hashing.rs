//! Where passwords are hashed: on blocking threads, a few at a time, with a bounded number waiting.

use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use zeroize::Zeroizing;

use crate::store::users::PasswordHash;

pub(super) struct Hashing {
    running: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Hashing {
    /// At most `parallel` checks at a time and `queue` more that wait for their turn.
    pub(super) fn new(parallel: usize, queue: usize) -> Self {
        let parallel = parallel.clamp(1, 1024);
        let places = parallel.saturating_add(queue).min(65_536);
        Self { running: Arc::new(Semaphore::new(parallel)), places: Arc::new(Semaphore::new(places)) }
    }

    /// From now on no check runs.
    #[cfg(test)]
    pub(super) fn stop(&self) {
        self.running.close();
    }

    /// A place in the queue; `None` when it is full.
    pub(super) fn place(&self) -> Option<Place> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(Place { running: Arc::clone(&self.running), permit })
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
    permit: OwnedSemaphorePermit,
}

impl Place {
    /// Whether `hash` is the password's.
    pub(super) async fn verify(self, hash: PasswordHash, password: Zeroizing<String>) -> Result<bool, NotChecked> {
        let turn = self.running.acquire_owned().await?;
        let place = self.permit;
        let check = tokio::task::spawn_blocking(move || {
            let good = hash.verify(password.as_bytes());
            // Both go with the thread, not with the request: a client that hung up frees no core.
            drop((turn, place));
            good
        });
        Ok(check.await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
