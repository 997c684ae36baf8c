//! What a decoy has of a key of its model.

use std::collections::BTreeMap;

use super::DecoyError;
use crate::aaid::{Aaid, KeyRef};
use crate::algorithm::{Algorithm, KeyFormat};
use crate::credential::Credential;
use crate::crypto::PrivateKey;
use crate::encoding::Octets;

/// What keys of one model are like: one for each algorithm that it has, from the lowest number on.
pub(super) type Likenesses = Vec<Likeness>;

/// The public key is shown to nobody, and its private key is gone.
#[derive(Clone)]
pub(super) struct Likeness {
    pub(super) aaid: Aaid,
    pub(super) algorithm: Algorithm,
    key_format: KeyFormat,
    public_key: Octets<1, 4096>,
}

impl Likeness {
    /// Whether a key is what this one's decoys pass for.
    pub(super) fn is_like(&self, key: &Credential) -> bool {
        (key.aaid, key.algorithm) == (self.aaid, self.algorithm)
    }

    pub(super) fn credential(&self, user: &str, key: &KeyRef) -> Credential {
        Credential {
            user: user.to_owned(),
            aaid: key.aaid,
            key_id: key.key_id.clone(),
            // Policies go by the version in an answer.
            authenticator_version: 0,
            algorithm: self.algorithm,
            key_format: self.key_format,
            public_key: self.public_key.clone(),
            sign_counter: 0,
            registration_counter: 0,
            png_characteristics: Vec::new(),
        }
    }

    /// Of all algorithms for one kind of key the first one's public key serves.
    pub(super) fn new(
        aaid: Aaid,
        algorithm: Algorithm,
        public_keys: &mut BTreeMap<Algorithm, Octets<1, 4096>>,
    ) -> Result<Self, DecoyError> {
        let (kind, key_format) = match algorithm {
            Algorithm::P256Raw | Algorithm::P256Der => (Algorithm::P256Raw, KeyFormat::EcRaw),
            Algorithm::K256Raw | Algorithm::K256Der => (Algorithm::K256Raw, KeyFormat::EcRaw),
            Algorithm::PssRaw | Algorithm::PssDer | Algorithm::Pkcs1Raw | Algorithm::Pkcs1Der => {
                (Algorithm::Pkcs1Raw, KeyFormat::RsaRaw)
            }
        };
        let public_key = match public_keys.get(&kind) {
            Some(known) => Octets::clone(known),
            None => public_keys.entry(kind).or_insert(public_key(kind, key_format)?).clone(),
        };
        Ok(Self { aaid, algorithm, key_format, public_key })
    }
}

fn public_key(algorithm: Algorithm, format: KeyFormat) -> Result<Octets<1, 4096>, DecoyError> {
    let key =
        PrivateKey::generate(algorithm).and_then(|key| key.public_key(format)).map_err(|_| DecoyError::Internal)?;
    Octets::new(key).map_err(|_| DecoyError::Internal)
}
