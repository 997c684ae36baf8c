//! Certification paths of full attestation: RFC 5280 as OpenSSL does it, from the certificates of an
//! assertion to a root that the metadata names, and what FIDO asks of the leaf.

mod fault;
mod purpose;
mod readings;

use std::fmt;

use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::stack::{Stack, StackRef};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509Ref, X509StoreContext, X509StoreContextRef};

pub use fault::CertificateError;
use readings::Readings;

use super::verify::VerificationKey;
use super::{Leftovers, der};
use crate::aaid::Aaid;
use crate::algorithm::{Algorithm, KeyFormat};

/// More certificates than any vendor's hierarchy has levels.
const MAX_CERTIFICATES: usize = 8;
/// OpenSSL's level of 112 bits: no SHA-1, no RSA below 2048 bits.
const STRONG: i32 = 2;
/// Bits of strength of the weakest key in any path: RSA of 1024.
const OLD: u32 = 80;
/// id-fido-gen-ce-aaid, 1.3.6.1.4.1.45724.1.1.1.
const GEN_CE_AAID: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xe5, 0x1c, 0x01, 0x01, 0x01];

/// Whether the age of certificates matters: old models have leaves that ended, or are signed with SHA-1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Aging {
    /// Certificates are within their validity and of today's strength.
    #[default]
    Refused,
    /// Neither is asked; MD5 and RSA below 1024 bits are refused all the same.
    Tolerated,
}

/// What paths end at: certificates of roots, of authorities below them, or of the leaves themselves.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct TrustAnchors {
    anchors: Vec<X509>,
    readings: Readings,
}

impl TrustAnchors {
    /// Adds a certificate in DER.
    pub(crate) fn add(&mut self, der: &[u8]) -> Result<(), CertificateError> {
        self.anchors.push(readings::read(der)?);
        Ok(())
    }
}

impl fmt::Debug for TrustAnchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustAnchors({})", self.anchors.len())
    }
}

/// The leaf of a path that was validated, and what the path led over: only [`TrustAnchors::validate`] makes one.
pub(crate) struct Leaf<'a> {
    der: &'a [u8],
    path: Vec<X509>,
}

impl TrustAnchors {
    /// Validates the path of `certificates`, leaf first, at a Unix time in milliseconds.
    pub(crate) fn validate<'a>(
        &self,
        certificates: &[&'a [u8]],
        now: u64,
        aging: Aging,
    ) -> Result<Leaf<'a>, CertificateError> {
        let _leftovers = Leftovers;
        if certificates.len() > MAX_CERTIFICATES {
            return Err(CertificateError::TooMany);
        }
        let path = certificates.iter().map(|der| self.readings.read(der)).collect::<Result<Vec<_>, _>>()?;
        for pair in path.windows(2) {
            let [subject, issuer] = pair else { continue };
            in_order(subject, issuer)?;
        }
        let (leaf, issuers) = path.split_first().ok_or(CertificateError::UnknownIssuer)?;
        let mut fault = CertificateError::UnknownIssuer;
        for anchor in &self.anchors {
            match rules(now, aging).and_then(|rules| verdict(anchor, leaf, issuers, &rules)) {
                Ok(Ok(proven)) => {
                    self.readings.keep(certificates, &path);
                    return Ok(Leaf { der: certificates.first().copied().unwrap_or_default(), path: proven });
                }
                Ok(Err(CertificateError::UnknownIssuer)) => {}
                Ok(Err(other)) => fault = other,
                Err(_) => fault = CertificateError::Malformed,
            }
        }
        Err(fault)
    }
}

fn rules(now: u64, aging: Aging) -> Result<X509VerifyParam, ErrorStack> {
    let mut rules = X509VerifyParam::new()?;
    // Without the second flag policyConstraints count as known, and nobody looks at them. With it, where an authority
    // requires policies none is enough: there is no way to say which would be.
    rules.set_flags(X509VerifyFlags::PARTIAL_CHAIN | X509VerifyFlags::POLICY_CHECK)?;
    match aging {
        Aging::Refused => {
            rules.set_time(i64::try_from(now / 1_000).unwrap_or(i64::MAX));
            rules.set_auth_level(STRONG);
        }
        Aging::Tolerated => rules.set_flags(X509VerifyFlags::NO_CHECK_TIME)?,
    }
    Ok(rules)
}

/// The path from the leaf to this anchor, both included. Of several with one name OpenSSL would look at the first alone.
fn verdict(
    anchor: &X509,
    leaf: &X509Ref,
    issuers: &[X509],
    rules: &X509VerifyParam,
) -> Result<Result<Vec<X509>, CertificateError>, ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    store.add_cert(anchor.clone())?;
    store.set_param(rules)?;
    let mut untrusted = Stack::new()?;
    for issuer in issuers {
        untrusted.push(issuer.clone())?;
    }
    X509StoreContext::new()?.init(&store.build(), leaf, &untrusted, judge)
}

fn judge(context: &mut X509StoreContextRef) -> Result<Result<Vec<X509>, CertificateError>, ErrorStack> {
    if !context.verify_cert()? {
        return Ok(Err(CertificateError::of_openssl(context.error().as_raw())));
    }
    context.chain().map_or(Ok(Err(CertificateError::UnknownIssuer)), beyond_openssl)
}

/// What OpenSSL passes over: what keys are for, and where age is tolerated, what anybody could forge.
fn beyond_openssl(chain: &StackRef<X509>) -> Result<Result<Vec<X509>, CertificateError>, ErrorStack> {
    let anchor = chain.len().saturating_sub(1);
    for (at, certificate) in chain.iter().enumerate() {
        if let Err(fault) = purpose::check(&certificate.to_der()?, at, anchor) {
            return Ok(Err(fault));
        }
        let forgeable = at < anchor && is_broken(certificate);
        if forgeable || certificate.public_key()?.security_bits() < OLD {
            return Ok(Err(CertificateError::Weak));
        }
    }
    Ok(Ok(chain.iter().map(X509Ref::to_owned).collect()))
}

/// Whether certificates with this signature have been forged for less than the price of a phone.
fn is_broken(certificate: &X509Ref) -> bool {
    let signed = certificate.signature_algorithm().object().nid().signature_algorithms();
    signed.is_some_and(|signed| [Nid::MD4, Nid::MD5].contains(&signed.digest))
}

/// Whether names and key identifiers say that the one issued the other. OpenSSL would sort them itself.
fn in_order(subject: &X509Ref, issuer: &X509Ref) -> Result<(), CertificateError> {
    match issuer.issued(subject).as_raw() {
        0 => Ok(()),
        32 => Err(CertificateError::NotAuthority),
        _ => Err(CertificateError::Order),
    }
}

impl Leaf<'_> {
    /// The key that must have made a signature of this algorithm.
    pub(crate) fn key(&self, algorithm: Algorithm) -> Result<VerificationKey, CertificateError> {
        let der = der::subject_public_key(self.der).map_err(|_| CertificateError::Malformed)?;
        let format = if algorithm.is_elliptic() { KeyFormat::EcDer } else { KeyFormat::RsaDer };
        VerificationKey::parse(algorithm, format, der).map_err(CertificateError::Key)
    }

    /// Sees that the leaf, if it names a model, names this one; whether it does. The extension holds the AAID's text in a
    /// string of its own; octets are usual, UTF-8 is seen too.
    pub(crate) fn names(&self, aaid: Aaid) -> Result<bool, CertificateError> {
        let Some(value) = der::extension(self.der, GEN_CE_AAID).map_err(|_| CertificateError::Aaid)? else {
            return Ok(false);
        };
        let text = der::only(value, 0x04).or_else(|_| der::only(value, 0x0c)).map_err(|_| CertificateError::Aaid)?;
        let named = Aaid::from_bytes(text).map_err(|_| CertificateError::Aaid)?;
        if named == aaid { Ok(true) } else { Err(CertificateError::OtherModel) }
    }

    /// Whether the path leads to, or over, one of these anchors. An authority is its name and its key, whichever of its
    /// certificates is listed.
    pub(crate) fn leads_to(&self, anchors: &TrustAnchors) -> bool {
        let same = |one: &X509, other: &X509| {
            one.subject_name().try_cmp(other.subject_name()).is_ok_and(std::cmp::Ordering::is_eq)
                && one.public_key().and_then(|key| Ok(key.public_eq(&*other.public_key()?))).unwrap_or(false)
        };
        self.path.iter().any(|certificate| anchors.anchors.iter().any(|anchor| same(certificate, anchor)))
    }
}

#[cfg(test)]
mod tests;
