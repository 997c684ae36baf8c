//! TLS of a listener: its files, read and checked before anything listens, and the handshake.
//!
//! The handshake is ours to time: Pingora's own listener would wait 60 s for it, whatever the limit of the head is.

mod names;
pub(super) mod refusal;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use openssl::error::ErrorStack;
use openssl::ssl::{
    self, AlpnError, SslAcceptor, SslAcceptorBuilder, SslFiletype, SslMethod, SslOptions, SslSessionCacheMode,
    SslVerifyMode, select_next_proto,
};
use openssl::x509::X509VerifyResult;
use pingora::protocols::l4::stream::Stream as Tcp;
use pingora::protocols::tls::SslStream;
use pingora::protocols::tls::server::prepare_tls_stream;
use pingora::protocols::{Peek as _, Stream};
use pingora::{Error, ErrorType, OrErr as _};
use sidegate_filters::CertificateNames;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::settings::{Listener, TlsFiles};
use crate::jose::sha256;

/// ALPN protocol list as it is on the wire (RFC 7301): HTTP/2 first where it is spoken.
const H2_H1: &[u8] = b"\x02h2\x08http/1.1";
const H1: &[u8] = b"\x08http/1.1";
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

/// Why the files of a TLS listener cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file, or the chain in it.
    #[error("{}: not a PEM certificate with its chain ({source})", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What OpenSSL says.
        source: ErrorStack,
    },
    /// The key file.
    #[error("{}: not a PEM private key ({source})", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What OpenSSL says.
        source: ErrorStack,
    },
    /// One is where the other should be.
    #[error("{}: this file holds a {}, not the {wanted}: are certificate and key swapped?", path.display(), other(wanted))]
    Swapped {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        wanted: &'static str,
    },
    /// The two do not belong together.
    #[error("{} is not the key of the certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The authorities of client certificates.
    #[error("{}: no PEM certificates of client authorities ({source})", path.display())]
    ClientCa {
        /// The file.
        path: PathBuf,
        /// What OpenSSL says.
        source: ErrorStack,
    },
    /// The files changed while they were read.
    #[error("{}: it, or a file beside it, can't be read: {source}", path.display())]
    Read {
        /// The certificate's file.
        path: PathBuf,
        /// What the file system says.
        source: io::Error,
    },
    /// OpenSSL could not be set up at all.
    #[error("TLS cannot be set up")]
    Setup(#[from] ErrorStack),
}

const CERTIFICATE: &str = "certificate";
const KEY: &str = "private key";

fn other(wanted: &str) -> &'static str {
    if wanted == KEY { CERTIFICATE } else { KEY }
}

/// Why a connection with TLS does not come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unmet {
    /// The client's certificate is refused, for this reason, which quotes nothing of it.
    Certificate(&'static str),
    /// Whatever else.
    Other,
}

/// SHA-256 of the file with the authorities of clients.
pub(super) type Authorities = [u8; 32];

/// The TLS side of a listener.
#[derive(Clone)]
pub(super) struct Tls {
    acceptor: Arc<SslAcceptor>,
    deadline: Duration,
    print: Print,
}

/// What tells one state of the files from another.
#[derive(Clone, PartialEq, Eq)]
struct Print {
    certificate: [u8; 32],
    key: [u8; 32],
    authorities: Option<Authorities>,
}

impl Print {
    fn of(files: &TlsFiles) -> io::Result<Self> {
        let print = |path: &Path| Ok::<_, io::Error>(sha256(&Zeroizing::new(std::fs::read(path)?)));
        let authorities = files.client_ca.as_deref().map(print).transpose()?;
        Ok(Self { certificate: print(&files.certificate)?, key: print(&files.key)?, authorities })
    }
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

/// Reads a listener's files as a start does.
///
/// # Errors
/// Which file is unfit, and why.
pub fn try_certificate(listener: &Listener) -> Result<(), TlsError> {
    let tried = listener.tls.as_ref().map(|files| acceptor(files, listener.http2));
    tried.transpose().map(drop)
}

/// Mozilla's intermediate profile (version 5): TLS 1.2 and 1.3, forward secrecy and AEAD ciphers only.
fn acceptor(files: &TlsFiles, http2: bool) -> Result<SslAcceptor, TlsError> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls())?;
    builder.set_certificate_chain_file(&files.certificate).map_err(|source| certificate_fault(files, source))?;
    builder.set_private_key_file(&files.key, SslFiletype::PEM).map_err(|source| key_fault(files, source))?;
    if let Some(path) = &files.client_ca {
        demand_certificates(&mut builder, path).map_err(|source| TlsError::ClientCa { path: path.clone(), source })?;
    }
    let protocols = if http2 { H2_H1 } else { H1 };
    builder.set_alpn_select_callback(move |_, offered| select_next_proto(protocols, offered).ok_or(AlpnError::NOACK));
    Ok(builder.build())
}

/// OpenSSL checks the pair when the key comes second, and says so in the same way as for a broken file.
fn key_fault(files: &TlsFiles, source: ErrorStack) -> TlsError {
    if holds_key(&files.key) {
        TlsError::Mismatch { certificate: files.certificate.clone(), key: files.key.clone() }
    } else if std::fs::read(&files.key).is_ok_and(|pem| openssl::x509::X509::from_pem(&pem).is_ok()) {
        TlsError::Swapped { path: files.key.clone(), wanted: KEY }
    } else {
        TlsError::Key { path: files.key.clone(), source }
    }
}

fn certificate_fault(files: &TlsFiles, source: ErrorStack) -> TlsError {
    let path = files.certificate.clone();
    if holds_key(&path) {
        TlsError::Swapped { path, wanted: CERTIFICATE }
    } else {
        TlsError::Certificate { path, source }
    }
}

fn holds_key(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|pem| openssl::pkey::PKey::private_key_from_pem(&pem).is_ok())
}

fn demand_certificates(builder: &mut SslAcceptorBuilder, authorities: &Path) -> Result<(), ErrorStack> {
    builder.set_ca_file(authorities)?;
    builder.set_client_ca_list(openssl::x509::X509Name::load_client_ca_file(authorities)?);
    builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    // A session that is resumed has its certificate from the handshake that made it, and OpenSSL looks at its time no more:
    // renewed at each use it would outlive its certificate without end. So every connection shows it anew.
    builder.set_options(SslOptions::NO_TICKET);
    builder.set_num_tickets(0)?;
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    Ok(())
}

#[cfg(test)]
mod tests;
