//! A key on the device, with all that a file has to keep of it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::{Authenticator, AuthenticatorError};
use crate::aaid::{Aaid, KeyId, KeyRef};
use crate::algorithm::{Algorithm, KeyFormat};
use crate::crypto::{PrivateKey, sha256};
use crate::encoding::{decode, encode};
use crate::metadata::Model;
use crate::policy::Candidate;
use crate::wire::{DeregisterAuthenticator, PngCharacteristics};

/// A registered key. Serialising it writes the private key: keep the file as secret as the key.
#[derive(Clone)]
pub struct DeviceKey {
    pub(super) aaid: Aaid,
    pub(super) app_id: String,
    version: u16,
    key_id: KeyId,
    key_format: KeyFormat,
    private_key: PrivateKey,
    username: String,
    sign_counter: u32,
    accepted_counter: u32,
    /// Which pictures it registered that it can show.
    pictures: Vec<PngCharacteristics>,
}

impl DeviceKey {
    pub(super) fn new(
        model: &Authenticator,
        private_key: PrivateKey,
        app_id: String,
        username: String,
    ) -> Result<Self, AuthenticatorError> {
        let Authenticator { aaid, version, key_format, counts, .. } = *model;
        let pictures = model.pictures.clone();
        let key_id = KeyId::new(sha256(&private_key.public_key(key_format)?))?;
        let sign_counter = u32::from(counts);
        Ok(Self {
            aaid,
            app_id,
            version,
            key_id,
            key_format,
            private_key,
            username,
            sign_counter,
            accepted_counter: sign_counter,
            pictures,
        })
    }

    /// Model and key, as the server knows them.
    #[must_use]
    pub fn key_ref(&self) -> KeyRef {
        KeyRef { aaid: self.aaid, key_id: self.key_id.clone() }
    }

    /// The name that the server gave for the user.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The application that the key is for.
    #[must_use]
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// How often it has signed; 0 if it does not count.
    #[must_use]
    pub const fn sign_counter(&self) -> u32 {
        self.sign_counter
    }

    /// Takes note that the server accepted what it signed last: what it did not accept has not moved the server's counter,
    /// which is what a wrong one has to be wrong against.
    pub const fn accept(&mut self) {
        self.accepted_counter = self.sign_counter;
    }

    /// How often it had signed at the last signature that is known to be accepted; that of its registration counts as one.
    #[must_use]
    pub const fn accepted_counter(&self) -> u32 {
        self.accepted_counter
    }

    /// The private key.
    #[must_use]
    pub const fn private_key(&self) -> &PrivateKey {
        &self.private_key
    }

    pub(super) fn pictures(&self) -> &[PngCharacteristics] {
        &self.pictures
    }

    pub(super) const fn version(&self) -> u16 {
        self.version
    }

    pub(super) const fn key_format(&self) -> KeyFormat {
        self.key_format
    }

    pub(super) const fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    pub(super) fn count(&mut self) -> Result<(), AuthenticatorError> {
        if self.sign_counter != 0 {
            self.sign_counter = self.sign_counter.checked_add(1).ok_or(AuthenticatorError::CounterExhausted)?;
        }
        Ok(())
    }

    pub(super) fn candidate<'a>(&'a self, model: &'a Model) -> Candidate<'a> {
        Candidate {
            aaid: self.aaid,
            key_id: Some(self.key_id.as_bytes()),
            version: Some(self.version),
            algorithm: self.private_key.algorithm(),
            model: Some(model),
        }
    }

    pub(super) fn is_named_by(&self, entry: &DeregisterAuthenticator) -> bool {
        entry.covers(&DeregisterAuthenticator::Key(self.key_ref()))
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceKey").field("aaid", &self.aaid).field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// The form in a file.
#[derive(Serialize, Deserialize)]
struct Stored {
    aaid: Aaid,
    app_id: String,
    version: u16,
    key_id: KeyId,
    algorithm: Algorithm,
    key_format: KeyFormat,
    pkcs8: Zeroizing<String>,
    username: String,
    sign_counter: u32,
    /// Without it, all that was signed.
    #[serde(default)]
    accepted_counter: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pictures: Vec<PngCharacteristics>,
}

impl Serialize for DeviceKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pkcs8 = self.private_key.to_pkcs8().map_err(serde::ser::Error::custom)?;
        let stored = Stored {
            aaid: self.aaid,
            app_id: self.app_id.clone(),
            version: self.version,
            key_id: self.key_id.clone(),
            algorithm: self.private_key.algorithm(),
            key_format: self.key_format,
            pkcs8: Zeroizing::new(encode(&pkcs8)),
            username: self.username.clone(),
            sign_counter: self.sign_counter,
            accepted_counter: Some(self.accepted_counter),
            pictures: self.pictures.clone(),
        };
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DeviceKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        let pkcs8 = Zeroizing::new(decode(&stored.pkcs8).map_err(serde::de::Error::custom)?);
        let private_key = PrivateKey::from_pkcs8(stored.algorithm, &pkcs8).map_err(serde::de::Error::custom)?;
        Ok(Self {
            aaid: stored.aaid,
            app_id: stored.app_id,
            version: stored.version,
            key_id: stored.key_id,
            key_format: stored.key_format,
            private_key,
            username: stored.username,
            sign_counter: stored.sign_counter,
            accepted_counter: stored.accepted_counter.unwrap_or(stored.sign_counter),
            pictures: stored.pictures,
        })
    }
}
