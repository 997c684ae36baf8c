//! Watching a body that streams to an upstream. Pingora reads it, with no idea of a rate and, over HTTP/2, no time limit
//! at all, so somebody has to look from outside. Pingora reads only while it has room towards the upstream, so the client
//! is waited for only while nothing that it sent is still on its way there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::meter::Meter;
use super::settings::Limits;

tokio::task_local! {
    /// The watch over the request that this task works on.
    pub(super) static WATCH: Arc<BodyWatch>;
}

/// What is known of a streaming body.
#[derive(Debug)]
pub(super) struct BodyWatch {
    state: Mutex<State>,
    changed: Notify,
    /// The request is to end, whatever becomes of its body.
    end: Notify,
}

#[derive(Debug)]
struct State {
    meter: Meter,
    /// An upstream is there to take it, and its end has not come.
    flows: bool,
    /// Pieces that the upstream has not taken yet.
    under_way: usize,
    /// The client was found too slow.
    late: bool,
}

/// A piece of a body; the upstream has it, or never will, when this is dropped.
struct Piece {
    bytes: Bytes,
    watch: Arc<BodyWatch>,
}

impl BodyWatch {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        let state = State { meter: Meter::new(limits), flows: false, under_way: 0, late: false };
        Arc::new(Self { state: Mutex::new(state), changed: Notify::new(), end: Notify::new() })
    }

    /// The watch over the present request.
    pub(super) fn current() -> Option<Arc<Self>> {
        WATCH.try_with(Arc::clone).ok()
    }

    /// The body flows from here on, or it does not: there is no upstream yet, or no more of it.
    pub(super) fn set_flowing(&self, flows: bool) {
        self.change(|state| state.flows = flows);
    }

    /// Follows a piece until the upstream has taken it.
    pub(super) fn follow(self: &Arc<Self>, bytes: Bytes) -> Bytes {
        self.change(|state| {
            state.meter.take(bytes.len());
            state.under_way += 1;
        });
        Bytes::from_owner(Piece { bytes, watch: self.clone() })
    }

    /// Comes back when the client is too slow.
    pub(super) async fn stalled(&self) {
        loop {
            let changed = self.changed.notified();
            let end = self.state().end(Instant::now());
            match end {
                None => changed.await,
                Some(end) => {
                    let late = timeout_at(end, changed).await.is_err();
                    if late && self.state().is_slow(Instant::now()) {
                        return;
                    }
                }
            }
        }
    }

    /// Has the request let go of, with its connection.
    pub(super) fn end(&self) {
        self.end.notify_one();
    }

    /// Comes back when the request is to end.
    pub(super) async fn ended(&self) {
        self.end.notified().await;
    }

    /// Whether the client was found too slow.
    pub(super) fn is_late(&self) -> bool {
        self.state().late
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        let now = Instant::now();
        if state.end(now).is_none() {
            state.meter.rest(now);
        }
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// When to look again at the client that is waited for; `None` while nobody waits for it.
    fn end(&mut self, now: Instant) -> Option<Instant> {
        (self.flows && self.under_way == 0).then(|| self.meter.run(now))
    }

    fn is_slow(&mut self, now: Instant) -> bool {
        self.late = self.end(now).is_some() && self.meter.is_slow(now);
        self.late
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.watch.change(|state| state.under_way = state.under_way.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn watch() -> Arc<BodyWatch> {
        BodyWatch::new(&Limits { body_window: Duration::from_secs(10), body_rate: 10, ..Limits::default() })
    }

    async fn cut(watch: &BodyWatch) -> bool {
        tokio::time::timeout(Duration::from_secs(3600), watch.stalled()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stands_still_is_cut_and_one_that_ended_is_not() {
        let watch = watch();
        assert!(!cut(&watch).await, "no upstream yet");
        watch.set_flowing(true);
        assert!(!watch.is_late());
        assert!(cut(&watch).await && watch.is_late(), "stands still");
        watch.set_flowing(false);
        assert!(!cut(&watch).await, "ended");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_is_not_blamed_while_the_upstream_has_not_taken_what_it_sent() {
        let watch = watch();
        watch.set_flowing(true);
        let [first, second] = ["some", "more"].map(|text| watch.follow(Bytes::from_static(text.as_bytes())));
        assert!(!cut(&watch).await);
        drop(first);
        assert!(!cut(&watch).await);
        let part = second.slice(1..);
        drop(second);
        assert!(!cut(&watch).await);
        let begun = Instant::now();
        drop(part);
        assert!(cut(&watch).await);
        assert_eq!(begun.elapsed().as_secs(), 10, "a whole window was left");
    }
}
