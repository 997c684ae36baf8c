//! A software authenticator with its client: answers UAF requests as a phone would, with surrogate or full
//! attestation. For tests, for the command line and for load; it protects its keys no better than the file they are kept in.
//!
//! [`Authenticator::register`] and [`Authenticator::authenticate`] give right answers. [`Draft`] is the step before the
//! signature, where a test can make one thing wrong and have it correctly signed; [`Misbehaviour`] names what can be wrong.
//! The crate's `README.md` shows how to try one's own server with them.

mod attester;
mod draft;
mod error;
mod key;
mod misbehaviour;
mod picture;
mod shown;
mod vendor;

use std::collections::BTreeSet;

pub use attester::{Attester, Hierarchy};
pub use draft::{Draft, Fields};
pub use error::AuthenticatorError;
pub use key::DeviceKey;
pub use misbehaviour::{Misbehaviour, Param};
pub use picture::black_png;
pub use shown::shown_text;

pub use crate::crypto::{CertificateDigest, CertificateExtension, CertificateFields};

use crate::aaid::Aaid;
use crate::algorithm::{Algorithm, AttestationType, KeyFormat};
use crate::crypto::{PrivateKey, TrustAnchors};
use crate::encoding::Text;
use crate::facets::SOFTWARE_FACET;
use crate::metadata::Model;
use crate::policy::Candidate;
use crate::wire::{
    AuthenticationRequest, DeregistrationRequest, FacetId, OperationHeader, PngCharacteristics, RegistrationRequest,
    Response, Transaction,
};

/// The model that the software phone of the command line claims to be; without a metadata statement.
pub const SOFTWARE_MODEL: &str = "51D6#0001";

/// `UAF_ASM_STATUS_USER_CANCELLED`: what a phone says when its user taps "no".
pub const ASM_USER_CANCELLED: u16 = 0x03;

/// One model, in one app.
#[derive(Debug, Clone)]
pub struct Authenticator {
    aaid: Aaid,
    version: u16,
    algorithm: Algorithm,
    key_format: KeyFormat,
    facet: Option<FacetId>,
    attester: Option<Attester>,
    counts: bool,
    pictures: Vec<PngCharacteristics>,
}

impl Authenticator {
    /// A model that signs with P-256 in raw encodings, version 1, in the app of [`SOFTWARE_FACET`].
    #[must_use]
    pub const fn new(aaid: Aaid) -> Self {
        let (algorithm, key_format) = (Algorithm::P256Raw, KeyFormat::EcRaw);
        let pictures = Vec::new();
        Self { aaid, version: 1, algorithm, key_format, facet: None, attester: None, counts: true, pictures }
    }

    /// Makes keys for another algorithm, written in another format.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm, key_format: KeyFormat) -> Self {
        Self { algorithm, key_format, ..self }
    }

    /// Another version of the model.
    #[must_use]
    pub fn with_version(self, version: u16) -> Self {
        Self { version, ..self }
    }

    /// In another app.
    #[must_use]
    pub fn with_facet(self, facet: FacetId) -> Self {
        Self { facet: Some(facet), ..self }
    }

    /// Attests with a key of the model in place of the new keys.
    #[must_use]
    pub fn with_attester(self, attester: Attester) -> Self {
        Self { attester: Some(attester), ..self }
    }

    /// Keeps no counters: they are 0 in all that it signs.
    #[must_use]
    pub fn without_counters(self) -> Self {
        Self { counts: false, ..self }
    }

    /// Has a display that shows these kinds of pictures, besides texts, and registers its keys so.
    #[must_use]
    pub fn with_pictures(self, pictures: Vec<PngCharacteristics>) -> Self {
        Self { pictures, ..self }
    }

    /// How its keys sign.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Makes a key and answers a registration request with it.
    ///
    /// # Errors
    /// [`AuthenticatorError`].
    pub fn register(
        &self,
        request: &RegistrationRequest,
        keys: &[DeviceKey],
    ) -> Result<(Response, DeviceKey), AuthenticatorError> {
        let here = |key: &&DeviceKey| key.aaid == self.aaid && key.app_id == self.app_id(&request.header);
        let model = self.model();
        if keys.iter().filter(here).any(|key| request.policy.disallows(&key.candidate(&model))) {
            return Err(AuthenticatorError::AlreadyRegistered);
        }
        let (aaid, version, algorithm) = (self.aaid, self.version, self.algorithm);
        let candidate = Candidate { aaid, key_id: None, version: Some(version), algorithm, model: Some(&model) };
        if request.policy.disallows(&candidate) || !request.policy.is_met_by(&[candidate]) {
            return Err(AuthenticatorError::NoSuitableAuthenticator);
        }
        let key = self.make_key(request, PrivateKey::generate(algorithm)?)?;
        let mut draft = self.draft_registration(request, &key)?;
        if self.counts {
            let before = keys.iter().filter(|key| key.aaid == self.aaid).count();
            draft.set_registration_counter(u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1));
        }
        Ok((draft.sign(self.attesting_key(&key))?, key))
    }

    /// What [`Self::register`] signs, with a key that the caller made.
    ///
    /// # Errors
    /// [`AuthenticatorError`].
    pub fn draft_registration(
        &self,
        request: &RegistrationRequest,
        key: &DeviceKey,
    ) -> Result<Draft, AuthenticatorError> {
        Draft::registration(&request.header, &request.challenge, self.facet()?, key, self.attester.as_ref())
    }

    /// The key that signs the registration of `key`: the attester's, or the new one itself.
    #[must_use]
    pub fn attesting_key<'a>(&'a self, key: &'a DeviceKey) -> &'a PrivateKey {
        self.attester.as_ref().map_or(key.private_key(), Attester::key)
    }

    /// A key of this model for the user and application of a request.
    ///
    /// # Errors
    /// [`AuthenticatorError`].
    pub fn make_key(
        &self,
        request: &RegistrationRequest,
        private_key: PrivateKey,
    ) -> Result<DeviceKey, AuthenticatorError> {
        let app_id = self.app_id(&request.header).to_owned();
        let username = request.username.as_str().to_owned();
        DeviceKey::new(self, private_key, app_id, username)
    }

    /// What to show to the user before [`Self::authenticate`]: of the transaction's renderings the first that the key
    /// which will answer can show. `None`: there is no transaction.
    ///
    /// # Errors
    /// [`AuthenticatorError::NoSuitableAuthenticator`], [`AuthenticatorError::CannotShow`].
    pub fn shown<'r>(
        &self,
        request: &'r AuthenticationRequest,
        keys: &[DeviceKey],
    ) -> Result<Option<&'r Transaction>, AuthenticatorError> {
        let key = keys.get(self.answering(request, keys)?).ok_or(AuthenticatorError::NoSuitableAuthenticator)?;
        shown::rendering(&request.transaction, key.pictures())
    }

    /// Which of the keys answers: the first that the policy names and that can show the transaction.
    fn answering(&self, request: &AuthenticationRequest, keys: &[DeviceKey]) -> Result<usize, AuthenticatorError> {
        let model = self.model();
        let fits = |key: &DeviceKey| {
            let candidate = key.candidate(&model);
            key.app_id == self.app_id(&request.header)
                && !request.policy.disallows(&candidate)
                && request.policy.is_met_by(&[candidate])
        };
        let shows = |key: &DeviceKey| shown::rendering(&request.transaction, key.pictures()).is_ok();
        match keys.iter().position(|key| fits(key) && shows(key)) {
            Some(at) => Ok(at),
            None if keys.iter().any(fits) => Err(AuthenticatorError::CannotShow),
            None => Err(AuthenticatorError::NoSuitableAuthenticator),
        }
    }

    /// Answers an authentication request with [`Self::next_key`]. `nonce` is random, 8 bytes or more. Whoever calls has
    /// shown [`Self::shown`] to the user.
    ///
    /// # Errors
    /// [`AuthenticatorError`].
    pub fn authenticate(
        &self,
        request: &AuthenticationRequest,
        keys: &mut [DeviceKey],
        nonce: &[u8],
    ) -> Result<Response, AuthenticatorError> {
        let key = self.next_key(request, keys)?;
        self.draft_authentication(request, key, nonce)?.sign(key.private_key())
    }

    /// The first key that fits an authentication request and can show what it asks to confirm, its counter set for the next
    /// signature.
    ///
    /// # Errors
    /// [`AuthenticatorError::NoSuitableAuthenticator`], [`AuthenticatorError::CannotShow`],
    /// [`AuthenticatorError::CounterExhausted`].
    pub fn next_key<'a>(
        &self,
        request: &AuthenticationRequest,
        keys: &'a mut [DeviceKey],
    ) -> Result<&'a DeviceKey, AuthenticatorError> {
        let at = self.answering(request, keys)?;
        let key = keys.get_mut(at).ok_or(AuthenticatorError::NoSuitableAuthenticator)?;
        key.count()?;
        Ok(key)
    }

    /// What [`Self::authenticate`] signs, with the key and its counter as they are.
    ///
    /// # Errors
    /// [`AuthenticatorError`].
    pub fn draft_authentication(
        &self,
        request: &AuthenticationRequest,
        key: &DeviceKey,
        nonce: &[u8],
    ) -> Result<Draft, AuthenticatorError> {
        let content = shown::rendering(&request.transaction, key.pictures())?.map(|shown| shown.content.as_bytes());
        let mut draft = Draft::authentication(&request.header, &request.challenge, self.facet()?, key, nonce, content)?;
        draft.unshown = shown::unshown(&request.transaction, key.pictures());
        Ok(draft)
    }

    /// Says no: an answer without assertions, to be sent with a code in its context.
    ///
    /// # Errors
    /// [`AuthenticatorError`].
    pub fn deny(&self, request: &AuthenticationRequest) -> Result<Response, AuthenticatorError> {
        let (fc_params, _) = draft::final_challenge(&request.header, &request.challenge, self.facet()?)?;
        Ok(Response { header: request.header.clone(), fc_params, assertions: Vec::new() })
    }

    /// Deletes the keys that a request names.
    pub fn deregister(&self, request: &DeregistrationRequest, keys: &mut Vec<DeviceKey>) {
        let app_id = self.app_id(&request.header);
        keys.retain(|key| key.app_id != app_id || !request.authenticators.iter().any(|entry| key.is_named_by(entry)));
    }

    /// The facet, for which the appID stands where the request has none.
    fn app_id<'a>(&'a self, header: &'a OperationHeader) -> &'a str {
        let sent = header.app_id.as_ref().map_or("", Text::as_str);
        match (sent, &self.facet) {
            ("", None) => SOFTWARE_FACET,
            ("", Some(facet)) => facet.as_str(),
            _ => sent,
        }
    }

    fn facet(&self) -> Result<FacetId, AuthenticatorError> {
        match &self.facet {
            Some(facet) => Ok(facet.clone()),
            None => Ok(Text::new(SOFTWARE_FACET)?),
        }
    }

    /// What its metadata statement would say: passcode, software, internal, shows transactions.
    fn model(&self) -> Model {
        let attestation = match self.attester {
            Some(_) => AttestationType::BasicFull,
            None => AttestationType::BasicSurrogate,
        };
        Model {
            algorithms: BTreeSet::from([self.algorithm]),
            attestation,
            roots: TrustAnchors::default(),
            lowest_version: self.version,
            upv: None,
            user_verification: Some(vec![4]),
            key_protection: Some(1),
            matcher_protection: Some(1),
            attachment_hint: Some(1),
            tc_display: Some(1),
            takes: None,
            second_factor_only: false,
            key_restricted: true,
        }
    }
}
