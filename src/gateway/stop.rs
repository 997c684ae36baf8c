//! What ends the gateway: SIGTERM or SIGINT, or a handle of the program that runs it. SIGHUP does not. A SIGINT after
//! that does not wait for open requests.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use pingora::server::{ShutdownSignal, ShutdownSignalWatch};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;

/// The exit code of a program that SIGINT ended, as shells tell it.
const INTERRUPTED: i32 = 130;

/// Waits for the wish to stop.
pub struct Stop {
    asked: Arc<Semaphore>,
    signals: Mutex<Option<Signals>>,
}

/// Asks the gateway to stop; clones ask the same one.
#[derive(Clone)]
pub struct StopHandle(Arc<Semaphore>);

/// Those that came since this was made.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Stop {
    /// Stops on SIGTERM and SIGINT, and goes on after SIGHUP with a warning. From here on none of them ends the process:
    /// one that comes during the start waits until the gateway serves. While it stops, SIGINT ends the process. To be
    /// called within a runtime.
    ///
    /// # Errors
    /// When the system does not let them be received.
    pub fn on_signals() -> io::Result<Self> {
        let signals = Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        };
        Ok(Self { asked: Arc::new(Semaphore::new(0)), signals: Mutex::new(Some(signals)) })
    }

    /// Stops when the handle asks, and takes no notice of signals.
    #[must_use]
    pub fn by_handle() -> (Self, StopHandle) {
        let asked = Arc::new(Semaphore::new(0));
        (Self { asked: asked.clone(), signals: Mutex::new(None) }, StopHandle(asked))
    }

    async fn signal(&self) {
        let signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner).take();
        match signals {
            Some(signals) => signals.wish().await,
            None => std::future::pending().await,
        }
    }
}

impl Signals {
    async fn wish(mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
                _ = self.hangup.recv() => {
                    tracing::warn!("SIGHUP: the configuration is read at start only; restart to apply changes");
                }
            }
        }
        // Beside the stopping, which may take its time: whoever presses Ctrl-C once more means now.
        tokio::spawn(async move {
            self.interrupt.recv().await;
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
