//! The certificate that the gateway shows to servers behind it.

use std::fmt;
use std::path::Path;

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use zeroize::Zeroizing;

use super::CryptoError;
use super::certificates::{AuthoritiesError, same_certificates};

/// A certificate with its chain, and its key.
#[derive(Clone)]
pub struct ClientCertificate {
    chain: Vec<X509>,
    key: PKey<Private>,
}

/// Files that are no certificate with its key.
#[derive(Debug, thiserror::Error)]
pub enum ClientCertificateError {
    /// A file can't be read, or the first holds no certificate.
    #[error(transparent)]
    File(#[from] AuthoritiesError),
    /// The second holds no key.
    #[error("{0} holds no PEM private key, or one behind a password")]
    Key(String),
    /// The two do not belong together.
    #[error("{key} is not the key of the certificate in {certificate}")]
    Mismatch {
        /// The certificate's file.
        certificate: String,
        /// The key's file.
        key: String,
    },
}

impl ClientCertificate {
    /// Reads two PEM files: the certificate with the ones up to its root, and its private key.
    ///
    /// # Errors
    /// If one can't be read, or they do not belong together.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, ClientCertificateError> {
        let (file, key_file) = (certificate.display().to_string(), key.display().to_string());
        let content = |path: &Path, name: &str| {
            std::fs::read(path).map_err(|error| AuthoritiesError::Read(name.to_owned(), error))
        };
        let none = || AuthoritiesError::Content(file.clone());
        let chain = X509::stack_from_pem(&content(certificate, &file)?).map_err(|_| none())?;
        let leaf = chain.first().ok_or_else(none)?;
        let pem = Zeroizing::new(content(key, &key_file)?);
        // Without the callback OpenSSL would ask for a password on the terminal.
        let key = PKey::private_key_from_pem_callback(&pem, |_| Ok(0));
        let key = key.map_err(|_| ClientCertificateError::Key(key_file.clone()))?;
        if !leaf.public_key().is_ok_and(|public| public.public_eq(&key)) {
            return Err(ClientCertificateError::Mismatch { certificate: file, key: key_file });
        }
        Ok(Self { chain, key })
    }

    /// The same two in PEM, the key as PKCS#8, as HTTP clients take them.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn to_pem(&self) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), CryptoError> {
        let chain = self.chain.iter().map(|certificate| certificate.to_pem()).collect::<Result<Vec<_>, _>>()?.concat();
        Ok((chain, Zeroizing::new(self.key.private_key_to_pem_pkcs8()?)))
    }

    /// The certificate and then the ones up to its root, as Pingora takes them; never empty.
    #[must_use]
    pub fn chain(&self) -> Vec<X509> {
        self.chain.clone()
    }

    /// The key, as Pingora takes it.
    #[must_use]
    pub fn key(&self) -> PKey<Private> {
        self.key.clone()
    }
}

/// The same certificates, whatever the files; they belong to one key.
impl PartialEq for ClientCertificate {
    fn eq(&self, other: &Self) -> bool {
        same_certificates(&self.chain, &other.chain)
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ClientCertificate")
    }
}

#[cfg(test)]
mod tests {
    use openssl::symm::Cipher;

    use super::*;
    use crate::jose::sample::{Host, self_signed};

    #[test]
    fn a_certificate_and_its_own_key() {
        let sample = self_signed(&Host::local()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let read = |certificate: &[u8], key: &[u8]| {
            let paths = ["c.pem", "k.pem"].map(|name| folder.path().join(name));
            std::fs::write(&paths[0], certificate).unwrap();
            std::fs::write(&paths[1], key).unwrap();
            ClientCertificate::read(&paths[0], &paths[1]).map_err(|error| error.to_string())
        };
        let (own, key) = (&sample.client.certificate, &sample.client.key);
        let chain = [&own[..], &sample.ca.certificate].concat();
        let both = read(&chain, key).unwrap();
        assert_eq!(both.chain().len(), 2);
        let older = both.key().ec_key().unwrap().private_key_to_pem().unwrap();
        assert!(older.starts_with(b"-----BEGIN EC PRIVATE KEY"));
        let (certificates, pkcs8) = read(&chain, &older).unwrap().to_pem().unwrap();
        assert_eq!(X509::stack_from_pem(&certificates).unwrap().len(), 2);
        assert!(pkcs8.starts_with(b"-----BEGIN PRIVATE KEY"), "whatever its form in the file was");
        assert!(read(own, &sample.server.key).unwrap_err().contains("k.pem is not the key of the certificate in"));
        assert!(read(own, own).unwrap_err().contains("k.pem holds no PEM private key"));
        assert!(read(key, key).unwrap_err().contains("c.pem holds no PEM certificates"));
        let locked = PKey::private_key_from_pem(key).unwrap();
        let locked = locked.private_key_to_pem_pkcs8_passphrase(Cipher::aes_128_cbc(), b"secret").unwrap();
        assert!(read(own, &locked).unwrap_err().contains("behind a password"));
        assert!(ClientCertificate::read(Path::new("/nowhere"), Path::new("/nowhere")).is_err());
    }
}
