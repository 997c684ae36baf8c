//! Keys that nobody has: what a request names for a user who does not exist or has no key, where whoever asks
//! is not to learn that. A user's decoy stays the same, and an answer with it is checked like any other and fails like
//! one with a wrong key. Whoever has the secret knows a decoy by its key id alone, whosever it is; to others it is random.
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
//! let nobody = Claimant::Named { user: "nobody", credentials: &[], decoys: Some(&decoys) };
//! assert_eq!(server.asking(&wanted, nobody, &[])?, server.asking(&wanted, nobody, &[])?, "the same each time");
//! # Ok(())
//! # }
//! ```

mod asking;
mod likeness;

use std::collections::BTreeMap;
use std::fmt;

use crate::aaid::{Aaid, KeyId, KeyRef};
use crate::credential::Credential;
use crate::crypto::{MacKey, equal};
use crate::error::Error;
use crate::relying_party::RelyingParty;

use likeness::{Likeness, Likenesses};

const KEY_DOMAIN: &[u8] = b"UAF decoy 3 key\0";
const MARK_DOMAIN: &[u8] = b"UAF decoy 3 mark\0";
const MODEL_DOMAIN: &[u8] = b"UAF decoy 1 model\0";

/// Makes the decoys of users, out of some models and a secret.
#[derive(Clone)]
pub struct Decoys {
    secret: MacKey,
    models: Vec<Likenesses>,
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

    /// The decoy that an answer is about, if it is one, whosever it is: as a key of `user`, which is empty where nobody was
    /// named.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn find(&self, user: &str, key: &KeyRef) -> Result<Option<Credential>, Error> {
        for likeness in self.models.iter().flatten().filter(|likeness| likeness.aaid == key.aaid) {
            let Some((own, mark)) = key.key_id.as_bytes().split_first_chunk() else { return Ok(None) };
            if equal(&self.mark(likeness, own)?, mark) {
                return Ok(Some(likeness.credential(user, key.key_id.clone())));
            }
        }
        Ok(None)
    }

    /// The models in this user's order.
    fn models(&self, user: &str) -> Result<impl Iterator<Item = &Likenesses>, Error> {
        let number = self.mac(&[MODEL_DOMAIN, user.as_bytes()])?;
        let number = number.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let first = number.checked_rem(self.models.len() as u64).unwrap_or(0);
        Ok(self.models.iter().cycle().skip(usize::try_from(first).unwrap_or(0)).take(self.models.len()))
    }

    /// The key id is what is the user's own, and then the mark by which it is known.
    fn key(&self, user: &str, likeness: &Likeness) -> Result<Credential, Error> {
        let (model, algorithm) = likeness.kind();
        let own = half(self.mac(&[KEY_DOMAIN, &model, &algorithm, user.as_bytes()])?);
        let key_id = [own, self.mark(likeness, &own)?].concat();
        Ok(likeness.credential(user, KeyId::new(key_id).map_err(|_| Error::Internal)?))
    }

    fn mark(&self, likeness: &Likeness, own: &[u8; 16]) -> Result<[u8; 16], Error> {
        let (model, algorithm) = likeness.kind();
        Ok(half(self.mac(&[MARK_DOMAIN, &model, &algorithm, own])?))
    }

    fn mac(&self, parts: &[&[u8]]) -> Result<[u8; 32], Error> {
        self.secret.mac(parts).map_err(|_| Error::Internal)
    }
}

fn half(mac: [u8; 32]) -> [u8; 16] {
    std::array::from_fn(|at| mac.get(at).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests;
