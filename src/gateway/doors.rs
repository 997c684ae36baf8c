//! The listening sockets of a gateway that runs, for the one that takes over from it.

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::net::listen;

/// So many connections may wait to be accepted: nobody accepts while one gateway ends and the other one begins.
const WAITING: i32 = 4096;

/// Its listening sockets, as long as it accepts.
#[derive(Clone)]
pub struct Doors(Arc<Mutex<Vec<TcpListener>>>);

impl Doors {
    /// Copies of these.
    pub(super) fn of<'a>(sockets: impl Iterator<Item = &'a TcpListener>) -> io::Result<Self> {
        let copies = sockets.map(TcpListener::try_clone).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Mutex::new(copies))))
    }

    /// Copies of them, in the order of the configuration; none once the gateway accepts no more. From now on more
    /// connections may wait at them.
    ///
    /// # Errors
    /// When the system refuses, such as for want of open files.
    pub fn copies(&self) -> io::Result<Vec<TcpListener>> {
        let doors = self.held();
        for door in doors.iter() {
            listen(door, WAITING)?;
        }
        doors.iter().map(TcpListener::try_clone).collect()
    }

    /// Lets go of them: a socket is closed once all let go.
    pub(super) fn close(&self) {
        self.held().clear();
    }

    fn held(&self) -> MutexGuard<'_, Vec<TcpListener>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
