//! What ends the gateway: SIGTERM or SIGINT, or a handle of the program that runs it. SIGHUP does not. A SIGINT after
//! that does not wait for open requests.

use std::sync::Arc;

use async_trait::async_trait;
use pingora::server::{ShutdownSignal, ShutdownSignalWatch};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;

/// The exit code of a program that SIGINT ended, as shells tell it.
const INTERRUPTED: i32 = 130;

/// Waits for the wish to stop.
pub struct Stop {
    asked: Arc<Semaphore>,
    signals: bool,
}

/// Asks the gateway to stop; clones ask the same one.
#[derive(Clone)]
pub struct StopHandle(Arc<Semaphore>);

impl Stop {
    /// Stops on SIGTERM and SIGINT, and goes on after SIGHUP with a warning. While it stops, SIGINT ends the process.
    #[must_use]
    pub fn on_signals() -> Self {
        Self { asked: Arc::new(Semaphore::new(0)), signals: true }
    }

    /// Stops when the handle asks, and takes no notice of signals.
    #[must_use]
    pub fn by_handle() -> (Self, StopHandle) {
        let asked = Arc::new(Semaphore::new(0));
        (Self { asked: asked.clone(), signals: false }, StopHandle(asked))
    }

    async fn signal(&self) {
        if !self.signals {
            return std::future::pending().await;
        }
        let (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()))
        else {
            tracing::error!("signals cannot be received; stop the gateway with SIGKILL");
            return std::future::pending().await;
        };
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => {
                    tracing::warn!("SIGHUP: the configuration is read at start only; restart to apply changes");
                }
            }
        }
        // Beside the stopping, which may take its time: whoever presses Ctrl-C once more means now.
        tokio::spawn(async move {
            interrupt.recv().await;
            tracing::warn!("interrupted while stopping: open requests are cut");
            std::process::exit(INTERRUPTED);
        });
    }
}

impl StopHandle {
    /// Asks the gateway to finish what is open and stop.
    pub fn stop(&self) {
        self.0.add_permits(1);
    }
}

#[async_trait]
impl ShutdownSignalWatch for Stop {
    async fn recv(&self) -> ShutdownSignal {
        tokio::select! {
            () = self.signal() => {}
            _ = self.asked.acquire() => {}
        }
        ShutdownSignal::GracefulTerminate
    }
}
