//! What an authenticator of a model attests with: a key of the model, and the certificates that vouch for it.

use super::AuthenticatorError;
use crate::aaid::Aaid;
use crate::algorithm::Algorithm;
use crate::crypto::{CertificateFields, PrivateKey};

const ROOT: &str = "Software authenticators: root";
const AUTHORITY: &str = "Software authenticators: models";
const BATCH: &str = "Software authenticators: batch 1";

/// A model's attestation key with its certificates, leaf first, without the root.
#[derive(Debug, Clone)]
pub struct Attester {
    key: PrivateKey,
    certificates: Vec<Vec<u8>>,
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
        Self { key, certificates }
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
}

impl Hierarchy {
    /// Makes root, authority and leaf with new keys; the leaf's is for `algorithm`.
    ///
    /// # Errors
    /// [`AuthenticatorError::Key`] if OpenSSL fails.
    pub fn of_model(aaid: Aaid, algorithm: Algorithm) -> Result<Self, AuthenticatorError> {
        let [root_key, authority_key] =
            [PrivateKey::generate(Algorithm::P256Raw)?, PrivateKey::generate(Algorithm::P256Raw)?];
        let key = PrivateKey::generate(algorithm)?;
        let root = CertificateFields::authority(ROOT, None).issue(&root_key, ROOT, &root_key)?;
        let authority = CertificateFields::authority(AUTHORITY, Some(0)).issue(&authority_key, ROOT, &root_key)?;
        let leaf = CertificateFields::leaf(BATCH, aaid).issue(&key, AUTHORITY, &authority_key)?;
        Ok(Self { root, attester: Attester::new(key, vec![leaf, authority]) })
    }
}
