//! What is served: the route table and the certificates of all listeners, swapped as one (`gateway.md` 6.3).
//!
//! A request sees the snapshot that was there when it came, to its end; the next one of the same connection sees the next
//! snapshot. A certificate is taken at the handshake.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use super::connection::Connection;
use super::settings::Listener;
use super::tls::{Tls, TlsError};
use crate::routes::Router;

/// One state of what is served; nothing in it changes.
pub struct Snapshot {
    pub(super) router: Arc<Router>,
    /// Of the listeners in their order; `None` where one is plain.
    tls: Vec<Option<Tls>>,
}

impl Snapshot {
    pub(super) fn new(router: Arc<Router>, tls: Vec<Option<Tls>>) -> Self {
        Self { router, tls }
    }
}

/// Puts another snapshot in the place of the one that is served.
#[derive(Clone)]
pub struct Switch {
    served: Arc<ArcSwap<Snapshot>>,
    swapped: Arc<Notify>,
    /// Of handshakes.
    deadline: Duration,
}

impl Switch {
    pub(super) fn new(first: Snapshot, deadline: Duration) -> Self {
        Self { served: Arc::new(ArcSwap::from_pointee(first)), swapped: Arc::default(), deadline }
    }

    /// Makes a snapshot of this table, with the files of these listeners as they are now; they are those that the gateway
    /// was started with. Nothing is served of it yet.
    ///
    /// # Errors
    /// Which file is unfit, and why.
    pub fn prepare(&self, router: Arc<Router>, listeners: &[Listener]) -> Result<Snapshot, TlsError> {
        let served = self.served.load();
        let before = |index: usize| served.tls.get(index).and_then(Option::as_ref);
        let listeners = listeners.iter().enumerate();
        let tls = listeners.map(|(index, listener)| Tls::of(listener, self.deadline, before(index)));
        Ok(Snapshot { router, tls: tls.collect::<Result<_, _>>()? })
    }

    /// Serves it from now on. Requests that came before end as they began.
    pub fn swap(&self, next: Snapshot) {
        self.served.store(Arc::new(next));
        self.swapped.notify_one();
    }

    /// The route table that is served.
    pub(super) fn router(&self) -> Arc<Router> {
        self.served.load().router.clone()
    }

    /// Comes back once another snapshot is served than at the last call; for one who waits.
    pub(super) async fn swapped(&self) {
        self.swapped.notified().await;
    }

    pub(super) fn of_listener(&self, index: usize) -> Served {
        Served { snapshots: Arc::clone(&self.served), index }
    }
}

/// What one listener serves.
#[derive(Clone)]
pub(super) struct Served {
    snapshots: Arc<ArcSwap<Snapshot>>,
    index: usize,
}

impl Served {
    pub(super) fn now(&self) -> Arc<Snapshot> {
        self.snapshots.load_full()
    }

    pub(super) fn tls(&self) -> Option<Tls> {
        self.snapshots.load().tls.get(self.index).cloned().flatten()
    }

    /// Whether the connection could be made now: the authorities that its client was asked to prove itself by are those
    /// of this snapshot.
    pub(super) fn admits(&self, snapshot: &Snapshot, connection: &Connection) -> bool {
        let tls = snapshot.tls.get(self.index).and_then(Option::as_ref);
        tls.and_then(Tls::authorities) == connection.authorities
    }
}
