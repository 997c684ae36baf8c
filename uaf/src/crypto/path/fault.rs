//! What can be wrong with a certification path.

use crate::crypto::KeyError;

/// Why certificates do not prove a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Not the DER of a certificate, and nothing behind it.
    #[error("not a DER certificate")]
    Malformed,
    /// More certificates than are looked at.
    #[error("too many certificates")]
    TooMany,
    /// A certificate was not issued by the next one.
    #[error("certificates are not in the order of their issuers")]
    Order,
    /// The last certificate leads to none of the model's roots.
    #[error("no path to a root of the model")]
    UnknownIssuer,
    /// An issuer is no certification authority.
    #[error("an issuer is no certification authority")]
    NotAuthority,
    /// An authority has more authorities below it than it may have.
    #[error("path is longer than an authority allows")]
    PathLength,
    /// A certificate is expired or not valid yet.
    #[error("a certificate is outside its validity")]
    Validity,
    /// A name is outside what an authority may certify.
    #[error("a name violates an authority's constraints")]
    NameConstraint,
    /// An extension that must be understood is not.
    #[error("a critical extension is unknown")]
    CriticalExtension,
    /// SHA-1 or a short key.
    #[error("a certificate is cryptographically weak")]
    Weak,
    /// A certificate's signature is wrong.
    #[error("a certificate's signature does not verify")]
    Signature,
    /// An authority requires that a path is under certificate policies that whoever validates it names, and nobody does so
    /// here; or they are not readable.
    #[error("an authority requires certificate policies, or they are malformed")]
    Policy,
    /// The leaf is an authority, and is not listed itself: what its key signs are certificates.
    #[error("the leaf is a certification authority")]
    LeafIsAuthority,
    /// The leaf's key is for other uses than signatures.
    #[error("the leaf's key usage is without digitalSignature")]
    KeyUsage,
    /// The leaf's key is, by an extended key usage that is critical, for other purposes alone; none is for attestation.
    #[error("the leaf's extended key usage is critical and is without anyExtendedKeyUsage")]
    ExtendedKeyUsage,
    /// Another rule of RFC 5280; the number is OpenSSL's.
    #[error("path is refused (OpenSSL {0})")]
    Refused(i32),
    /// The leaf's key cannot have made the signature.
    #[error("key of the leaf: {0}")]
    Key(KeyError),
    /// The AAID in the leaf is not readable.
    #[error("AAID extension is malformed")]
    Aaid,
    /// The leaf is for another model.
    #[error("certificate is for another model")]
    OtherModel,
    /// The leaf names no model, though its path would prove another one as well.
    #[error("leaf names no model under a root of several")]
    Nameless,
}

impl CertificateError {
    /// The numbers of `X509_V_ERR_*`.
    pub(super) const fn of_openssl(number: i32) -> Self {
        match number {
            2 | 18..=21 | 27 => Self::UnknownIssuer,
            7 => Self::Signature,
            9 | 10 => Self::Validity,
            24 | 32 | 37 | 79 => Self::NotAuthority,
            25 => Self::PathLength,
            34 => Self::CriticalExtension,
            42 | 43 => Self::Policy,
            47 | 48 => Self::NameConstraint,
            66..=68 => Self::Weak,
            other => Self::Refused(other),
        }
    }
}
