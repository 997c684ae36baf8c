//! What an authenticator of a model attests with: a key of the model, and the certificates that vouch for it.

use super::AuthenticatorError;
use super::vendor::Vendor;
use crate::aaid::Aaid;
use crate::algorithm::Algorithm;
use crate::crypto::PrivateKey;

/// A model's attestation key with its certificates, leaf first, without the root.
#[derive(Debug, Clone)]
pub struct Attester {
    key: PrivateKey,
    certificates: Vec<Vec<u8>>,
    vendor: Option<Vendor>,
}

/// An attester with a hierarchy of its own above it.
#[derive(Debug, Clone)]
pub struct Hierarchy {
    /// The root in DER: what the metadata statement of the model lists.
    pub root: Vec<u8>,
    /// A leaf for the model, and the authority between it and the root.
    pub attester: Attester,
}

impl Attester {
    /// An attester of these certificates in DER, whoever made them.
    #[must_use]
    pub const fn new(key: PrivateKey, certificates: Vec<Vec<u8>>) -> Self {
        Self { key, certificates, vendor: None }
    }

    /// The key that signs.
    #[must_use]
    pub const fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The certificates.
    #[must_use]
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// Who issued the certificates, if they are of a [`Hierarchy`].
    pub(super) const fn vendor(&self) -> Option<&Vendor> {
        self.vendor.as_ref()
    }
}

impl Hierarchy {
    /// Makes root, authority and leaf with new keys; the leaf's is for `algorithm`.
    ///
    /// # Errors
    /// [`AuthenticatorError::Key`] if OpenSSL fails.
    pub fn of_model(aaid: Aaid, algorithm: Algorithm) -> Result<Self, AuthenticatorError> {
        let (vendor, key) = (Vendor::of_model(aaid)?, PrivateKey::generate(algorithm)?);
        let certificates = vendor.issue(&key, &vendor.leaf(), &[Vendor::authority()])?;
        Ok(Self { root: vendor.root()?, attester: Attester { key, certificates, vendor: Some(vendor) } })
    }
}
