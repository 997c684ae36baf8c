//! Keys that nobody has: what a request names for a user who does not exist or has no key, where whoever asks
//! is not to learn that. A user's decoy stays the same, and an answer with it is checked like any other and fails like
//! one with a wrong key. Whoever has the secret knows a decoy by its key id alone, whosever it is; to others it is random.
//!
//! Both finishes have to be given the decoys of an answer ([`Decoys::among`]): a login, so that it fails as one with a wrong
//! key, and a registration, where they are taken as the keys are that they pass for. Else whoever registers a key under the
//! id that a request named learns whether somebody has it.
//!
//! ```
//! # use std::collections::BTreeSet;
//! # use sidegate_uaf::{RelyingParty, facets::TrustedFacets, server_data::ServerDataKey};
//! # use sidegate_uaf::metadata::{Models, UnknownModels};
//! use sidegate_uaf::authentication::Claimant;
//! use sidegate_uaf::policy::Policy;
//! use sidegate_uaf::{Algorithm, Decoys};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let models = Models::new(UnknownModels::Surrogate(BTreeSet::from([Algorithm::P256Raw])));
//! # let server = RelyingParty::new(None, TrustedFacets::new([]), models, ServerDataKey::new(&[7; 32])?);
//! let decoys = Decoys::new(&[8; 32], &server, ["D0D0#0001".parse()?])?; // the secret is random
//! let wanted = Policy::any();
//! assert!(server.has_decoy(&wanted, &decoys)?);
//! let nobody = Claimant::Named { user: "nobody", credentials: &[], decoys: Some(decoys.of("nobody")) };
//! assert_eq!(server.asking(&wanted, nobody, &[])?, server.asking(&wanted, nobody, &[])?, "the same each time");
//! # Ok(())
//! # }
//! ```

mod asking;
mod likeness;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use crate::aaid::{Aaid, KeyId, KeyRef};
use crate::algorithm::Algorithm;
use crate::credential::Credential;
use crate::crypto::{MacKey, equal};
use crate::error::Error;
use crate::incoming::Opened;
use crate::relying_party::RelyingParty;

use likeness::{Likeness, Likenesses};

const KEY_DOMAIN: &[u8] = b"UAF decoy 3 key\0";
const MARK_DOMAIN: &[u8] = b"UAF decoy 3 mark\0";
const MODEL_DOMAIN: &[u8] = b"UAF decoy 2 model\0";

/// Makes the decoys of users, out of some models and a secret.
#[derive(Clone)]
pub struct Decoys {
    secret: MacKey,
    models: Vec<Likenesses>,
}

/// The decoys of one user, by the name that whoever asks calls the user by: they are the same before there is such a
/// user, and after.
#[derive(Debug, Clone, Copy)]
pub struct DecoysOf<'a> {
    decoys: &'a Decoys,
    called: &'a str,
}

/// Decoys can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecoyError {
    /// No answer by a key of this model is taken, so whoever is asked for one has none.
    #[error("{aaid} is no model of a decoy: {cause}")]
    Model {
        /// The model.
        aaid: Aaid,
        /// Why answers are refused.
        cause: Error,
    },
    /// OpenSSL failed.
    #[error("decoys cannot be made")]
    Internal,
}

impl fmt::Debug for Decoys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.models.iter().flatten().map(|likeness| likeness.aaid)).finish()
    }
}

impl Decoys {
    /// Decoys of these models, which `relying_party` has to take keys of. `secret` has 32 random bytes, the same ones
    /// at every node and after every restart.
    ///
    /// # Errors
    /// [`DecoyError`].
    pub fn new(
        secret: &[u8; 32],
        relying_party: &RelyingParty,
        models: impl IntoIterator<Item = Aaid>,
    ) -> Result<Self, DecoyError> {
        let (mut likenesses, mut public_keys) = (Vec::<Likenesses>::new(), BTreeMap::new());
        for aaid in models {
            let model = relying_party.models.find(aaid).map_err(|cause| DecoyError::Model { aaid, cause })?;
            if likenesses.iter().flatten().any(|known| known.aaid == aaid) {
                continue;
            }
            let algorithms = model.algorithms.iter();
            likenesses.push(algorithms.map(|of| Likeness::new(aaid, *of, &mut public_keys)).collect::<Result<_, _>>()?);
        }
        Ok(Self { secret: MacKey::new(secret).map_err(|_| DecoyError::Internal)?, models: likenesses })
    }

    /// Those of the user who is called so.
    #[must_use]
    pub const fn of<'a>(&'a self, called: &'a str) -> DecoysOf<'a> {
        DecoysOf { decoys: self, called }
    }

    /// The decoys that an answer is about, as keys of `user`: of [`crate::authentication::AuthenticationState::decoyed`] at the
    /// end of an authentication, unless that is `None`; of nobody, which is empty, at that of a registration.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn among(&self, opened: &Opened, user: &str) -> Result<Vec<Credential>, Error> {
        opened.keys().iter().filter_map(|key| self.find(user, key).transpose()).collect()
    }

    /// The decoy that an answer is about, if it is one, whosever it is and whether its model still makes any: as a key of
    /// `user`, which is empty where nobody was named.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn find(&self, user: &str, key: &KeyRef) -> Result<Option<Credential>, Error> {
        let Some((own, mark)) = key.key_id.as_bytes().split_first_chunk() else { return Ok(None) };
        for algorithm in Algorithm::ALL {
            if equal(&self.mark(key.aaid, *algorithm, own)?, mark) {
                let likeness = self.likeness(key.aaid, *algorithm);
                return Ok(likeness.map(|likeness| likeness.credential(user, key)));
            }
        }
        Ok(None)
    }

    /// What a key of the model is like; of one that makes no decoys any more, another's that comes next to it.
    fn likeness(&self, aaid: Aaid, algorithm: Algorithm) -> Option<&Likeness> {
        let all = || self.models.iter().flatten();
        let of_algorithm = || all().filter(|likeness| likeness.algorithm == algorithm);
        of_algorithm().find(|likeness| likeness.aaid == aaid).or_else(|| of_algorithm().next()).or_else(|| all().next())
    }

    fn mark(&self, aaid: Aaid, algorithm: Algorithm, own: &[u8; 16]) -> Result<[u8; 16], Error> {
        let algorithm = u16::from(algorithm).to_be_bytes();
        Ok(half(self.mac(&[MARK_DOMAIN, aaid.as_str().as_bytes(), &algorithm, own])?))
    }

    fn mac(&self, parts: &[&[u8]]) -> Result<[u8; 32], Error> {
        self.secret.mac(parts).map_err(|_| Error::Internal)
    }
}

impl DecoysOf<'_> {
    /// For each model the user's own keys of it and the decoys of all its other algorithms. Models of own keys come first,
    /// the others in an order of this user's, which one more or less does not change.
    fn keys(&self, own: &[Credential]) -> Result<Vec<Vec<Credential>>, Error> {
        let mut models = Vec::new();
        for model in self.decoys.models.iter() {
            let Some(Likeness { aaid, .. }) = model.first() else { continue };
            let mut keys: Vec<_> = own.iter().filter(|key| key.aaid == *aaid).cloned().collect();
            let rank = self.decoys.mac(&[MODEL_DOMAIN, aaid.as_str().as_bytes(), self.called.as_bytes()])?;
            let place = (keys.is_empty(), Reverse(rank));
            let is_other = |likeness: &&Likeness| own.iter().all(|key| !likeness.is_like(key));
            for likeness in model.iter().filter(is_other) {
                keys.push(self.key(likeness)?);
            }
            models.push((place, keys));
        }
        models.sort_unstable_by_key(|(place, _)| *place);
        Ok(models.into_iter().map(|(_, keys)| keys).collect())
    }

    /// The key id is what is the user's own, and then the mark by which it is known.
    fn key(&self, likeness: &Likeness) -> Result<Credential, Error> {
        let Likeness { aaid, algorithm, .. } = likeness;
        let number = u16::from(*algorithm).to_be_bytes();
        let (model, called) = (aaid.as_str().as_bytes(), self.called.as_bytes());
        let own = half(self.decoys.mac(&[KEY_DOMAIN, model, &number, called])?);
        let key_id = [own, self.decoys.mark(*aaid, *algorithm, &own)?].concat();
        let key_id = KeyId::new(key_id).map_err(|_| Error::Internal)?;
        Ok(likeness.credential(self.called, &KeyRef { aaid: *aaid, key_id }))
    }
}

fn half(mac: [u8; 32]) -> [u8; 16] {
    std::array::from_fn(|at| mac.get(at).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests;
