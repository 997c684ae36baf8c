//! Why the certificate of a server behind is refused. Pingora says that it is, and forgets why: the server is asked for it
//! once more, and only for that.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use openssl::ssl::{HandshakeError, SslConnector, SslMethod};
use openssl::x509::X509VerifyResult;
use openssl::x509::store::X509StoreBuilder;

use crate::jose::UpstreamTls;
use crate::routes::{Server, Upstream};

/// Finds out why and logs it; nobody waits for that.
pub(in crate::gateway) fn tell(upstream: &Upstream, server: Option<&Server>) {
    let Some((server, tls)) = server.zip(upstream.tls.clone()) else { return };
    let (address, name) = (server.address.as_str().to_owned(), server.name.clone());
    let (upstream, patience) = (upstream.name.clone(), upstream.connect_timeout);
    tokio::task::spawn_blocking(move || {
        if let Some(reason) = reason(&address, &name, &tls, patience) {
            tracing::warn!(upstream, server = address, reason, "the certificate of a server is refused");
        }
    });
}

/// What is wrong with the certificate, in OpenSSL's words, which quote nothing of it. `None` where it cannot be found out.
fn reason(address: &str, name: &str, tls: &UpstreamTls, patience: Duration) -> Option<&'static str> {
    let tcp = TcpStream::connect_timeout(&address.to_socket_addrs().ok()?.next()?, patience).ok()?;
    tcp.set_read_timeout(Some(patience)).ok()?;
    tcp.set_write_timeout(Some(patience)).ok()?;
    let mut connector = SslConnector::builder(SslMethod::tls()).ok()?;
    if let Some(authorities) = &tls.authorities {
        let mut store = X509StoreBuilder::new().ok()?;
        for authority in authorities.certificates().iter() {
            store.add_cert(authority.clone()).ok()?;
        }
        connector.set_cert_store(store.build());
    }
    match connector.build().connect(name, tcp) {
        Err(HandshakeError::Failure(stream)) => {
            let result = stream.ssl().verify_result();
            (result != X509VerifyResult::OK).then(|| result.error_string())
        }
        _ => None,
    }
}
