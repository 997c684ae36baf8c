//! Certificates for trying out: an authority of its own, a server's and a client's certificate, all with new P-256 keys.

mod host;

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
pub use host::{Host, NoHost};

/// What browsers still take (CA/Browser Forum, 398 days at most).
const DAYS: u32 = 397;

/// A certificate and its private key, both PEM.
pub struct Pair {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// The key, PKCS#8.
    pub key: Zeroizing<Vec<u8>>,
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
        hosts.iter().for_each(|host| host.name_in(&mut names));
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
mod tests;
