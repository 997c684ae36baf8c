//! Watching a body that streams to an upstream. Pingora reads it, with no idea of a rate and, over HTTP/2, no time limit
//! at all, so somebody has to look from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::meter::Meter;
use super::settings::Limits;

tokio::task_local! {
    /// The watch over the request that this task works on.
    pub(super) static WATCH: Arc<BodyWatch>;
}

/// What is known of a streaming body.
#[derive(Debug, Default)]
pub(super) struct BodyWatch {
    begun: Notify,
    running: AtomicBool,
    bytes: AtomicUsize,
}

impl BodyWatch {
    /// The watch over the present request.
    pub(super) fn current() -> Option<Arc<Self>> {
        WATCH.try_with(Arc::clone).ok()
    }

    /// A body begins to stream.
    pub(super) fn begin(&self) {
        self.running.store(true, Ordering::Relaxed);
        self.begun.notify_one();
    }

    /// Some of it came, and perhaps its end.
    pub(super) fn take(&self, bytes: usize, end: bool) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if end {
            self.running.store(false, Ordering::Relaxed);
        }
    }

    /// Comes back when the client is too slow.
    pub(super) async fn stalled(&self, limits: &Limits) {
        self.begun.notified().await;
        let mut meter = Meter::new(limits, Instant::now());
        loop {
            sleep_until(meter.end()).await;
            if !self.running.load(Ordering::Relaxed) {
                return std::future::pending().await;
            }
            meter.take(self.bytes.swap(0, Ordering::Relaxed));
            if meter.is_slow(Instant::now()) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn cut(watch: &BodyWatch) -> bool {
        let limits = Limits { body_window: Duration::from_secs(10), body_rate: 10, ..Limits::default() };
        tokio::time::timeout(Duration::from_secs(3600), watch.stalled(&limits)).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stands_still_is_cut_and_one_that_ended_is_not() {
        let watch = BodyWatch::default();
        assert!(!cut(&watch).await, "no body yet");
        watch.begin();
        assert!(cut(&watch).await, "stands still");
        let watch = BodyWatch::default();
        watch.begin();
        watch.take(1, true);
        assert!(!cut(&watch).await, "ended");
    }
}
