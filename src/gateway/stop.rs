//! What ends the gateway: SIGTERM or SIGINT, or a handle of the program that runs it. A SIGINT after that has open
//! requests cut.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use pingora::server::{ShutdownSignal, ShutdownSignalWatch};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, watch};

/// Waits for the wish to stop.
pub struct Stop {
    asked: Arc<Asked>,
    signals: Mutex<Option<Signals>>,
    interrupted: watch::Sender<bool>,
}

/// Asks the gateway to stop; clones ask the same one.
#[derive(Clone)]
pub struct StopHandle(Arc<Asked>);

struct Asked {
    wishes: Semaphore,
    /// Another gateway takes over.
    hands_over: AtomicBool,
}

/// Those that came since this was made.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// Stops on SIGTERM and SIGINT. From here on neither of them ends the process: one that comes during the start waits
    /// until the gateway serves. While it stops, SIGINT has open requests cut. To be called within a runtime.
    ///
    /// # Errors
    /// When the system does not let them be received.
    pub fn on_signals() -> io::Result<Self> {
        let signals =
            Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? };
        Ok(Self::new(Some(signals)))
    }

    /// Stops when the handle asks, and takes no notice of signals.
    #[must_use]
    pub fn by_handle() -> (Self, StopHandle) {
        let stop = Self::new(None);
        let handle = stop.handle();
        (stop, handle)
    }

    fn new(signals: Option<Signals>) -> Self {
        let asked = Arc::new(Asked { wishes: Semaphore::new(0), hands_over: AtomicBool::new(false) });
        Self { asked, signals: Mutex::new(signals), interrupted: watch::Sender::new(false) }
    }

    /// What asks it to stop too.
    #[must_use]
    pub fn handle(&self) -> StopHandle {
        StopHandle(self.asked.clone())
    }

    /// Comes back at a signal, for a start that waits for others; never without signals.
    pub async fn signalled(&mut self) {
        match self.signals.get_mut().unwrap_or_else(PoisonError::into_inner) {
            Some(signals) => signals.first().await,
            None => std::future::pending().await,
        }
    }

    /// Turns true when whoever asked to stop does not want to wait any more.
    pub(super) fn interrupted(&self) -> watch::Receiver<bool> {
        self.interrupted.subscribe()
    }
}

impl Signals {
    async fn first(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Beside the stopping, which may take its time: whoever presses Ctrl-C once it has begun means now.
    async fn cut(mut self, interrupted: watch::Sender<bool>) {
        self.interrupt.recv().await;
        interrupted.send_replace(true);
    }
}

impl StopHandle {
    /// Asks the gateway to finish what is open and stop.
    pub fn stop(&self) {
        self.0.wishes.add_permits(1);
    }

    /// The same, for another gateway that has its sockets: clients that keep connections are given a second to hear of it.
    pub fn hand_over(&self) {
        self.0.hands_over.store(true, Ordering::Release);
        self.stop();
    }

    pub(super) fn is_handing_over(&self) -> bool {
        self.0.hands_over.load(Ordering::Acquire)
    }
}

#[async_trait]
impl ShutdownSignalWatch for Stop {
    async fn recv(&self) -> ShutdownSignal {
        let signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner).take();
        let asked = self.asked.wishes.acquire();
        match signals {
            Some(mut signals) => {
                tokio::select! {
                    () = signals.first() => {}
                    _ = asked => {}
                }
                tokio::spawn(signals.cut(self.interrupted.clone()));
            }
            None => drop(asked.await),
        }
        ShutdownSignal::GracefulTerminate
    }
}
