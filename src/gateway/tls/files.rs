//! The files of a listener with TLS, read and checked before anything listens.

use std::io;
use std::path::{Path, PathBuf};

use openssl::error::ErrorStack;
use openssl::ssl::{
    AlpnError, SslAcceptor, SslAcceptorBuilder, SslFiletype, SslMethod, SslOptions, SslSessionCacheMode, SslVerifyMode,
    select_next_proto,
};
use zeroize::Zeroizing;

use crate::gateway::settings::{Listener, TlsFiles};
use crate::jose::sha256;

/// ALPN protocol list as it is on the wire (RFC 7301): HTTP/2 first where it is spoken.
const H2_H1: &[u8] = b"\x02h2\x08http/1.1";
const H1: &[u8] = b"\x08http/1.1";

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
    #[error("{}: holds no PEM certificate of an authority of clients ({source})", path.display())]
    ClientCa {
        /// The file.
        path: PathBuf,
        /// What OpenSSL says.
        source: ErrorStack,
    },
    /// The files can't be read.
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

impl TlsError {
    /// The key of a listener's `tls` that names the file at fault; `None`: none of them alone.
    #[must_use]
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Self::Certificate { .. } => Some("certificate"),
            Self::Key { .. } => Some("key"),
            Self::Swapped { wanted, .. } => Some(if *wanted == KEY { "key" } else { "certificate" }),
            Self::ClientCa { .. } => Some("client-ca"),
            Self::Mismatch { .. } | Self::Read { .. } | Self::Setup(_) => None,
        }
    }
}

const CERTIFICATE: &str = "certificate";
const KEY: &str = "private key";

fn other(wanted: &str) -> &'static str {
    if wanted == KEY { CERTIFICATE } else { KEY }
}

/// SHA-256 of the file with the authorities of clients.
pub(in crate::gateway) type Authorities = [u8; 32];

/// What tells one state of the files from another.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Print {
    certificate: [u8; 32],
    key: [u8; 32],
    pub(super) authorities: Option<Authorities>,
}

impl Print {
    pub(super) fn of(files: &TlsFiles) -> io::Result<Self> {
        let print = |path: &Path| Ok::<_, io::Error>(sha256(&Zeroizing::new(std::fs::read(path)?)));
        let authorities = files.client_ca.as_deref().map(print).transpose()?;
        Ok(Self { certificate: print(&files.certificate)?, key: print(&files.key)?, authorities })
    }
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
pub(super) fn acceptor(files: &TlsFiles, http2: bool) -> Result<SslAcceptor, TlsError> {
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
