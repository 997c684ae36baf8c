//! HMAC-SHA256.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;

/// A secret key for message authentication; OpenSSL wipes it when it is dropped.
#[derive(Clone)]
pub(crate) struct MacKey(PKey<Private>);

impl MacKey {
    pub(crate) fn new(secret: &[u8; 32]) -> Result<Self, ErrorStack> {
        PKey::hmac(secret).map(Self)
    }

    /// The MAC of the parts, one behind the other.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> Result<[u8; 32], ErrorStack> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.0)?;
        for part in parts {
            signer.update(part)?;
        }
        let mut mac = [0; 32];
        signer.sign(&mut mac)?;
        Ok(mac)
    }
}
