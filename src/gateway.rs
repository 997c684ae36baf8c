//! The front: listeners, strict requests, the life of a request, answers. The only place that names Pingora.
//!
//! A connection is accepted and wrapped ([`stream`]): the wrapper reads a whole request head, checks it and holds it to
//! its deadline before Pingora sees a byte. A request then becomes an exchange ([`request`]), passes its route's filters
//! and ends at a service of ours or at an upstream ([`proxy`]). Every answer of ours leaves through [`reply`].
//! Contract: `gateway.md` 1, 2, 4, 8.

mod addresses;
mod body;
mod checks;
mod connection;
mod doors;
mod edge;
mod failure;
mod files;
mod forward;
mod frames;
mod head;
mod listening;
mod media;
mod meter;
mod proxy;
mod proxy_protocol;
mod rare;
mod reply;
mod request;
mod serve;
mod server;
mod settings;
mod snapshot;
mod stop;
mod stream;
mod tls;
mod watch;
mod websocket;

pub use addresses::{Bound, Difference, FILE as ADDRESSES, last_bound};
pub use doors::Doors;
pub use server::{Gateway, Listening, RunError, SAME, StartError, adopt, listen, on};
pub use settings::{Limits, Listener, Settings, TlsFiles};
pub use snapshot::{Snapshot, Switch};
pub use stop::{Stop, StopHandle};
pub use tls::{TlsError, try_certificate};
