//! Certificates of the software authenticator: an attestation hierarchy of its own, right or wrong in what a test wants.

use openssl::asn1::{Asn1Integer, Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::BigNum;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::x509::{X509Builder, X509Extension, X509Name};

use super::private::{PrivateKey, PrivateKeyError};
use crate::aaid::Aaid;

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFields {
    /// Common name of the subject.
    pub subject: String,
    /// First second of its validity, Unix time.
    pub not_before: i64,
    /// Last second of its validity, Unix time.
    pub not_after: i64,
    /// Extensions; without any it is a certificate of version 1.
    pub extensions: Vec<CertificateExtension>,
    /// What is signed.
    pub digest: CertificateDigest,
}

/// The hash under a certificate's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateDigest {
    /// Today's.
    Sha256,
    /// As old ones have it.
    Sha1,
    /// Broken.
    Md5,
}

/// An extension of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateExtension {
    /// Object identifier in figures and dots.
    pub oid: &'static str,
    /// Whether it must be understood.
    pub critical: bool,
    /// DER of the value.
    pub value: Vec<u8>,
}

impl CertificateExtension {
    /// Says whether the subject is an authority, and how many authorities may be below it.
    #[must_use]
    pub fn basic_constraints(authority: bool, path_length: Option<u8>) -> Self {
        let mut content = if authority { vec![1, 1, 0xff] } else { Vec::new() };
        content.extend(path_length.map(|length| [2, 1, length]).into_iter().flatten());
        Self { oid: "2.5.29.19", critical: true, value: element(0x30, &content) }
    }

    /// Lets an authority certify this common name alone, and those below it (RFC 5280, section 4.2.1.10).
    #[must_use]
    pub fn permitted_name(common: &str) -> Self {
        let attribute = element(0x30, &[&[6, 3, 0x55, 4, 3][..], &element(0x0c, common.as_bytes())].concat());
        let name = element(0xa4, &element(0x30, &element(0x31, &attribute)));
        Self { oid: "2.5.29.30", critical: true, value: element(0x30, &element(0xa0, &element(0x30, &name))) }
    }

    /// Names the model (id-fido-gen-ce-aaid).
    #[must_use]
    pub fn aaid(aaid: Aaid) -> Self {
        let value = element(0x04, aaid.as_str().as_bytes());
        Self { oid: "1.3.6.1.4.1.45724.1.1.1", critical: false, value }
    }
}

/// A short element of DER.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(content.len()).unwrap_or(u8::MAX)], content].concat()
}

impl CertificateFields {
    /// An authority, valid from 2020 to 2120.
    #[must_use]
    pub fn authority(subject: &str, path_length: Option<u8>) -> Self {
        Self::of(subject, vec![CertificateExtension::basic_constraints(true, path_length)])
    }

    /// A leaf for a model, valid as long.
    #[must_use]
    pub fn leaf(subject: &str, aaid: Aaid) -> Self {
        let extensions = vec![CertificateExtension::basic_constraints(false, None), CertificateExtension::aaid(aaid)];
        Self::of(subject, extensions)
    }

    fn of(subject: &str, extensions: Vec<CertificateExtension>) -> Self {
        let (not_before, not_after) = (1_577_836_800, 4_733_510_400);
        Self { subject: subject.to_owned(), not_before, not_after, extensions, digest: CertificateDigest::Sha256 }
    }

    /// The certificate of `subject_key` in DER, issued by the holder of `issuer_key`.
    ///
    /// # Errors
    /// [`PrivateKeyError`] if OpenSSL fails, or a value is too long.
    pub fn issue(
        &self,
        subject_key: &PrivateKey,
        issuer: &str,
        issuer_key: &PrivateKey,
    ) -> Result<Vec<u8>, PrivateKeyError> {
        let mut builder = X509Builder::new()?;
        builder.set_version(if self.extensions.is_empty() { 0 } else { 2 })?;
        let serial = Asn1Integer::from_bn(BigNum::from_u32(1)?.as_ref())?;
        builder.set_serial_number(&serial)?;
        builder.set_subject_name(name(&self.subject)?.as_ref())?;
        builder.set_issuer_name(name(issuer)?.as_ref())?;
        builder.set_not_before(Asn1Time::from_unix(self.not_before)?.as_ref())?;
        builder.set_not_after(Asn1Time::from_unix(self.not_after)?.as_ref())?;
        builder.set_pubkey(subject_key.key())?;
        for extension in &self.extensions {
            builder.append_extension(extension.build()?)?;
        }
        let digest = match self.digest {
            CertificateDigest::Sha256 => MessageDigest::sha256(),
            CertificateDigest::Sha1 => MessageDigest::sha1(),
            CertificateDigest::Md5 => MessageDigest::md5(),
        };
        builder.sign(issuer_key.key(), digest)?;
        Ok(builder.build().to_der()?)
    }
}

impl CertificateExtension {
    fn build(&self) -> Result<X509Extension, ErrorStack> {
        let (oid, value) = (Asn1Object::from_str(self.oid)?, Asn1OctetString::new_from_bytes(&self.value)?);
        X509Extension::new_from_der(&oid, self.critical, &value)
    }
}

fn name(common: &str) -> Result<X509Name, ErrorStack> {
    let mut name = X509Name::builder()?;
    name.append_entry_by_text("CN", common)?;
    Ok(name.build())
}
