//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// How often a condition is looked at.
const BEAT: Duration = Duration::from_millis(20);

/// Long enough for anything that a test waits for, on a loaded machine.
pub(crate) const BOUND: Duration = Duration::from_secs(60);

/// Asks until `probe` has something, at most for `bound`.
pub(crate) async fn until<T>(what: &str, bound: Duration, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + bound;
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(Instant::now() < end, "not within {bound:?}: {what}");
        tokio::time::sleep(BEAT).await;
    }
}

/// The same for a thread, with nothing to run beside it; `None` when the time is over.
pub(crate) fn blocking<T>(bound: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + bound;
    loop {
        let found = probe();
        if found.is_some() || Instant::now() >= end {
            return found;
        }
        std::thread::sleep(BEAT);
    }
}
