//! Assertions as typed views of their bytes. Every value is borrowed from the range that the signature covers, and that
//! range is found while parsing, header included (UAF authenticator commands 1.1, sections 5 and 6).

mod authentication;
mod fields;
mod registration;

pub use authentication::{AuthenticationAssertion, Mode};
pub use registration::{Attestation, RegistrationAssertion};

use crate::aaid::{Aaid, KeyId, KeyRef};
use crate::algorithm::Algorithm;
use crate::error::Error;
use crate::tlv::{TlvError, tag};

/// What both kinds of assertions sign.
#[derive(Debug, Clone)]
pub struct Common<'a> {
    /// The model.
    pub aaid: Aaid,
    /// The model's version.
    pub version: u16,
    /// How the assertion is signed, as far as this server does it.
    pub algorithm: Result<Algorithm, u16>,
    /// The hash of the fcParams that the authenticator was given.
    pub final_challenge_hash: &'a [u8],
    /// The key's name.
    pub key_id: &'a [u8],
    /// How often the key, or the authenticator, has signed; 0 if it does not count.
    pub sign_counter: u32,
    /// The bytes under the signature.
    pub signed: &'a [u8],
    /// The signature.
    pub signature: &'a [u8],
}

impl Common<'_> {
    /// The algorithm, if this server does it.
    ///
    /// # Errors
    /// [`Error::AlgorithmUnsupported`].
    pub(crate) fn algorithm(&self) -> Result<Algorithm, Error> {
        self.algorithm.map_err(|_| Error::AlgorithmUnsupported)
    }

    /// Model and key, owned.
    ///
    /// # Errors
    /// [`TlvError::Length`] of the key id, which parsing has excluded already.
    pub(crate) fn key_ref(&self) -> Result<KeyRef, TlvError> {
        let key_id = KeyId::new(self.key_id).map_err(|_| TlvError::Length(tag::KEYID))?;
        Ok(KeyRef { aaid: self.aaid, key_id })
    }
}
