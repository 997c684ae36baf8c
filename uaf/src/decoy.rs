//! Keys that nobody has (uaf.md A0): what a request names for a user who does not exist or has no key, where whoever asks
//! is not to learn that. A user's decoy stays the same, and an answer with it is checked like any other and fails like
//! one with a wrong key.

use std::collections::BTreeMap;
use std::fmt;

use crate::aaid::{Aaid, KeyId, KeyRef};
use crate::algorithm::{Algorithm, KeyFormat};
use crate::credential::Credential;
use crate::crypto::{MacKey, PrivateKey};
use crate::encoding::Octets;
use crate::error::Error;
use crate::relying_party::RelyingParty;
use crate::wire::Policy;

const KEY_DOMAIN: &[u8] = b"UAF decoy 1 key\0";
const MODEL_DOMAIN: &[u8] = b"UAF decoy 1 model\0";

/// Makes the decoys of users, out of some models and a secret.
#[derive(Clone)]
pub struct Decoys {
    secret: MacKey,
    models: Vec<Likeness>,
}

/// What keys of a model are like. The public key is shown to nobody, and its private key is gone.
#[derive(Clone)]
struct Likeness {
    aaid: Aaid,
    algorithm: Algorithm,
    key_format: KeyFormat,
    public_key: Octets<1, 4096>,
}

impl fmt::Debug for Decoys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.models.iter().map(|model| model.aaid)).finish()
    }
}

impl Decoys {
    /// Decoys of these models, as far as `relying_party` takes keys of them. `secret` has 32 random bytes, the same ones
    /// at every node and after every restart.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn new(
        secret: &[u8; 32],
        relying_party: &RelyingParty,
        models: impl IntoIterator<Item = Aaid>,
    ) -> Result<Self, Error> {
        let mut likenesses: Vec<Likeness> = Vec::new();
        let mut public_keys = BTreeMap::new();
        for aaid in models {
            let algorithm = relying_party.models.find(aaid).ok().and_then(|model| model.algorithms.first().copied());
            let (Some(algorithm), false) = (algorithm, likenesses.iter().any(|model| model.aaid == aaid)) else {
                continue;
            };
            let key_format = if algorithm.is_elliptic() { KeyFormat::EcRaw } else { KeyFormat::RsaRaw };
            let public_key = match public_keys.get(&algorithm) {
                Some(known) => Octets::clone(known),
                None => public_keys.entry(algorithm).or_insert(public_key(algorithm, key_format)?).clone(),
            };
            likenesses.push(Likeness { aaid, algorithm, key_format, public_key });
        }
        let secret = MacKey::new(secret).map_err(|_| Error::Internal)?;
        Ok(Self { secret, models: likenesses })
    }

    /// The decoy that a user's answer is about, if it is one of theirs.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn find(&self, user: &str, key: &KeyRef) -> Result<Option<Credential>, Error> {
        let model = self.models.iter().find(|model| model.aaid == key.aaid);
        let decoy = model.map(|model| self.key(user, model)).transpose()?;
        Ok(decoy.filter(|decoy| decoy.key_id == key.key_id))
    }

    /// The models in this user's order.
    fn models(&self, user: &str) -> Result<impl Iterator<Item = &Likeness>, Error> {
        let number = self.mac(&[MODEL_DOMAIN, user.as_bytes()])?;
        let number = number.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let first = number.checked_rem(self.models.len() as u64).unwrap_or(0);
        Ok(self.models.iter().cycle().skip(usize::try_from(first).unwrap_or(0)).take(self.models.len()))
    }

    fn key(&self, user: &str, model: &Likeness) -> Result<Credential, Error> {
        let key_id = self.mac(&[KEY_DOMAIN, model.aaid.as_str().as_bytes(), user.as_bytes()])?;
        Ok(Credential {
            user: user.to_owned(),
            aaid: model.aaid,
            key_id: KeyId::new(key_id).map_err(|_| Error::Internal)?,
            // High enough for every policy.
            authenticator_version: u16::MAX,
            algorithm: model.algorithm,
            key_format: model.key_format,
            public_key: model.public_key.clone(),
            sign_counter: 0,
            registration_counter: 0,
            png_characteristics: Vec::new(),
        })
    }

    fn mac(&self, parts: &[&[u8]]) -> Result<[u8; 32], Error> {
        self.secret.mac(parts).map_err(|_| Error::Internal)
    }
}

impl RelyingParty {
    /// The models that there are statements of.
    pub fn stated_models(&self) -> impl Iterator<Item = Aaid> + '_ {
        self.models.stated()
    }

    /// What is asked of a user by their decoy, as [`Self::step_up_policy`] by their keys: by the first that fits alone, else by
    /// several together. `None` if the decoys of all models fill no alternative of `wanted`.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn decoy_policy(&self, wanted: &Policy, decoys: &Decoys, user: &str) -> Result<Option<Policy>, Error> {
        let mut keys = Vec::new();
        for model in decoys.models(user)? {
            let key = decoys.key(user, model)?;
            if let Some(policy) = self.step_up_policy(wanted, std::slice::from_ref(&key)) {
                return Ok(Some(policy));
            }
            keys.push(key);
        }
        let mut together = self.step_up_policy(wanted, &keys);
        if let Some(policy) = &mut together {
            policy.accepted.truncate(1);
        }
        Ok(together)
    }
}

impl Policy {
    /// The models that it accepts by name.
    pub fn models(&self) -> impl Iterator<Item = Aaid> + '_ {
        self.accepted.iter().flatten().flat_map(|criterion| criterion.aaid.iter().copied())
    }
}

fn public_key(algorithm: Algorithm, format: KeyFormat) -> Result<Octets<1, 4096>, Error> {
    let key = PrivateKey::generate(algorithm).and_then(|key| key.public_key(format)).map_err(|_| Error::Internal)?;
    Octets::new(key).map_err(|_| Error::Internal)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::authentication::{Claimant, NewAuthentication};
    use crate::authenticator::{Authenticator, DeviceKey};
    use crate::incoming::Incoming;
    use crate::registration::NewRegistration;
    use crate::relying_party::{Arrival, Start};
    use crate::testing::relying_party;
    use crate::tlv::tag;
    use crate::wire::{Challenge, Operation};

    const FIRST: &str = "D0D0#0001";
    const SECOND: &str = "D0D0#0002";

    fn decoys(secret: u8, models: &[&str]) -> Decoys {
        Decoys::new(&[secret; 32], &relying_party(), models.iter().map(|model| model.parse().unwrap())).unwrap()
    }

    fn asked(decoys: &Decoys, wanted: &Policy, user: &str) -> Option<Policy> {
        relying_party().decoy_policy(wanted, decoys, user).unwrap()
    }

    fn any() -> Policy {
        Policy::any_of(Algorithm::ALL)
    }

    #[test]
    fn a_user_has_one_decoy_and_keeps_it() {
        let one = asked(&decoys(1, &[FIRST, SECOND]), &any(), "ghost").unwrap();
        assert_eq!(asked(&decoys(1, &[FIRST, SECOND]), &any(), "ghost").unwrap(), one, "after a restart too");
        let [[criterion]] = &one.accepted.iter().map(Vec::as_slice).collect::<Vec<_>>()[..] else { panic!("{one:?}") };
        assert_eq!((criterion.aaid.len(), criterion.key_ids[0].as_bytes().len()), (1, 32));
        assert_ne!(asked(&decoys(1, &[FIRST, SECOND]), &any(), "other").unwrap(), one);
        assert_ne!(asked(&decoys(2, &[FIRST, SECOND]), &any(), "ghost").unwrap(), one, "the secret decides");
    }

    #[test]
    fn every_model_is_somebodys() {
        let decoys = decoys(1, &[FIRST, SECOND, FIRST]);
        let model = |n: u8| asked(&decoys, &any(), &format!("ghost {n}")).unwrap().models().next().unwrap();
        let first = (0..100).filter(|n| model(*n).as_str() == FIRST).count();
        assert!((20..80).contains(&first), "{first} of 100");
    }

    #[test]
    fn a_decoy_fits_what_is_asked_for() {
        let decoys = decoys(1, &[FIRST, SECOND]);
        for model in [FIRST, SECOND] {
            let wanted = Policy::parse(&json!({"accepted": [[{"aaid": [model]}]]}).to_string()).unwrap();
            assert_eq!(wanted.models().next().unwrap().as_str(), model);
            assert_eq!(asked(&decoys, &wanted, "ghost").unwrap().models().next().unwrap().as_str(), model);
        }
        let both = json!({"accepted": [[{"aaid": [FIRST, SECOND]}, {"aaid": [FIRST, SECOND]}]]}).to_string();
        let both = asked(&decoys, &Policy::parse(&both).unwrap(), "ghost").unwrap();
        assert_eq!(both.accepted.iter().map(Vec::len).collect::<Vec<_>>(), [2], "one choice");
        let other = Policy::parse(r#"{"accepted":[[{"aaid":["D0D0#0003"]}]]}"#).unwrap();
        assert_eq!(asked(&decoys, &other, "ghost"), None);
    }

    #[test]
    fn nobody_is_asked_for_a_revoked_model() {
        let mut server = relying_party();
        server.models = server.models.with_revoked(FIRST.parse().unwrap());
        let decoys = Decoys::new(&[1; 32], &server, [FIRST.parse().unwrap()]).unwrap();
        assert_eq!(server.decoy_policy(&any(), &decoys, "ghost").unwrap(), None);
    }

    fn start() -> Start<'static> {
        Start { operation_id: "o", purpose: "p", challenge: Challenge::new([1; 32]).unwrap(), expires_at: 10 }
    }

    /// A phone with a key of its own for this algorithm.
    fn phone(algorithm: Algorithm) -> (Authenticator, DeviceKey) {
        let phone = Authenticator::new(FIRST.parse().unwrap()).with_algorithm(algorithm, KeyFormat::EcRaw);
        let new = NewRegistration { start: start(), user: "eve", username: "eve", policy: any(), registered: &[] };
        let (request, _) = relying_party().start_registration(new).unwrap();
        let key = phone.make_key(&request, PrivateKey::generate(algorithm).unwrap()).unwrap();
        (phone, key)
    }

    /// What comes of an answer that says it is by the decoy's key.
    fn finish(algorithm: Algorithm) -> Error {
        let (server, decoys, (phone, key)) = (relying_party(), decoys(1, &[FIRST]), phone(algorithm));
        let claimant = Claimant::Named { user: "ghost".into(), exists: false };
        let policy = asked(&decoys, &any(), "ghost").unwrap();
        let new = NewAuthentication { start: start(), claimant, policy, transaction: Vec::new() };
        let (request, state) = server.start_authentication(new).unwrap();
        assert_eq!(state.decoyed(), Some("ghost"));
        let mut draft = phone.draft_authentication(&request, &key, &[9; 16]).unwrap();
        draft.fields.set(tag::KEYID, request.policy.accepted[0][0].key_ids[0].as_bytes());
        let response = draft.sign(key.private_key()).unwrap().to_message();
        let opened = Incoming::parse(Operation::Auth, &response, None).unwrap().open(server.server_data_key()).unwrap();
        let credentials = [decoys.find("ghost", &opened.keys()[0]).unwrap().unwrap()];
        server.finish_authentication(&state, &opened, &credentials, &Arrival::default()).unwrap_err()
    }

    #[test]
    fn nobody_answers_with_a_decoy() {
        assert_eq!(finish(Algorithm::P256Raw), Error::Signature);
        assert_eq!(finish(Algorithm::P256Der), Error::AlgorithmNotRegistered, "as a key has one");
    }

    #[test]
    fn a_decoy_is_its_users_alone() {
        let decoys = decoys(1, &[FIRST]);
        let key = decoys.key("ghost", &decoys.models[0]).unwrap().key_ref();
        assert_eq!(decoys.find("other", &key).unwrap(), None);
        assert_eq!(decoys.find("ghost", &KeyRef { aaid: SECOND.parse().unwrap(), ..key }).unwrap(), None);
    }
}
