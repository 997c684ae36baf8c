//! Why a gateway does not start, or ends otherwise than it was asked to.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::gateway::addresses::Difference;
use crate::gateway::tls::TlsError;
use crate::routes::ListenerClass;

/// What mends other listeners.
pub const SAME: &str = "stop it, then start this one, or give this one the same listeners in the same order";

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener's address cannot be had.
    #[error(
        "{address} cannot be listened on, for the {} listener (listeners[{index}].address): {source}; give it another \
         address there or with --listen, --internal, --management, or end the program that has this one",
        class.name()
    )]
    Bind {
        /// Whom the listener is for.
        class: ListenerClass,
        /// Which of the listeners it is, counted from 0.
        index: usize,
        /// The address asked for.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The sockets that were handed over are others.
    #[error(
        "the gateway that serves has other listeners than this configuration ({}): {SAME}",
        .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    Handed(Vec<Difference>),
    /// A listener's certificate or key is unfit.
    #[error("{address}: {source}")]
    Tls {
        /// The listener.
        address: SocketAddr,
        /// Which file, and why.
        source: TlsError,
    },
    /// The data folder cannot be written to.
    #[error("{}: {source}", path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// An end that is not a good one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The thread that serves ended by itself; the log has its last words.
    #[error("the gateway ended without having been asked to")]
    Died,
    /// SIGINT came once more while it stopped: what was open was cut.
    #[error("interrupted while stopping")]
    Interrupted,
}
