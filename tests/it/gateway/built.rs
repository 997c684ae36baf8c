//! Slow clients of the built binary, by the limits of its configuration.

use std::io::Write;
use std::net::SocketAddr;

use super::clients::connect;
use super::deadlines::{dribbled, until_closed};
use crate::support::gateway::Setup;
use crate::support::raw::Socket;

/// How many of each kind there are at once.
const MANY: usize = 10;

/// A client that is not cut never comes back from this.
fn is_cut(plain: SocketAddr, tls: SocketAddr, kind: usize) {
    let slow = ("/nevisfido/status", "Content-Length: 60000\r\n");
    let idle = |address: SocketAddr, first: &[u8]| {
        let mut stream = connect(address);
        stream.write_all(first).unwrap();
        until_closed(&mut stream);
    };
    match kind {
        0 => assert_eq!(dribbled(Socket::plain(plain), slow).1, "408"),
        1 => assert_eq!(dribbled(Socket::tls(tls, "http/1.1"), slow).1, "408"),
        2 => idle(plain, b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\n\r\n"),
        3 => idle(plain, b""),
        _ => idle(tls, &[0x16, 3, 1]),
    }
}

#[tokio::test]
async fn slow_bodies_idle_connections_and_half_a_handshake_are_cut() {
    let limits = "limits: {header-time: 1s, body-window: 1s, idle: 3s}\n";
    let gateway = Setup::default().tls().append(limits).start().await;
    let (plain, tls) = (gateway.address("public"), gateway.tls_address());
    let clients = (0..5 * MANY).map(|index| tokio::task::spawn_blocking(move || is_cut(plain, tls, index % 5)));
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
}
