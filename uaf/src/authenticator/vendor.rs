//! Who makes a model: the holder of a root, and what is issued below it.

use super::AuthenticatorError;
use crate::aaid::Aaid;
use crate::algorithm::Algorithm;
use crate::crypto::{CertificateFields, PrivateKey};

const ROOT: &str = "Software authenticators: root";
const AUTHORITY: &str = "Software authenticators: models";
const BATCH: &str = "Software authenticators: batch 1";

/// The vendor of one model.
#[derive(Debug, Clone)]
pub(super) struct Vendor {
    aaid: Aaid,
    root_key: PrivateKey,
}

impl Vendor {
    /// Makes the root's key.
    pub(super) fn of_model(aaid: Aaid) -> Result<Self, AuthenticatorError> {
        Ok(Self { aaid, root_key: PrivateKey::generate(Algorithm::P256Raw)? })
    }

    /// The root in DER.
    pub(super) fn root(&self) -> Result<Vec<u8>, AuthenticatorError> {
        Ok(CertificateFields::authority(ROOT, None).issue(&self.root_key, ROOT, &self.root_key)?)
    }

    /// What stands between the root and its leaves.
    pub(super) fn authority() -> CertificateFields {
        CertificateFields::authority(AUTHORITY, Some(0))
    }

    /// What its devices have.
    pub(super) fn leaf(&self) -> CertificateFields {
        CertificateFields::leaf(BATCH, self.aaid)
    }

    /// A leaf for this key below authorities with new keys, of which the root issues the first; leaf first, without the
    /// root.
    pub(super) fn issue(
        &self,
        key: &PrivateKey,
        leaf: &CertificateFields,
        authorities: &[CertificateFields],
    ) -> Result<Vec<Vec<u8>>, AuthenticatorError> {
        let (mut issuer, mut issuer_key) = (ROOT, self.root_key.clone());
        let mut path = Vec::with_capacity(authorities.len() + 1);
        for authority in authorities {
            let own = PrivateKey::generate(Algorithm::P256Raw)?;
            path.push(authority.issue(&own, issuer, &issuer_key)?);
            (issuer, issuer_key) = (&authority.subject, own);
        }
        path.push(leaf.issue(key, issuer, &issuer_key)?);
        path.reverse();
        Ok(path)
    }
}
