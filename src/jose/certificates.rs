//! Authorities to trust, and certificates for trying out: an authority of its own, a server's and a client's certificate, all with new P-256 keys.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Extension, X509Name};
use zeroize::Zeroizing;

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

impl fmt::Debug for Authorities {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Authorities({})", self.0.len())
    }
}

/// What browsers still take (CA/Browser Forum, 398 days at most).
const DAYS: u32 = 397;

/// A certificate and its private key, both PEM.
pub struct Pair {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// The key, PKCS#8.
    pub key: Zeroizing<Vec<u8>>,
}

/// What a server's certificate names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host(String, Option<IpAddr>);

/// A text that no certificate can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a DNS name such as gate.example or *.gate.example, or an IP address, without scheme and port")]
pub struct NoHost;

impl Host {
    /// Reads a DNS name, perhaps with `*` as its first label, or an IP address.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, NoHost> {
        if let Ok(address) = text.parse() {
            return Ok(Self(text.to_owned(), Some(address)));
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let name = text.strip_prefix("*.").unwrap_or(text);
        // What ends in a number is a mistyped address (WHATWG URL, "ends in a number").
        let number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        let fits = text.len() <= 253 && name.split('.').all(is_label) && !number;
        if fits { Ok(Self(text.to_ascii_lowercase(), None)) } else { Err(NoHost) }
    }

    /// This machine, as itself calls it.
    #[must_use]
    pub fn local() -> Vec<Self> {
        let addresses = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        let addresses = addresses.map(|address| Self(address.to_string(), Some(address)));
        std::iter::once(Self("localhost".to_owned(), None)).chain(addresses).collect()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What [`self_signed`] makes. The authority signed the other two.
pub struct Sample {
    /// The authority.
    pub ca: Pair,
    /// For the hosts that were asked for.
    pub server: Pair,
    /// For a client that shows a certificate.
    pub client: Pair,
}

/// Makes certificates for trying out, the server's for these hosts, valid from now on for 397 days.
///
/// # Errors
/// If the cryptographic library fails.
pub fn self_signed(hosts: &[Host]) -> Result<Sample, CryptoError> {
    let ca = Authority::new()?;
    let names = |draft: &Draft| {
        let mut names = SubjectAlternativeName::new();
        for Host(name, address) in hosts {
            if address.is_some() {
                names.ip(name)
            } else {
                names.dns(name)
            };
        }
        names.build(&draft.builder.x509v3_context(Some(&ca.certificate), None))
    };
    // Browsers look at the names above; a common name may have 64 characters only (RFC 5280, ub-common-name).
    let server = ca.sign("Sidegate sample server", ExtendedKeyUsage::new().server_auth(), Some(&names))?;
    let client = ca.sign("Sidegate sample client", ExtendedKeyUsage::new().client_auth(), None)?;
    Ok(Sample { server, client, ca: pair(&ca.certificate, &ca.key)? })
}

struct Authority {
    certificate: X509,
    key: PKey<Private>,
}

/// A certificate that is not signed yet, and its key.
struct Draft {
    builder: X509Builder,
    key: PKey<Private>,
}

type Names<'a> = &'a dyn Fn(&Draft) -> Result<X509Extension, ErrorStack>;

impl Draft {
    fn new(common_name: &str) -> Result<Self, ErrorStack> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
        let mut builder = X509::builder()?;
        builder.set_version(2)?;
        builder.set_serial_number(serial()?.as_ref())?;
        builder.set_subject_name(name(common_name)?.as_ref())?;
        builder.set_not_before(Asn1Time::days_from_now(0)?.as_ref())?;
        builder.set_not_after(Asn1Time::days_from_now(DAYS)?.as_ref())?;
        builder.set_pubkey(&key)?;
        Ok(Self { builder, key })
    }
}

impl Authority {
    fn new() -> Result<Self, ErrorStack> {
        let common_name = "Sidegate sample authority";
        let mut draft = Draft::new(common_name)?;
        draft.builder.set_issuer_name(name(common_name)?.as_ref())?;
        draft.builder.append_extension(BasicConstraints::new().critical().ca().pathlen(0).build()?)?;
        draft.builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
        let key_id = SubjectKeyIdentifier::new().build(&draft.builder.x509v3_context(None, None))?;
        draft.builder.append_extension(key_id)?;
        draft.builder.sign(&draft.key, MessageDigest::sha256())?;
        Ok(Self { certificate: draft.builder.build(), key: draft.key })
    }

    fn sign(&self, common_name: &str, usage: &ExtendedKeyUsage, names: Option<Names<'_>>) -> Result<Pair, CryptoError> {
        let mut draft = Draft::new(common_name)?;
        draft.builder.set_issuer_name(self.certificate.subject_name())?;
        draft.builder.append_extension(BasicConstraints::new().critical().build()?)?;
        draft.builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
        draft.builder.append_extension(usage.build()?)?;
        let context = draft.builder.x509v3_context(Some(&self.certificate), None);
        let key_ids =
            [SubjectKeyIdentifier::new().build(&context)?, AuthorityKeyIdentifier::new().keyid(true).build(&context)?];
        for extension in key_ids {
            draft.builder.append_extension(extension)?;
        }
        if let Some(names) = names {
            let names = names(&draft)?;
            draft.builder.append_extension(names)?;
        }
        draft.builder.sign(&self.key, MessageDigest::sha256())?;
        pair(&draft.builder.build(), &draft.key)
    }
}

/// 159 random bits: positive, and within the 20 bytes of RFC 5280 4.1.2.2.
fn serial() -> Result<Asn1Integer, ErrorStack> {
    let mut number = BigNum::new()?;
    number.rand(159, MsbOption::MAYBE_ZERO, false)?;
    number.to_asn1_integer()
}

fn name(common_name: &str) -> Result<X509Name, ErrorStack> {
    let mut name = X509Name::builder()?;
    name.append_entry_by_nid(Nid::COMMONNAME, common_name)?;
    Ok(name.build())
}

fn pair(certificate: &X509, key: &PKey<Private>) -> Result<Pair, CryptoError> {
    Ok(Pair { certificate: certificate.to_pem()?, key: Zeroizing::new(key.private_key_to_pem_pkcs8()?) })
}

#[cfg(test)]
mod tests {
    use openssl::ssl::{Ssl, SslAcceptor, SslConnector, SslMethod, SslVerifyMode};
    use openssl::stack::Stack;
    use openssl::x509::store::X509StoreBuilder;
    use openssl::x509::verify::X509VerifyParam;
    use openssl::x509::{X509PurposeId, X509StoreContext};
    use rstest::rstest;

    use super::*;

    fn verifies(sample: &Sample, pair: &Pair, purpose: X509PurposeId) -> bool {
        let mut store = X509StoreBuilder::new().unwrap();
        store.add_cert(X509::from_pem(&sample.ca.certificate).unwrap()).unwrap();
        let mut rules = X509VerifyParam::new().unwrap();
        rules.set_purpose(purpose).unwrap();
        store.set_param(&rules).unwrap();
        let certificate = X509::from_pem(&pair.certificate).unwrap();
        let chain = Stack::new().unwrap();
        let mut context = X509StoreContext::new().unwrap();
        context.init(&store.build(), &certificate, &chain, |context| context.verify_cert()).unwrap()
    }

    #[test]
    fn each_certificate_is_good_for_its_own_purpose_only() {
        let sample = self_signed(&Host::local()).unwrap();
        assert!(verifies(&sample, &sample.server, X509PurposeId::SSL_SERVER));
        assert!(!verifies(&sample, &sample.server, X509PurposeId::SSL_CLIENT));
        assert!(verifies(&sample, &sample.client, X509PurposeId::SSL_CLIENT));
        assert!(!verifies(&sample, &sample.client, X509PurposeId::SSL_SERVER));
        let other = self_signed(&Host::local()).unwrap();
        assert!(!verifies(&other, &sample.server, X509PurposeId::SSL_SERVER));
    }

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

    #[rstest]
    #[case("gate.example", true)]
    #[case("GATE.example", true)]
    #[case("gate.example.", false)]
    #[case("*.gate.example", true)]
    #[case("192.0.2.7", true)]
    #[case("2001:db8::7", true)]
    #[case("", false)]
    #[case("gate..example", false)]
    #[case("a.*.example", false)]
    #[case("-a.example", false)]
    #[case("192.0.2.256", false)]
    #[case("[::1]", false)]
    #[case("gate.example:443", false)]
    #[case("https://gate.example", false)]
    #[case("a,DNS:b.example", false)]
    fn a_host_is_a_name_or_an_address(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(Host::parse(text).is_ok(), expected);
    }

    #[rstest]
    #[case(&[], "localhost", true)]
    #[case(&[], "127.0.0.1", true)]
    #[case(&[], "::1", true)]
    #[case(&[], "example.com", false)]
    #[case(&["Gate.example", "192.0.2.7", "2001:db8::7"], "gate.example", true)]
    #[case(&["Gate.example", "192.0.2.7", "2001:db8::7"], "192.0.2.7", true)]
    #[case(&["Gate.example", "192.0.2.7", "2001:db8::7"], "2001:db8::7", true)]
    #[case(&["gate.example"], "localhost", false)]
    #[case(&["*.gate.example"], "a.gate.example", true)]
    fn the_server_certificate_names_its_hosts(#[case] hosts: &[&str], #[case] host: &str, #[case] expected: bool) {
        let hosts: Vec<Host> = hosts.iter().map(|host| Host::parse(host).unwrap()).collect();
        let sample = self_signed(&if hosts.is_empty() { Host::local() } else { hosts }).unwrap();
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_certificate(&X509::from_pem(&sample.server.certificate).unwrap()).unwrap();
        acceptor.set_private_key(&PKey::private_key_from_pem(&sample.server.key).unwrap()).unwrap();
        acceptor.check_private_key().unwrap();
        let acceptor = acceptor.build();
        let server = std::thread::spawn(move || Ssl::new(acceptor.context()).unwrap().accept(theirs).is_ok());
        let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
        connector.cert_store_mut().add_cert(X509::from_pem(&sample.ca.certificate).unwrap()).unwrap();
        connector.set_verify(SslVerifyMode::PEER);
        assert_eq!(connector.build().connect(host, ours).is_ok(), expected);
        assert_eq!(server.join().unwrap(), expected);
    }
}
