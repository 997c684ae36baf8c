//! What a TLS client sees of a server's certificate.

use std::path::Path;

use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::x509::X509;

use super::CryptoError;
use super::certificates::AuthoritiesError;

/// A server's certificate as clients see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCertificate {
    /// DER.
    pub der: Vec<u8>,
    /// The channel binding `tls-server-end-point` (RFC 5929, section 4.1): the certificate's hash; `None` where its
    /// signature's algorithm names no hash (Ed25519, PSS), for which the binding is not defined.
    pub end_point: Option<Vec<u8>>,
}

/// The file holds no certificate that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ServerCertificateError {
    /// The file.
    #[error(transparent)]
    File(#[from] AuthoritiesError),
    /// The library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl ServerCertificate {
    /// The first certificate of a PEM file: the server's own, before the chain.
    ///
    /// # Errors
    /// If the file can't be read, or holds no certificate.
    pub fn read(path: &Path) -> Result<Self, ServerCertificateError> {
        let name = || path.display().to_string();
        let pem = std::fs::read(path).map_err(|error| AuthoritiesError::Read(name(), error))?;
        let certificate = X509::from_pem(&pem).map_err(|_| AuthoritiesError::Content(name()))?;
        let end_point = end_point_hash(&certificate).map(|hash| certificate.digest(hash)).transpose();
        let end_point = end_point.map_err(CryptoError::from)?.map(|digest| digest.to_vec());
        Ok(Self { der: certificate.to_der().map_err(CryptoError::from)?, end_point })
    }
}

/// The hash of the signature; SHA-256 in place of what is weaker.
fn end_point_hash(certificate: &X509) -> Option<MessageDigest> {
    match certificate.signature_algorithm().object().nid().signature_algorithms()?.digest {
        Nid::UNDEF => None,
        Nid::MD5 | Nid::SHA1 => Some(MessageDigest::sha256()),
        hash => MessageDigest::from_nid(hash),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::certificates::{Host, self_signed};
    use crate::jose::sha256;

    #[test]
    fn the_first_certificate_and_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let (file, sample) = (folder.path().join("chain.pem"), self_signed(&Host::local()).unwrap());
        std::fs::write(&file, [&sample.server.certificate[..], &sample.ca.certificate].concat()).unwrap();
        let found = ServerCertificate::read(&file).unwrap();
        let der = X509::from_pem(&sample.server.certificate).unwrap().to_der().unwrap();
        assert_eq!(found.end_point.unwrap(), sha256(&der));
        assert_eq!(found.der, der);
        std::fs::write(&file, &**sample.server.key).unwrap();
        assert!(ServerCertificate::read(&file).unwrap_err().to_string().ends_with("holds no PEM certificates"));
    }
}
