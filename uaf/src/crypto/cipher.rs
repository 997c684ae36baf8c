//! AES-256 in counter mode.

use openssl::error::ErrorStack;
use openssl::symm::{self, Cipher};
use zeroize::Zeroizing;

/// A key for texts that are authenticated besides.
#[derive(Clone)]
pub(crate) struct CipherKey(Zeroizing<[u8; 32]>);

impl CipherKey {
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// What is plain becomes unreadable, and the other way round. `start` never begins two texts.
    pub(crate) fn apply(&self, start: &[u8; 16], text: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        symm::encrypt(Cipher::aes_256_ctr(), &*self.0, Some(start), text)
    }
}
