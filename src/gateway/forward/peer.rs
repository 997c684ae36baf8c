//! A server of an upstream as Pingora wants it described.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pingora::upstreams::peer::{ALPN, HttpPeer, HttpUpstreamRequestPolicy};
use pingora::utils::tls::CertKey;

use super::tunnel::Hold;
use crate::jose::UpstreamTls;
use crate::jose::certificates::Authorities;
use crate::routes::{Address, Protocol, Server, Upstream};

/// Requests at once on one HTTP/2 connection.
const STREAMS: usize = 100;
/// How many bytes a server may send ahead of the client on one stream, and on all of a connection. What is under way is
/// memory: Pingora's own 8 MiB for each stream cost more than twice that while a long body passed.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 1 << 22;

/// How to connect to this server, whose name has this address.
pub(in crate::gateway) fn of(upstream: &Upstream, server: &Server, address: SocketAddr) -> HttpPeer {
    let mut peer = HttpPeer::new(address, upstream.tls.is_some(), server.name.clone());
    // Pingora's pool tells peers apart by address and name, not by the authorities that they were checked by.
    peer.group_key = server.address.group();
    if let Some(tls) = &upstream.tls {
        secure(&mut peer, tls);
    }
    peer.options.alpn = match upstream.protocol {
        Protocol::Http1 => ALPN::H1,
        Protocol::Http2 => ALPN::H2,
        Protocol::Negotiated => ALPN::H2H1,
    };
    peer.options.max_h2_streams = STREAMS;
    peer.options.h2_stream_window_size = Some(STREAM_WINDOW);
    peer.options.h2_connection_window_size = Some(CONNECTION_WINDOW);
    peer.options.connection_timeout = Some(upstream.connect_timeout);
    peer.options.total_connection_timeout = Some(upstream.connect_timeout);
    peer.options.read_timeout = Some(upstream.read_timeout);
    peer.options.write_timeout = Some(upstream.write_timeout);
    peer.options.idle_timeout = Some(upstream.idle_timeout);
    peer.options.http_upstream_request_policy = HttpUpstreamRequestPolicy::deny_upgrades();
    peer
}

/// Has a connection opened for this one request, and not kept.
pub(super) fn opened_anew(peer: &mut HttpPeer, server: &Server) {
    peer.group_key = server.address.group_of_none_kept();
    peer.options.idle_timeout = Some(Duration::ZERO);
}

/// Has a connection opened for a WebSocket, by this hold. It is none that was kept, not even for the moment before it is
/// closed: each hold waits for its own handshake alone, and on another's connection nothing would.
pub(super) fn opened_for(peer: &mut HttpPeer, hold: Hold, idle: Duration) {
    peer.group_key = Address::group_of_one();
    peer.options.idle_timeout = Some(Duration::ZERO);
    peer.options.custom_l4 = Some(Arc::new(hold));
    peer.options.alpn = ALPN::H1;
    peer.options.read_timeout = Some(idle);
    peer.options.http_upstream_request_policy = HttpUpstreamRequestPolicy::standard();
}

fn secure(peer: &mut HttpPeer, tls: &UpstreamTls) {
    peer.options.verify_cert = tls.verify;
    peer.options.verify_hostname = tls.verify;
    peer.options.ca = tls.authorities.as_ref().map(Authorities::certificates);
    peer.client_cert_key = tls.client.as_ref().map(|client| Arc::new(CertKey::new(client.chain(), client.key())));
}

#[cfg(test)]
mod tests {
    use pingora::upstreams::peer::Peer as _;

    use super::*;

    #[test]
    fn a_websocket_gets_no_connection_that_was_kept() {
        let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let upstream = Upstream::new("app", vec![Server::plain(address.to_string())]);
        let server = upstream.servers.all().next().unwrap();
        let usual = of(&upstream, server, address);
        let mut repeated = of(&upstream, server, address);
        opened_anew(&mut repeated, server);
        let mut pools = vec![usual.reuse_hash(), repeated.reuse_hash()];
        for _ in 0..2 {
            let mut peer = of(&upstream, server, address);
            opened_for(&mut peer, Hold::default(), Duration::ZERO);
            assert!(!pools.contains(&peer.reuse_hash()));
            pools.push(peer.reuse_hash());
        }
    }
}
