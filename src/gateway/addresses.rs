//! Where the gateway really listens: bound before anything starts, and written down for whoever asked for port 0.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use serde::Serialize;

use super::settings::Listener;
use crate::routes::ListenerClass;
use crate::store::private_file;

/// The file in the data folder: a JSON array of [`Bound`], in the order of the configuration. It is replaced as a whole
/// once all listeners are bound, before the first request is answered.
pub const FILE: &str = "addresses.json";

/// A listener that is bound.
#[derive(Debug, Clone, Serialize)]
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

/// Writes the addresses into the data folder.
pub(super) fn write(data: &Path, bound: &[Bound]) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(bound)?;
    text.push(b'\n');
    private_file::replace(&data.join(FILE), &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_names_the_real_port() {
        let folder = tempfile::tempdir().unwrap();
        let wish = Listener {
            class: ListenerClass::Management,
            address: "127.0.0.1:0".parse().unwrap(),
            tls: None,
            http2: false,
        };
        let (socket, bound) = bind(&wish).unwrap();
        write(folder.path(), &[bound]).unwrap();
        let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value[0]["address"], socket.local_addr().unwrap().to_string());
        assert_eq!(value[0]["class"], "management");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
