//! Ctrl-C, while something is under way that should not be left as it is.

use std::cell::Cell;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::say;
use crate::cli::terminal;

/// How long what was interrupted may take to come to a good place, and as long again the cleaning up.
const LIMIT: Duration = Duration::from_secs(10);

/// The SIGINTs since this was made: none of them ends the process.
pub(super) struct Interrupts {
    signal: Signal,
    count: Rc<Cell<u8>>,
}

impl Interrupts {
    /// From here on they are counted. To be called within a runtime.
    pub(super) fn begin() -> io::Result<Self> {
        let signal = signal(SignalKind::interrupt())?;
        terminal::cede_interrupts();
        Ok(Self { signal, count: Rc::default() })
    }

    /// How many there were, for work that can stop at a good place.
    pub(super) fn count(&self) -> Rc<Cell<u8>> {
        Rc::clone(&self.count)
    }

    /// What comes of the work: after a first interrupt it has [`LIMIT`], after a second it is dropped at once.
    pub(super) async fn heeding<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        if self.count.get() == 0 {
            tokio::select! {
                done = &mut work => return Some(done),
                _ = self.signal.recv() => {
                    self.count.set(1);
                    say("interrupted: removing what was registered; Ctrl-C once more ends this at once");
                }
            }
        }
        if self.count.get() > 1 {
            return None;
        }
        tokio::select! {
            done = work => Some(done),
            () = tokio::time::sleep(LIMIT) => None,
            _ = self.signal.recv() => {
                self.count.set(2);
                None
            }
        }
    }
}
