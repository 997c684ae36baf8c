//! An answer before it is signed. Everything in it can be changed, so that a test can make a message which is signed
//! correctly and wrong in one respect.

use super::{Attester, AuthenticatorError, DeviceKey};
use crate::crypto::{PrivateKey, sha256};
use crate::encoding::{Text, encode};
use crate::tlv::{self, Tag, TlvError, tag};
use crate::wire::{
    AssertionBytes, AuthenticatorAssertion, Challenge, ChannelBinding, FacetId, FinalChallengeParams, OperationHeader,
    PngCharacteristics, Response, UAFV1TLV,
};

/// Elements in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(
    /// Tags and values.
    pub Vec<(Tag, Vec<u8>)>,
);

impl Fields {
    /// Replaces the value of every element with this tag, or appends one.
    pub fn set(&mut self, tag: Tag, value: impl Into<Vec<u8>>) {
        let value = value.into();
        let mut found = false;
        for (_, old) in self.0.iter_mut().filter(|(other, _)| *other == tag) {
            old.clone_from(&value);
            found = true;
        }
        if !found {
            self.0.push((tag, value));
        }
    }

    /// Takes every element with this tag away.
    pub fn remove(&mut self, tag: Tag) {
        self.0.retain(|(other, _)| *other != tag);
    }

    /// Appends an element, whether there is one with the tag or not.
    pub fn push(&mut self, tag: Tag, value: impl Into<Vec<u8>>) {
        self.0.push((tag, value.into()));
    }

    /// The value of the first element with this tag; empty without one.
    #[must_use]
    pub fn get(&self, tag: Tag) -> &[u8] {
        self.0.iter().find(|(other, _)| *other == tag).map_or(&[], |(_, value)| value)
    }

    /// All of them inside one element.
    ///
    /// # Errors
    /// [`TlvError::Length`] if a value is too long.
    pub fn inside(&self, outer: Tag) -> Result<Vec<u8>, TlvError> {
        let mut inner = Vec::new();
        for (tag, value) in &self.0 {
            tlv::write(*tag, value, &mut inner)?;
        }
        let mut bytes = Vec::with_capacity(inner.len() + 4);
        tlv::write(outer, &inner, &mut bytes)?;
        Ok(bytes)
    }
}

/// An answer before it is signed.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Copy of the request's head.
    pub header: OperationHeader,
    /// What stands in fcParams. [`Draft::set_fc_params`] changes it together with its hash.
    pub fc_params: String,
    /// Tag of the whole.
    pub outer: Tag,
    /// Tag of the signed object.
    pub signed: Tag,
    /// What is signed.
    pub fields: Fields,
    /// Tag of the object around the signature; none in authentications.
    pub attestation: Option<Tag>,
    /// The certificates beside the signature, leaf first.
    pub certificates: Vec<Vec<u8>>,
    /// What follows unsigned.
    pub unsigned: Fields,
    /// What the user confirmed, if anything; its hash is among the fields.
    pub content: Option<Vec<u8>>,
    /// What attests in place of the new key.
    pub(super) attester: Option<Attester>,
    /// What it could have confirmed only unseen: another rendering, which the display can't show.
    pub unshown: Option<Vec<u8>>,
    /// The pictures that the display can show, said beside the assertion of a registration.
    pub png_characteristics: Vec<PngCharacteristics>,
}

impl Draft {
    pub(super) fn registration(
        header: &OperationHeader,
        challenge: &Challenge,
        facet: FacetId,
        key: &DeviceKey,
        attester: Option<&Attester>,
    ) -> Result<Self, AuthenticatorError> {
        let (fc_params, hash) = final_challenge(header, challenge, facet)?;
        let algorithm = u16::from(attester.map_or(key.private_key(), Attester::key).algorithm());
        let [v, a, f] = [key.version(), algorithm, key.key_format().into()].map(u16::to_le_bytes);
        let registrations = key.sign_counter().min(1);
        let counters = [key.sign_counter().to_le_bytes(), registrations.to_le_bytes()].concat();
        let fields = Fields(vec![
            (tag::AAID, key.aaid.as_str().into()),
            (tag::ASSERTION_INFO, [&v[..], &[1], &a, &f].concat()),
            (tag::FINAL_CHALLENGE_HASH, hash),
            (tag::KEYID, key.key_id().as_bytes().into()),
            (tag::COUNTERS, counters),
            (tag::PUB_KEY, key.private_key().public_key(key.key_format())?),
        ]);
        let mut draft = Self {
            header: header.clone(),
            fc_params,
            outer: tag::REG_ASSERTION,
            signed: tag::KRD,
            fields,
            attestation: None,
            certificates: Vec::new(),
            unsigned: Fields::default(),
            content: None,
            attester: None,
            unshown: None,
            png_characteristics: key.pictures().to_vec(),
        };
        draft.attest_by(attester.cloned());
        Ok(draft)
    }

    pub(super) fn authentication(
        header: &OperationHeader,
        challenge: &Challenge,
        facet: FacetId,
        key: &DeviceKey,
        nonce: &[u8],
        content: Option<&[u8]>,
    ) -> Result<Self, AuthenticatorError> {
        let (fc_params, hash) = final_challenge(header, challenge, facet)?;
        let [v, a] = [key.version(), key.private_key().algorithm().into()].map(u16::to_le_bytes);
        let mode = if content.is_some() { 2 } else { 1 };
        let fields = Fields(vec![
            (tag::AAID, key.aaid.as_str().into()),
            (tag::ASSERTION_INFO, [&v[..], &[mode], &a].concat()),
            (tag::AUTHENTICATOR_NONCE, nonce.into()),
            (tag::FINAL_CHALLENGE_HASH, hash),
            (tag::TRANSACTION_CONTENT_HASH, content.map_or_else(Vec::new, |content| sha256(content).into())),
            (tag::KEYID, key.key_id().as_bytes().into()),
            (tag::COUNTERS, key.sign_counter().to_le_bytes().into()),
        ]);
        Ok(Self {
            header: header.clone(),
            fc_params,
            outer: tag::AUTH_ASSERTION,
            signed: tag::SIGNED_DATA,
            fields,
            attestation: None,
            certificates: Vec::new(),
            unsigned: Fields::default(),
            content: content.map(<[u8]>::to_vec),
            attester: None,
            unshown: None,
            png_characteristics: Vec::new(),
        })
    }

    /// Attests by this, or by the new key itself.
    pub(super) fn attest_by(&mut self, attester: Option<Attester>) {
        self.attestation = Some(if attester.is_some() { tag::BASIC_FULL } else { tag::BASIC_SURROGATE });
        self.certificates = attester.as_ref().map_or_else(Vec::new, |attester| attester.certificates().to_vec());
        self.attester = attester;
    }

    /// Takes another text for fcParams and hashes it.
    pub fn set_fc_params(&mut self, text: impl Into<String>) {
        self.fc_params = text.into();
        self.fields.set(tag::FINAL_CHALLENGE_HASH, sha256(self.fc_params.as_bytes()));
    }

    /// How often the key has signed, this time included; 0 if it does not count.
    pub(super) fn sign_counter(&self) -> u32 {
        let counters = self.fields.get(tag::COUNTERS).first_chunk().copied();
        counters.map_or(0, u32::from_le_bytes)
    }

    pub(super) fn set_registration_counter(&mut self, registrations: u32) {
        let mut counters = self.fields.get(tag::COUNTERS).to_vec();
        counters.truncate(4);
        counters.extend(registrations.to_le_bytes());
        self.fields.set(tag::COUNTERS, counters);
    }

    /// Signs and gives the assertion alone.
    ///
    /// # Errors
    /// [`AuthenticatorError`].
    pub fn sign_assertion(&self, key: &PrivateKey) -> Result<Vec<u8>, AuthenticatorError> {
        let signed = self.fields.inside(self.signed)?;
        let mut attestation = Fields(vec![(tag::SIGNATURE, key.sign(&signed)?)]);
        attestation.0.extend(self.certificates.iter().map(|der| (tag::ATTESTATION_CERT, der.clone())));
        self.wrap(&signed, &attestation)
    }

    /// Puts a signed object, and a signature with its certificates, together.
    ///
    /// # Errors
    /// [`AuthenticatorError::Tlv`].
    pub fn wrap(&self, signed: &[u8], signature: &Fields) -> Result<Vec<u8>, AuthenticatorError> {
        let mut inner = signed.to_vec();
        let mut behind = Fields::default();
        match self.attestation {
            Some(tag) => inner.extend(signature.inside(tag)?),
            None => behind = signature.clone(),
        }
        behind.0.extend_from_slice(&self.unsigned.0);
        for (tag, value) in &behind.0 {
            tlv::write(*tag, value, &mut inner)?;
        }
        let mut bytes = Vec::with_capacity(inner.len() + 4);
        tlv::write(self.outer, &inner, &mut bytes)?;
        Ok(bytes)
    }

    /// Signs and gives the response.
    ///
    /// # Errors
    /// [`AuthenticatorError`].
    pub fn sign(&self, key: &PrivateKey) -> Result<Response, AuthenticatorError> {
        self.respond(self.sign_assertion(key)?)
    }

    /// The response around an assertion.
    ///
    /// # Errors
    /// None in practice: the scheme fits its member.
    pub fn respond(&self, assertion: Vec<u8>) -> Result<Response, AuthenticatorError> {
        let assertion = AuthenticatorAssertion {
            assertion_scheme: Text::new(UAFV1TLV)?,
            assertion: AssertionBytes::new(assertion),
            png_characteristics: self.png_characteristics.clone(),
            exts: Vec::new(),
        };
        Ok(Response { header: self.header.clone(), fc_params: self.fc_params.clone(), assertions: vec![assertion] })
    }
}

/// The fcParams for a request, and their hash.
pub(super) fn final_challenge(
    header: &OperationHeader,
    challenge: &Challenge,
    facet_id: FacetId,
) -> Result<(String, Vec<u8>), AuthenticatorError> {
    let sent = header.app_id.as_ref().map_or("", Text::as_str);
    let params = FinalChallengeParams {
        app_id: Text::new(if sent.is_empty() { facet_id.as_str() } else { sent })?,
        challenge: challenge.clone(),
        facet_id: Text::new(facet_id.as_str())?,
        channel_binding: ChannelBinding::default(),
    };
    let text = params.to_text();
    let hash = sha256(text.as_bytes()).to_vec();
    Ok((text, hash))
}

impl FinalChallengeParams {
    /// The text that goes into `fcParams`, and that is hashed.
    #[must_use]
    pub fn to_text(&self) -> String {
        // Strings always have a JSON form.
        encode(&serde_json::to_vec(self).unwrap_or_default())
    }
}
