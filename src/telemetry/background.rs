//! Work beside the requests, which nobody would miss if it broke off: a panic costs one piece of it, is counted, and the
//! next piece is done.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::FutureExt as _;

use super::Metrics;

/// Whose piece broke off, in the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Reading the configuration again.
    Reload,
    /// Giving back the room of what is over.
    Sweep,
    /// Asking a server whether it is well.
    HealthCheck,
}

impl Work {
    pub(super) const ALL: [Self; 3] = [Self::Reload, Self::Sweep, Self::HealthCheck];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Reload => "reload",
            Self::Sweep => "sweep",
            Self::HealthCheck => "health-check",
        }
    }

    /// What the piece gives; `None`: it broke off.
    pub fn piece<T>(self, metrics: &Metrics, piece: impl FnOnce() -> T) -> Option<T> {
        self.counted(metrics, catch_unwind(AssertUnwindSafe(piece)).ok())
    }

    /// The same of a piece that waits.
    pub async fn waiting<T>(self, metrics: &Metrics, piece: impl Future<Output = T>) -> Option<T> {
        self.counted(metrics, AssertUnwindSafe(piece).catch_unwind().await.ok())
    }

    fn counted<T>(self, metrics: &Metrics, done: Option<T>) -> Option<T> {
        if done.is_none() {
            metrics.broke_off(self);
            tracing::error!(work = self.name(), "work beside the requests broke off, and goes on with its next piece");
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_piece_that_breaks_off_is_counted_and_ends_nothing_else() {
        let metrics = Metrics::new().unwrap();
        assert_eq!(Work::Sweep.piece(&metrics, || 1), Some(1));
        assert_eq!(Work::Sweep.piece::<()>(&metrics, || panic!("a fault of ours")), None);
        assert_eq!(Work::HealthCheck.waiting(&metrics, async { 2 }).await, Some(2));
        assert_eq!(Work::HealthCheck.waiting::<()>(&metrics, async { panic!("a fault of ours") }).await, None);
        let text = String::from_utf8(metrics.text()).unwrap();
        for (work, count) in [("sweep", 1), ("health-check", 1), ("reload", 0)] {
            let line = format!("sidegate_background_failures_total{{work=\"{work}\"}} {count}");
            assert!(text.contains(&line), "{line}: {text}");
        }
    }
}
