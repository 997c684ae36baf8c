//! A server's certificate as clients see it: whom it names, when it is good, and how a client names it.

use std::net::IpAddr;
use std::path::Path;

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::x509::X509;
use sidegate_filters::clock::Millis;

use super::CryptoError;
use super::certificates::AuthoritiesError;

/// A server's certificate as clients see it.
pub struct ServerCertificate {
    certificate: X509,
    der: Vec<u8>,
    end_point: Option<Vec<u8>>,
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

/// Why clients will not take it at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// Its time has not come.
    #[error("is not valid yet")]
    Early,
    /// Its time is over.
    #[error("has expired")]
    Late,
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
        let der = certificate.to_der().map_err(CryptoError::from)?;
        Ok(Self { certificate, der, end_point })
    }

    /// DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The channel binding `tls-server-end-point` (RFC 5929, section 4.1): the certificate's hash; `None` where its
    /// signature's algorithm names no hash (Ed25519, PSS), for which the binding is not defined.
    #[must_use]
    pub fn end_point(&self) -> Option<&[u8]> {
        self.end_point.as_deref()
    }

    /// Whether it names this host: a name, or an address with or without the brackets of a URL. As in browsers, only
    /// alternative names count (RFC 9525 6), and a star stands for the whole first label.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        let names = self.certificate.subject_alt_names();
        let mut names = names.iter().flatten();
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => names.any(|name| name.ipaddress() == Some(&address.octets()[..])),
            Ok(IpAddr::V6(address)) => names.any(|name| name.ipaddress() == Some(&address.octets()[..])),
            Err(_) => names.filter_map(|name| name.dnsname()).any(|name| covers(name, host)),
        }
    }

    /// What is wrong with its time.
    #[must_use]
    pub fn doubt(&self, now: Millis) -> Option<Doubt> {
        let now = Asn1Time::from_unix(now.seconds()).ok()?;
        let (begin, end) = (self.certificate.not_before(), self.certificate.not_after());
        if begin > now { Some(Doubt::Early) } else { (end < now).then_some(Doubt::Late) }
    }
}

fn covers(name: &str, host: &str) -> bool {
    let by_star = name.strip_prefix("*.").zip(host.split_once('.'));
    name.eq_ignore_ascii_case(host) || by_star.is_some_and(|(rest, (_, parent))| rest.eq_ignore_ascii_case(parent))
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
mod tests;
