//! One gateway takes over from another on the same data folder, and no connection is refused meanwhile
//! (`sidegate serve --upgrade`, `gateway.md` 5).
//!
//! The one that serves waits at a Unix socket in the data folder for its successor. That one gets the listening sockets,
//! checks all that a start would fail at, the data folder's files included, and only then gives its word. Now the older one
//! accepts no more, ends what is open, hands its memory over and goes; what clients send meanwhile waits at the sockets.
//! Whoever comes to nothing before it gave its word changes nothing.

mod wire;

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpListener;
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;
use tokio::io::AsyncReadExt as _;

use super::compose::Memory;
use crate::gateway::{Doors, StopHandle};
use crate::store::DataFolder;

/// In the data folder, 0600.
const SOCKET: &str = "upgrade.sock";
/// The successor's word.
const GO: u8 = b'g';
/// What a successor says in place of its word; why follows.
const NO: u8 = b'n';
/// No reason is as long.
const LONGEST_REASON: usize = 2048;
/// How long a successor may take until it gives its word.
const CHECKS: Duration = Duration::from_secs(120);
/// How long the other side may take to say something that it has ready, or to read it.
const SLACK: Duration = Duration::from_secs(30);

/// For so long it is asked whether a signal came: until the runtime has looked once at what the system has for it.
const LOOK: Duration = Duration::from_millis(1);

/// Why nothing is taken over. The gateway that serves goes on, unless it had been given the word.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpgradeError {
    /// The other side is of another account.
    #[error("{0} is not held by a process of this account")]
    Stranger(PathBuf),
    /// What came is not what was to come.
    #[error("the gateway that serves hands over otherwise than this program takes: stop it, then start this one")]
    Foreign,
    /// It let go of the connection before it said anything.
    #[error(
        "the gateway that serves hands nothing over, because it is just stopping or as its log says: start this one again"
    )]
    Closed,
    /// A stop that somebody else asked for is under way.
    #[error("it is just stopping")]
    Stopping,
    /// A signal came before the word was given.
    #[error("told to stop before it took over; the gateway that serves goes on")]
    Told,
    /// A signal came while the one before ended what is open.
    #[error("told to stop while the gateway before (process {0}) ends what is open; nobody serves once that is gone")]
    Stopped(i32),
    /// It did not say anything in time: it serves one that asks after the other.
    #[error(
        "the gateway that serves did not answer in time: another start with --upgrade is under way there, or hangs; wait for \
         its end, or end it, and start this one again"
    )]
    Unanswered,
    /// The connection broke.
    #[error("the gateway that serves could not be taken over from: {0}")]
    Io(io::Error),
}

impl From<io::Error> for UpgradeError {
    fn from(error: io::Error) -> Self {
        // A socket's timeout is the one or the other, by the system.
        let is_late = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        if is_late { Self::Unanswered } else { Self::Io(error) }
    }
}

/// Waits for a successor.
pub(super) struct Offer {
    socket: UnixListener,
    path: PathBuf,
}

/// What the one before knows of its store, which nobody else can open: whether there are keys of users.
type HasKeys = dyn Fn() -> io::Result<bool> + Send;

/// Who gave its word.
#[derive(Clone, Default)]
pub(super) struct Successor(Arc<Mutex<Option<UnixStream>>>);

impl Offer {
    /// Opens the socket; one that a gateway left which was killed is in nobody's use, since only one has the store.
    ///
    /// # Errors
    /// When it can't be had, such as for a path of more than 107 bytes.
    pub(super) fn open(folder: &DataFolder) -> io::Result<Self> {
        let path = folder.file(SOCKET);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { socket, path })
    }

    /// Hands over to the first who gives its word; it is told then to whom.
    pub(super) fn wait(self, doors: Doors, stop: StopHandle, has_keys: Box<HasKeys>) -> Successor {
        let successor = Successor::default();
        let told = successor.clone();
        std::thread::spawn(move || {
            for stream in self.socket.incoming() {
                let asked = stream.map_err(UpgradeError::from).and_then(|stream| self.ask(stream, &doors, &*has_keys));
                match asked {
                    Ok(Word::Go(stream)) => {
                        *told.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
                        tracing::info!("another gateway takes over");
                        stop.hand_over();
                        return;
                    }
                    Ok(Word::No(reason)) => {
                        let reason = reason.as_deref();
                        tracing::warn!(reason, "a gateway that was to take over came to nothing; this one goes on");
                    }
                    Err(error @ UpgradeError::Stopping) => {
                        tracing::warn!(%error, "this gateway hands nothing over to another one that asks");
                    }
                    Err(error) => tracing::warn!(%error, "nothing is handed over, and this gateway goes on"),
                }
            }
        });
        successor
    }

    fn ask(&self, mut stream: UnixStream, doors: &Doors, has_keys: &HasKeys) -> Result<Word, UpgradeError> {
        check_peer(&stream, &self.path)?;
        let sockets = doors.copies()?;
        if sockets.is_empty() {
            return Err(UpgradeError::Stopping);
        }
        let sockets: Vec<_> = sockets.iter().map(|socket| socket.as_fd()).collect();
        wire::send(&stream, &sockets, has_keys()?)?;
        stream.set_read_timeout(Some(CHECKS))?;
        let mut word = [0];
        Ok(match stream.read_exact(&mut word) {
            Ok(()) if word == [GO] => Word::Go(stream),
            Ok(()) if word == [NO] => Word::No(reason(stream)),
            _ => Word::No(None),
        })
    }
}

/// What a successor says once it has looked at everything.
enum Word {
    Go(UnixStream),
    /// Why, if it was able to say.
    No(Option<String>),
}

/// It says to this account what it says to its own log.
fn reason(stream: UnixStream) -> Option<String> {
    let mut text = Vec::new();
    stream.take(LONGEST_REASON as u64).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

impl Successor {
    /// Hands over what is remembered, once nothing is open any more. The end of this process tells that it is gone.
    pub(super) fn leave(&self, memory: impl FnOnce() -> Memory) {
        let Some(mut stream) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let memory = memory();
        let sent = serde_json::to_vec(&memory).map_err(io::Error::from).and_then(|bytes| {
            let length = (bytes.len() as u64).to_be_bytes();
            write_within(SLACK, &mut stream, &[length.as_slice(), &bytes].concat())
        });
        match sent {
            Ok(()) => tracing::info!(sessions = memory.sessions(), operations = memory.operations(), "handed over"),
            Err(error) => tracing::error!(%error, "sessions and operations could not be handed over, and are lost"),
        }
        // Open until the process is gone, and with it its hold on the store.
        std::mem::forget(stream);
    }
}

/// Writes all of it, or fails in time: whoever is to read it may stand still, and this process would be deaf to signals.
fn write_within(time: Duration, stream: &mut UnixStream, mut bytes: &[u8]) -> io::Result<()> {
    let end = Instant::now() + time;
    while !bytes.is_empty() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_write_timeout(Some(left))?;
        match stream.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The sockets of a gateway that goes on serving until it is given the word.
pub(super) struct Taken {
    stream: UnixStream,
    sockets: Vec<TcpListener>,
    has_keys: bool,
}

impl Taken {
    /// Asks the gateway that serves from this data folder; `None`: there is none. A signal while it takes its time may be
    /// that this one `is_told` to stop.
    ///
    /// # Errors
    /// Why nothing is to be had.
    pub(super) fn ask(data: &Path, is_told: impl FnMut() -> bool) -> Result<Option<Self>, UpgradeError> {
        let path = data.join(SOCKET);
        let stream = match UnixStream::connect(&path) {
            Ok(stream) => stream,
            // Whoever left it there is gone.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        check_peer(&stream, &path)?;
        stream.set_read_timeout(Some(SLACK))?;
        let (sockets, has_keys) = wire::receive(&stream, is_told)?;
        Ok(Some(Self { stream, sockets: sockets.into_iter().map(TcpListener::from).collect(), has_keys }))
    }

    /// Whether there are keys of users in its store.
    pub(super) fn has_keys(&self) -> bool {
        self.has_keys
    }

    /// Its listening sockets, in the order of its configuration.
    pub(super) fn sockets(&mut self) -> Vec<TcpListener> {
        std::mem::take(&mut self.sockets)
    }

    /// Tells it why nothing comes of this. One that is gone or of another version goes on all the same.
    pub(super) fn refuse(mut self, why: &str) {
        let why = why.bytes().take(LONGEST_REASON);
        let _ = write_within(SLACK, &mut self.stream, &std::iter::once(NO).chain(why).collect::<Vec<_>>());
    }

    /// Gives it the word, and waits for its memory and its end: however long it takes by its own `limits.stop`, since its
    /// end closes the connection in whichever way it comes.
    ///
    /// # Errors
    /// When `stopped` comes first. Where it has come already no word is given.
    pub(super) async fn take_over(mut self, stopped: impl Future<Output = ()>) -> Result<Memory, UpgradeError> {
        let mut stopped = pin!(stopped);
        if came(stopped.as_mut()).await {
            self.refuse("told to stop");
            return Err(UpgradeError::Told);
        }
        let pid = socket_peercred(&self.stream).map_err(io::Error::from)?.pid.as_raw_nonzero().get();
        self.stream.write_all(&[GO])?;
        tracing::info!(pid, "waiting until the gateway before has ended what is open");
        self.stream.set_nonblocking(true)?;
        let mut stream = tokio::net::UnixStream::from_std(self.stream)?;
        tokio::select! {
            memory = left(&mut stream) => Ok(memory),
            () = stopped => Err(UpgradeError::Stopped(pid)),
        }
    }
}

/// Whether a stop was asked for before this. One by a signal shows only once the runtime has waited.
pub(super) async fn came(stopped: impl Future<Output = ()>) -> bool {
    tokio::time::timeout(LOOK, stopped).await.is_ok()
}

/// What the one before leaves, once its process is gone: it has the store until then.
async fn left(stream: &mut tokio::net::UnixStream) -> Memory {
    let memory = memory(stream).await.unwrap_or_else(|error| {
        tracing::error!(%error, "no sessions and operations were handed over: users log in again, links are void");
        Memory::default()
    });
    // An error ends the connection as well.
    let _ = stream.read_to_end(&mut Vec::new()).await;
    memory
}

async fn memory(stream: &mut tokio::net::UnixStream) -> io::Result<Memory> {
    let length = stream.read_u64().await?;
    let mut memory = Vec::new();
    stream.take(length).read_to_end(&mut memory).await?;
    Ok(serde_json::from_slice(&memory)?)
}

fn check_peer(stream: &UnixStream, path: &Path) -> Result<(), UpgradeError> {
    let peer = socket_peercred(stream).map_err(io::Error::from)?;
    if peer.uid == geteuid() { Ok(()) } else { Err(UpgradeError::Stranger(path.to_owned())) }
}

#[cfg(test)]
mod tests;
