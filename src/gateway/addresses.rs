//! Where the gateway really listens: bound before anything starts, and written down for whoever asked for port 0.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::settings::Listener;
use crate::routes::ListenerClass;
use crate::store::private_file;

/// The file in the data folder: a JSON array of [`Bound`], in the order of the configuration. It is replaced as a whole
/// once all listeners are bound, before the first request is answered.
pub const FILE: &str = "addresses.json";

/// A listener that is bound.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bound {
    /// Who it is for.
    pub class: ListenerClass,
    /// Address and real port.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub tls: bool,
}

/// Binds one listener, ready for an asynchronous runtime to accept on.
pub(super) fn bind(listener: &Listener) -> io::Result<(TcpListener, Bound)> {
    taken(listener, TcpListener::bind(listener.address)?)
}

/// The same of a socket that is bound.
pub(super) fn taken(listener: &Listener, socket: TcpListener) -> io::Result<(TcpListener, Bound)> {
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    Ok((socket, Bound { class: listener.class, address, tls: listener.tls.is_some() }))
}

/// A listener that is wanted otherwise than its socket was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Which of the listeners it is, counted from 0.
    pub index: usize,
    /// Where the gateway that serves has it.
    pub there: Option<SocketAddr>,
    /// Where it is wanted.
    pub here: Option<SocketAddr>,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told =
            |address: Option<SocketAddr>| address.map_or_else(|| "none".to_owned(), |address| address.to_string());
        write!(out, "listeners[{}].address is {} there and {} here", self.index, told(self.there), told(self.here))
    }
}

/// How sockets that were handed over differ from the listeners that are wanted, one by one; nothing where they fit.
pub(super) fn differences(listeners: &[Listener], sockets: &[TcpListener]) -> Vec<Difference> {
    let differs = |index: usize| {
        let wanted = listeners.get(index).map(|listener| listener.address);
        let had = sockets.get(index).and_then(|socket| socket.local_addr().ok());
        let fits =
            wanted.zip(had).is_some_and(|(wanted, had)| wanted == had || (wanted.port(), wanted.ip()) == (0, had.ip()));
        (!fits).then_some(Difference { index, there: had, here: wanted })
    };
    (0..listeners.len().max(sockets.len())).filter_map(differs).collect()
}

/// Where the gateway of this data folder listened when it was last started; nothing where that is not known.
#[must_use]
pub fn last_bound(data: &Path) -> Vec<Bound> {
    let text = std::fs::read(data.join(FILE)).ok();
    text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// Writes the addresses into the data folder.
pub(super) fn write(data: &Path, bound: &[Bound]) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(bound)?;
    text.push(b'\n');
    private_file::replace(&data.join(FILE), &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> Listener {
        Listener {
            class: ListenerClass::Management,
            address: address.parse().unwrap(),
            tls: None,
            balancers: Vec::new(),
            proxies: None,
            http2: false,
        }
    }

    #[test]
    fn sockets_fit_their_listeners_or_each_that_does_not_is_named() {
        let bind = || TcpListener::bind("127.0.0.1:0").unwrap();
        let sockets = [bind(), bind()];
        let [one, other] = sockets.each_ref().map(|socket| socket.local_addr().unwrap().to_string());
        let differences = |listeners: &[Listener], sockets: &[TcpListener]| {
            differences(listeners, sockets).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(differences(&[at(&one), at("127.0.0.1:0")], &sockets), Vec::<String>::new());
        let wrong = |index: usize, there: &str, here: &str| {
            format!("listeners[{index}].address is {there} there and {here} here")
        };
        assert_eq!(
            differences(&[at(&other), at("127.0.0.2:0")], &sockets),
            [wrong(0, &one, &other), wrong(1, &other, "127.0.0.2:0")]
        );
        assert_eq!(differences(&[at(&one)], &sockets), [wrong(1, &other, "none")]);
        assert_eq!(differences(&[at(&one), at(&other)], &sockets[..1]), [wrong(1, "none", &other)]);
    }

    #[test]
    fn the_file_names_the_real_port() {
        let folder = tempfile::tempdir().unwrap();
        let wish = at("127.0.0.1:0");
        assert!(last_bound(folder.path()).is_empty(), "nothing was started");
        let (socket, bound) = bind(&wish).unwrap();
        write(folder.path(), &[bound]).unwrap();
        let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value[0]["address"], socket.local_addr().unwrap().to_string());
        assert_eq!(value[0]["class"], "management");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(last_bound(folder.path())[0].address, socket.local_addr().unwrap());
    }
}
