//! TLS of a listener: the handshake.
//!
//! The handshake is ours to time: Pingora's own listener would wait 60 s for it, whatever the limit of the head is.

mod files;
mod names;
pub(super) mod refusal;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use openssl::ssl::{self, SslAcceptor};
use openssl::x509::X509VerifyResult;
use pingora::protocols::l4::stream::Stream as Tcp;
use pingora::protocols::tls::SslStream;
use pingora::protocols::tls::server::prepare_tls_stream;
use pingora::protocols::{Peek as _, Stream};
use pingora::{Error, ErrorType, OrErr as _};
use sidegate_filters::CertificateNames;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::settings::Listener;
pub(super) use files::Authorities;
use files::{Print, acceptor};
pub use files::{TlsError, try_certificate};

/// What a TLS connection begins with: a record of the type handshake (RFC 8446 5.1).
const HANDSHAKE: u8 = 22;
/// What a client is told that speaks plain HTTP to a TLS port.
const USE_TLS: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 33\r\nConnection: close\r\n\r\n\
    This port speaks TLS: use https.\n";
/// What OpenSSL says of a client that shows no certificate where one has to be shown.
const NONE_SHOWN: &str = "peer did not return a certificate";
/// How long that client is read on, so that it gets to see the answer.
const LINGER: Duration = Duration::from_secs(1);

/// Why a connection with TLS does not come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unmet {
    /// The client's certificate is refused, for this reason, which quotes nothing of it.
    Certificate(&'static str),
    /// Whatever else.
    Other,
}

/// The TLS side of a listener.
#[derive(Clone)]
pub(super) struct Tls {
    acceptor: Arc<SslAcceptor>,
    deadline: Duration,
    print: Print,
}

impl Tls {
    /// Reads the listener's files; `None` for a plain listener. Where they hold what they held `before`, clients that show no
    /// certificate go on to resume their sessions of TLS.
    pub(super) fn of(listener: &Listener, deadline: Duration, before: Option<&Self>) -> Result<Option<Self>, TlsError> {
        let Some(files) = &listener.tls else { return Ok(None) };
        let print = Print::of(files);
        if let (Ok(print), Some(before)) = (&print, before)
            && *print == before.print
        {
            return Ok(Some(before.clone()));
        }
        let acceptor = Arc::new(acceptor(files, listener.http2)?);
        let print = print.map_err(|source| TlsError::Read { path: files.certificate.clone(), source })?;
        Ok(Some(Self { acceptor, deadline, print }))
    }

    /// By which authorities it asks clients for a certificate.
    pub(super) fn authorities(&self) -> Option<Authorities> {
        self.print.authorities
    }

    /// The encrypted stream over a TCP connection, and whom the client's certificate names.
    ///
    /// # Errors
    /// When the client fails at the handshake or is too slow.
    pub(super) async fn accept(
        &self,
        stream: Stream,
        peer: Option<SocketAddr>,
    ) -> Result<(Stream, Option<CertificateNames>), Unmet> {
        let tcp = stream.into_any().downcast::<Tcp>().map_err(|_| Unmet::Other)?;
        let client = peer.map(|peer| peer.to_string()).unwrap_or_default();
        let mut refused = None;
        match timeout(self.deadline, shake(&self.acceptor, *tcp, &mut refused)).await {
            Ok(Ok(stream)) => {
                let names = stream.ssl().peer_certificate().and_then(|certificate| names::names(&certificate));
                return Ok((Box::new(stream), names));
            }
            Ok(Err(error)) => tracing::debug!(client, %error, "a TLS handshake failed"),
            Err(_) => tracing::info!(client, "a TLS handshake took too long"),
        }
        Err(refused.filter(|_| self.authorities().is_some()).map_or(Unmet::Other, Unmet::Certificate))
    }
}

async fn shake(
    acceptor: &SslAcceptor,
    mut tcp: Tcp,
    refused: &mut Option<&'static str>,
) -> pingora::Result<SslStream<Tcp>> {
    let mut first = [0];
    tcp.try_peek(&mut first)
        .await
        .or_err(ErrorType::TLSHandshakeFailure, "the client closed before it said anything")?;
    match first {
        [HANDSHAKE] => {
            let mut stream = prepare_tls_stream(acceptor, tcp)?;
            if let Err(error) = stream.accept().await {
                *refused = why_refused(stream.ssl(), &error);
                return Error::e_because(ErrorType::TLSHandshakeFailure, "the handshake failed", error);
            }
            Ok(stream)
        }
        [byte] => {
            if byte.is_ascii_alphabetic() {
                // It is gone already if this fails.
                let _ = timeout(LINGER, send_to_https(tcp)).await;
            }
            Error::e_explain(ErrorType::TLSHandshakeFailure, "the client does not speak TLS")
        }
    }
}

/// Why the client's certificate is what a handshake failed at, if it is.
fn why_refused(ssl: &ssl::SslRef, error: &ssl::Error) -> Option<&'static str> {
    let result = ssl.verify_result();
    if result != X509VerifyResult::OK {
        return Some(result.error_string());
    }
    let reasons = error.ssl_error()?.errors().iter().filter_map(openssl::error::Error::reason);
    reasons.into_iter().any(|reason| reason == NONE_SHOWN).then_some("none was shown")
}

async fn send_to_https(mut tcp: Tcp) -> std::io::Result<()> {
    tcp.write_all(USE_TLS).await?;
    tcp.shutdown().await?;
    let mut rest = [0; 4096];
    while tcp.read(&mut rest).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests;
