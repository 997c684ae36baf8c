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

use std::collections::BTreeMap;
use std::fmt;

use crate::aaid::{Aaid, KeyId, KeyRef};
use crate::algorithm::{Algorithm, KeyFormat};
use crate::credential::Credential;
use crate::crypto::{MacKey, PrivateKey, equal};
use crate::encoding::Octets;
use crate::error::Error;
use crate::policy::Policy;
use crate::relying_party::RelyingParty;

const KEY_DOMAIN: &[u8] = b"UAF decoy 3 key\0";
const MARK_DOMAIN: &[u8] = b"UAF decoy 3 mark\0";
const MODEL_DOMAIN: &[u8] = b"UAF decoy 1 model\0";

/// Makes the decoys of users, out of some models and a secret.
#[derive(Clone)]
pub struct Decoys {
    secret: MacKey,
    models: Vec<Likenesses>,
}

/// What keys of one model are like: one for each algorithm that it has, from the lowest number on.
type Likenesses = Vec<Likeness>;

/// The public key is shown to nobody, and its private key is gone.
#[derive(Clone)]
struct Likeness {
    aaid: Aaid,
    algorithm: Algorithm,
    key_format: KeyFormat,
    public_key: Octets<1, 4096>,
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

impl Likeness {
    fn kind(&self) -> (Vec<u8>, [u8; 2]) {
        (self.aaid.as_str().into(), u16::from(self.algorithm).to_be_bytes())
    }

    fn credential(&self, user: &str, key_id: KeyId) -> Credential {
        Credential {
            user: user.to_owned(),
            aaid: self.aaid,
            key_id,
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
    fn new(
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

impl RelyingParty {
    /// The models that there are statements of.
    pub fn stated_models(&self) -> impl Iterator<Item = Aaid> + '_ {
        self.models.stated()
    }

    /// Whether the decoys fill an alternative of `wanted`, which does not depend on the user.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn has_decoy(&self, wanted: &Policy, decoys: &Decoys) -> Result<bool, Error> {
        Ok(self.decoy_policy(wanted, decoys, "")?.is_some())
    }

    /// What is asked of a user by their decoy, as [`Self::step_up_policy`] by their keys: by the first that fits alone, else by
    /// several together, no more algorithms of each model than it takes. `None` if the decoys fill no alternative of `wanted`,
    /// whoever the user is.
    pub(crate) fn decoy_policy(&self, wanted: &Policy, decoys: &Decoys, user: &str) -> Result<Option<Policy>, Error> {
        let models: Vec<_> = decoys.models(user)?.collect();
        for likeness in models.iter().copied().flatten() {
            let policy = self.step_up_policy(wanted, &[decoys.key(user, likeness)?]);
            if policy.is_some() {
                return Ok(policy);
            }
        }
        for algorithms in 1..=Algorithm::ALL.len() {
            let keys = models.iter().flat_map(|model| model.iter().take(algorithms));
            let keys = keys.map(|likeness| decoys.key(user, likeness)).collect::<Result<Vec<_>, _>>()?;
            if let Some(policy) = self.step_up_policy(wanted, &keys) {
                return Ok(Some(policy.preferred()));
            }
        }
        Ok(None)
    }
}

fn half(mac: [u8; 32]) -> [u8; 16] {
    std::array::from_fn(|at| mac.get(at).copied().unwrap_or_default())
}

fn public_key(algorithm: Algorithm, format: KeyFormat) -> Result<Octets<1, 4096>, DecoyError> {
    let key =
        PrivateKey::generate(algorithm).and_then(|key| key.public_key(format)).map_err(|_| DecoyError::Internal)?;
    Octets::new(key).map_err(|_| DecoyError::Internal)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::authentication::Claimant;
    use crate::authenticator::{Authenticator, DeviceKey};
    use crate::metadata::{Models, UnknownModels};
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
        Policy::any()
    }

    #[test]
    fn a_user_has_one_decoy_and_keeps_it() {
        let one = asked(&decoys(1, &[FIRST, SECOND]), &any(), "ghost").unwrap();
        assert_eq!(asked(&decoys(1, &[FIRST, SECOND]), &any(), "ghost").unwrap(), one, "after a restart too");
        let [[criterion]] = &one.as_wire().accepted.iter().map(Vec::as_slice).collect::<Vec<_>>()[..] else {
            panic!("{one:?}")
        };
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
        assert_eq!(both.as_wire().accepted.iter().map(Vec::len).collect::<Vec<_>>(), [2], "one choice");
        let other = Policy::parse(r#"{"accepted":[[{"aaid":["D0D0#0003"]}]]}"#).unwrap();
        assert_eq!(asked(&decoys, &other, "ghost"), None);
    }

    fn wanted(accepted: serde_json::Value, disallowed: serde_json::Value) -> Policy {
        Policy::parse(&json!({"accepted": accepted, "disallowed": disallowed}).to_string()).unwrap()
    }

    #[test]
    fn a_decoy_is_of_the_algorithm_that_is_asked_for_and_of_no_version() {
        let (decoys, unwanted) = (decoys(1, &[FIRST]), json!([{"aaid": [SECOND]}]));
        let of = |algorithm: u16| json!({"authenticationAlgorithms": [algorithm], "assertionSchemes": ["UAFV1TLV"]});
        for algorithm in [1, 2, 6, 9] {
            let asked = asked(&decoys, &wanted(json!([[of(algorithm)]]), unwanted.clone()), "ghost").unwrap();
            let key =
                KeyRef { aaid: FIRST.parse().unwrap(), key_id: asked.as_wire().accepted[0][0].key_ids[0].clone() };
            let decoy = decoys.find("ghost", &key).unwrap().unwrap();
            assert_eq!((u16::from(decoy.algorithm), decoy.verification_key().is_ok()), (algorithm, true));
        }
        let both = asked(&decoys, &wanted(json!([[of(2), of(5)]]), unwanted), "ghost").unwrap();
        assert_eq!(both.as_wire().accepted[0].iter().map(|member| member.key_ids.len()).collect::<Vec<_>>(), [1, 1]);
        let version = json!([{"aaid": [FIRST], "authenticatorVersion": 2}]);
        assert!(asked(&decoys, &wanted(json!([version]), version), "ghost").is_some());
    }

    #[test]
    fn a_model_whose_keys_are_not_taken_is_no_decoys() {
        let mut server = relying_party();
        server.models = server.models.with_revoked(FIRST.parse().unwrap());
        let of = |server: &RelyingParty| Decoys::new(&[1; 32], server, [FIRST.parse().unwrap()]).unwrap_err();
        let refused = |cause| DecoyError::Model { aaid: FIRST.parse().unwrap(), cause };
        assert_eq!(of(&server), refused(Error::ModelRevoked));
        server.models = Models::new(UnknownModels::Refuse);
        assert_eq!(of(&server), refused(Error::UnknownModel));
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

    /// What comes of an answer that says it is by the ghost's decoy, where the ghost was asked by name or nobody was.
    fn finish(algorithm: Algorithm, is_named: bool) -> Error {
        let (server, decoys, (phone, key)) = (relying_party(), decoys(1, &[FIRST]), phone(algorithm));
        let key_id = asked(&decoys, &any(), "ghost").unwrap().as_wire().accepted[0][0].key_ids[0].clone();
        let ghost = Claimant::Named { user: "ghost", credentials: &[], decoys: Some(&decoys) };
        let asking = server.asking(&any(), if is_named { ghost } else { Claimant::Anyone }, &[]).unwrap();
        let (request, state) = server.start_authentication(start(), asking).unwrap();
        assert_eq!(state.decoyed(), Some(if is_named { "ghost" } else { "" }));
        let mut draft = phone.draft_authentication(&request, &key, &[9; 16]).unwrap();
        draft.fields.set(tag::KEYID, key_id.as_bytes());
        let response = draft.sign(key.private_key()).unwrap().to_message();
        let opened = server.open(Operation::Auth, &response, None).unwrap();
        let credentials = [decoys.find(state.decoyed().unwrap(), &opened.keys()[0]).unwrap().unwrap()];
        server.finish_authentication(&state, &opened, &credentials, &Arrival { now: 1, channels: &[] }).unwrap_err()
    }

    #[test]
    fn nobody_answers_with_a_decoy() {
        for is_named in [true, false] {
            assert_eq!(finish(Algorithm::P256Raw, is_named), Error::Signature);
            assert_eq!(finish(Algorithm::P256Der, is_named), Error::AlgorithmNotRegistered, "as a key has one");
        }
    }

    #[test]
    fn a_decoy_is_known_by_its_id_of_one_model() {
        let (ours, others) = (decoys(1, &[FIRST, SECOND]), decoys(2, &[FIRST]));
        for likeness in &ours.models[0] {
            let decoy = ours.key("ghost", likeness).unwrap();
            let key = decoy.key_ref();
            assert_eq!(ours.find("ghost", &key).unwrap(), Some(decoy));
            assert_eq!(ours.find("", &key).unwrap().unwrap().algorithm, likeness.algorithm);
            assert_eq!(ours.find("", &KeyRef { aaid: SECOND.parse().unwrap(), ..key.clone() }).unwrap(), None);
            assert_eq!(others.find("", &key).unwrap(), None, "the secret decides");
            for bit in 0..256 {
                let mut other = key.key_id.as_bytes().to_vec();
                other[bit / 8] ^= 1 << (bit % 8);
                let other = KeyRef { key_id: KeyId::new(other).unwrap(), ..key.clone() };
                assert_eq!(ours.find("", &other).unwrap(), None, "{bit}");
            }
            let longer = KeyId::new([key.key_id.as_bytes(), &[0]].concat()).unwrap();
            assert_eq!(ours.find("", &KeyRef { key_id: longer, ..key }).unwrap(), None);
        }
    }
}
