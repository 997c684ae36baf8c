//! The least that a ceremony needs.

use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Public};
use openssl::sign::{Signer, Verifier};

use crate::Failure;

/// A signature and nothing else, its key ready.
pub(crate) struct Bare {
    key: PKey<Public>,
    signature: Vec<u8>,
}

impl Bare {
    /// As long as what an authenticator signs.
    const SIGNED: [u8; 160] = [7; 160];

    pub(crate) fn build() -> Result<Self, Failure> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        let private = EcKey::generate(&group)?;
        let public = PKey::from_ec_key(EcKey::from_public_key(&group, private.public_key())?)?;
        let private = PKey::from_ec_key(private)?;
        let signature = Signer::new(MessageDigest::sha256(), &private)?.sign_oneshot_to_vec(&Self::SIGNED)?;
        Ok(Self { key: public, signature })
    }

    pub(crate) fn verify(&self) -> bool {
        let verifier = Verifier::new(MessageDigest::sha256(), &self.key);
        verifier.and_then(|mut verifier| verifier.verify_oneshot(&self.signature, &Self::SIGNED)).unwrap_or(false)
    }
}
