//! Authorities to trust.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use openssl::x509::X509;

use super::CryptoError;

/// Authorities whose certificates are taken.
#[derive(Clone)]
pub struct Authorities(Arc<Box<[X509]>>);

/// A file with authorities that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    /// It can't be read.
    #[error("{0}: {1}")]
    Read(String, io::Error),
    /// It holds no certificate.
    #[error("{0} holds no PEM certificates")]
    Content(String),
}

impl Authorities {
    /// Reads a PEM file.
    ///
    /// # Errors
    /// If it can't be read, or holds no certificate.
    pub fn read(path: &Path) -> Result<Self, AuthoritiesError> {
        let name = || path.display().to_string();
        let pem = std::fs::read(path).map_err(|error| AuthoritiesError::Read(name(), error))?;
        let found = X509::stack_from_pem(&pem).map_err(|_| AuthoritiesError::Content(name()))?;
        if found.is_empty() { Err(AuthoritiesError::Content(name())) } else { Ok(Self(Arc::new(found.into()))) }
    }

    /// The certificates, DER.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn to_der(&self) -> Result<Vec<Vec<u8>>, CryptoError> {
        self.0.iter().map(|certificate| Ok(certificate.to_der()?)).collect()
    }

    /// The SHA-256 of each certificate.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn digests(&self) -> Result<Vec<[u8; 32]>, CryptoError> {
        Ok(self.to_der()?.iter().map(|der| super::sha256(der)).collect())
    }

    /// The certificates, as Pingora takes them.
    #[must_use]
    pub fn certificates(&self) -> Arc<Box<[X509]>> {
        Arc::clone(&self.0)
    }
}

/// The same certificates in the same order.
impl PartialEq for Authorities {
    fn eq(&self, other: &Self) -> bool {
        same_certificates(&self.0, &other.0)
    }
}

pub(super) fn same_certificates(these: &[X509], those: &[X509]) -> bool {
    let same = |(this, that): (&X509, &X509)| matches!((this.to_der(), that.to_der()), (Ok(a), Ok(b)) if a == b);
    these.len() == those.len() && these.iter().zip(those).all(same)
}

impl fmt::Debug for Authorities {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Authorities({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::sample::{Host, self_signed};

    #[test]
    fn a_file_without_a_certificate_names_no_authority() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        assert!(matches!(Authorities::read(&path), Err(AuthoritiesError::Read(..))));
        let sample = self_signed(&Host::local()).unwrap();
        let broken = [sample.ca.certificate.as_slice(), b"-----BEGIN CERTIFICATE-----\nAA\n"].concat();
        for content in [b"".as_slice(), b"text", &sample.ca.key, &broken] {
            std::fs::write(&path, content).unwrap();
            assert!(matches!(Authorities::read(&path), Err(AuthoritiesError::Content(_))));
        }
        std::fs::write(&path, [sample.ca.certificate.as_slice(), &sample.client.certificate].concat()).unwrap();
        assert_eq!(format!("{:?}", Authorities::read(&path).unwrap()), "Authorities(2)");
    }
}
