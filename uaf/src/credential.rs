//! What a server keeps of a registered key.

use serde::{Deserialize, Serialize};

use crate::aaid::{Aaid, KeyId, KeyRef};
use crate::algorithm::{Algorithm, KeyFormat};
use crate::crypto::{KeyError, VerificationKey};
use crate::encoding::Octets;
use crate::wire::PngCharacteristics;

/// A registered key, to be stored under (AAID, keyID), which must not exist there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its owner, as named at the start of the registration.
    pub user: String,
    /// The model.
    pub aaid: Aaid,
    /// The key's name.
    pub key_id: KeyId,
    /// The model's version at registration.
    pub authenticator_version: u16,
    /// What later assertions must be signed with.
    pub algorithm: Algorithm,
    /// How the public key is written.
    pub key_format: KeyFormat,
    /// The public key.
    pub public_key: Octets<1, 4096>,
    /// The sign counter last seen.
    pub sign_counter: u32,
    /// The registration counter, for risk rules.
    pub registration_counter: u32,
    /// The pictures its display can show.
    pub png_characteristics: Vec<PngCharacteristics>,
}

impl Credential {
    /// Model and key.
    #[must_use]
    pub fn key_ref(&self) -> KeyRef {
        KeyRef { aaid: self.aaid, key_id: self.key_id.clone() }
    }

    /// The public key, ready to verify.
    ///
    /// # Errors
    /// [`KeyError`], if the store does not hold what registration gave it.
    pub fn verification_key(&self) -> Result<VerificationKey, KeyError> {
        VerificationKey::parse(self.algorithm, self.key_format, self.public_key.as_bytes())
    }
}
