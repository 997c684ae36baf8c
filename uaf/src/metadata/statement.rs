//! Metadata statements, versions 2 and 3 (FIDO metadata statements 1.1 to 3.0): the members that this server uses, in
//! one form. Members that it does not use are passed over; one that it uses is of its type or the statement is refused.

mod numbers;
mod words;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{Model, Takes};
use crate::aaid::Aaid;
use crate::algorithm::{Algorithm, AttestationType, KeyFormat};
use crate::crypto::{CertificateError, TrustAnchors};
use crate::encoding::{self, read_as_dictionary};
use crate::registry::{self, NotRegistered};
use crate::wire::{PngCharacteristics, Version, kinds};

read_as_dictionary!(Schema, Frame);

/// A statement cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Not the JSON of a statement; says where.
    #[error("statement: {0}")]
    Json(String),
    /// A statement of another form than 2 or 3.
    #[error("schema {0} is not read; schema 3, or a statement of version 2 without schema, is")]
    Schema(u16),
    /// The model is none of UAF, or speaks another assertion scheme.
    #[error("not for UAF: {member} is not {right}")]
    NotUaf {
        /// The member that says so.
        member: &'static str,
        /// What it is in a statement for UAF.
        right: &'static str,
    },
    /// Nothing tells of which version it is.
    #[error(
        "neither schema nor assertionScheme: a statement of version 3 says \"schema\": 3, one of version 2 \
         \"assertionScheme\": \"UAFV1TLV\""
    )]
    Unversioned,
    /// The model speaks neither UAF 1.0 nor 1.1.
    #[error("upv has neither 1.0 nor 1.1")]
    Version,
    /// The model signs with no algorithm that is served.
    #[error("no algorithm that is served")]
    Algorithm,
    /// The model writes keys in no format that is served and fits its algorithms.
    #[error("no key format that is served and fits an algorithm")]
    KeyFormat,
    /// No attestation could be verified: full needs roots, surrogate must have none.
    #[error("attestationTypes has neither basic_full with roots nor basic_surrogate without")]
    AttestationType,
    /// A property has a value or a bit that the registry does not have, or none.
    #[error(transparent)]
    Registry(#[from] NotRegistered),
    /// The model would have no way to verify its user, so that a policy could not refuse any.
    #[error("userVerificationDetails has an empty list; a model that verifies nobody says none (512)")]
    UserVerification,
    /// A root certificate cannot be read.
    #[error("attestationRootCertificates[{at}]: {cause}")]
    Root {
        /// Which one, counted from 0.
        at: usize,
        /// What is wrong with it.
        cause: CertificateError,
    },
    /// A display says no media type, or one that transactions do not have.
    #[error("tcDisplayContentType is neither text/plain nor image/png, beside a tcDisplay")]
    DisplayContentType,
    /// A display for pictures does not say which.
    #[error("tcDisplayPNGCharacteristics is missing beside a tcDisplayContentType of image/png")]
    DisplayPictures,
}

/// One statement, found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    aaid: Aaid,
    model: Model,
}

/// Which version a statement is of: only 3 says it.
#[derive(Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
struct Schema {
    schema: Option<u16>,
    assertion_scheme: Option<IgnoredAny>,
}

/// What statements of every version say alike.
#[derive(Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
struct Frame {
    aaid: Aaid,
    authenticator_version: u16,
    upv: Vec<Version>,
    tc_display_content_type: Option<String>,
    #[serde(rename = "tcDisplayPNGCharacteristics", default, deserialize_with = "kinds")]
    pictures: Vec<PngCharacteristics>,
    attestation_root_certificates: Vec<String>,
    #[serde(default = "yes")]
    is_key_restricted: bool,
}

const fn yes() -> bool {
    true
}

/// What each version writes in its own way, as numbers of the registry.
struct Spelled {
    algorithms: Vec<u32>,
    key_formats: Vec<u32>,
    attestation_types: Vec<u32>,
    user_verification: Vec<Vec<u32>>,
    key_protection: u32,
    matcher_protection: u32,
    attachment_hint: Option<u32>,
    tc_display: u32,
    second_factor_only: bool,
}

/// What a statement says, as far as this server does it.
struct Said {
    frame: Frame,
    spelled: Spelled,
    algorithms: BTreeSet<Algorithm>,
    key_formats: BTreeSet<KeyFormat>,
    attestation_types: BTreeSet<AttestationType>,
}

impl Statement {
    /// Reads a statement.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        let Schema { schema, assertion_scheme } = read(text)?;
        let spelled = match schema {
            None if assertion_scheme.is_none() => return Err(StatementError::Unversioned),
            None | Some(2) => numbers::read(text)?,
            Some(3) => words::read(text)?,
            Some(other) => return Err(StatementError::Schema(other)),
        };
        spelled.check()?;
        let said = Said::of(read(text)?, spelled);
        Ok(Self { aaid: said.frame.aaid, model: said.into_model()? })
    }

    /// The model it describes.
    #[must_use]
    pub const fn aaid(&self) -> Aaid {
        self.aaid
    }

    pub(super) fn into_model(self) -> (Aaid, Model) {
        (self.aaid, self.model)
    }
}

impl Spelled {
    /// Sees that everything is of the registry: a policy that disallows a property has to find it.
    fn check(&self) -> Result<(), NotRegistered> {
        let all = |values: &[u32], of: registry::Registry| values.iter().try_for_each(|value| of.check(*value));
        all(&self.algorithms, registry::ALGORITHMS)?;
        all(&self.key_formats, registry::KEY_FORMATS)?;
        all(&self.attestation_types, registry::ATTESTATION_TYPES)?;
        all(&self.user_verification.concat(), registry::METHOD)?;
        registry::KEY_PROTECTION.check_bits(self.key_protection)?;
        registry::MATCHER_PROTECTION.check_bits(self.matcher_protection)?;
        self.attachment_hint.map_or(Ok(()), |hint| registry::ATTACHMENT_HINT.check_bits(hint))?;
        // No bit: no display.
        if self.tc_display == 0 { Ok(()) } else { registry::TC_DISPLAY.check_bits(self.tc_display) }
    }
}

impl Said {
    fn of(frame: Frame, spelled: Spelled) -> Self {
        Self {
            algorithms: served(&spelled.algorithms),
            key_formats: served(&spelled.key_formats),
            attestation_types: served(&spelled.attestation_types),
            frame,
            spelled,
        }
    }

    fn into_model(self) -> Result<Model, StatementError> {
        self.check()?;
        let takes = self.takes()?;
        let attestation = self.provable();
        let Self { frame, spelled, algorithms, .. } = self;
        let methods = spelled.user_verification.iter();
        Ok(Model {
            algorithms,
            attestation,
            roots: anchors(&frame.attestation_root_certificates)?,
            lowest_version: frame.authenticator_version,
            upv: Some(frame.upv),
            user_verification: Some(methods.map(|combination| bits(combination)).collect()),
            key_protection: Some(spelled.key_protection),
            matcher_protection: Some(spelled.matcher_protection),
            attachment_hint: spelled.attachment_hint,
            tc_display: Some(spelled.tc_display),
            takes,
            second_factor_only: spelled.second_factor_only,
            key_restricted: frame.is_key_restricted,
        })
    }

    /// What can be verified: with roots a surrogate would be a downgrade, without them certificates lead nowhere.
    fn provable(&self) -> AttestationType {
        if self.frame.attestation_root_certificates.is_empty() {
            AttestationType::BasicSurrogate
        } else {
            AttestationType::BasicFull
        }
    }

    /// What the display takes, if there is one.
    fn takes(&self) -> Result<Option<Takes>, StatementError> {
        if self.spelled.tc_display == 0 {
            return Ok(None);
        }
        match self.frame.tc_display_content_type.as_deref() {
            Some("text/plain") => Ok(Some(Takes::Text)),
            Some("image/png") if self.frame.pictures.is_empty() => Err(StatementError::DisplayPictures),
            Some("image/png") => Ok(Some(Takes::Pictures(self.frame.pictures.clone()))),
            _ => Err(StatementError::DisplayContentType),
        }
    }

    fn check(&self) -> Result<(), StatementError> {
        if !self.frame.upv.iter().any(|version| [Version::V1_0, Version::V1_1].contains(version)) {
            return Err(StatementError::Version);
        }
        if self.algorithms.is_empty() {
            return Err(StatementError::Algorithm);
        }
        if !self.key_formats.iter().any(|format| self.algorithms.iter().any(|algorithm| format.fits(*algorithm))) {
            return Err(StatementError::KeyFormat);
        }
        if !self.attestation_types.contains(&self.provable()) {
            return Err(StatementError::AttestationType);
        }
        let methods = &self.spelled.user_verification;
        if methods.is_empty() || methods.iter().any(Vec::is_empty) {
            return Err(StatementError::UserVerification);
        }
        Ok(())
    }
}

/// The values that this server does; of a model that can do more it takes these.
fn served<T: TryFrom<u16>, C: FromIterator<T>>(values: &[u32]) -> C {
    values.iter().filter_map(|value| T::try_from(u16::try_from(*value).ok()?).ok()).collect()
}

/// The methods that are needed together as `userVerification` of a policy is compared with.
fn bits(combination: &[u32]) -> u32 {
    let all = combination.iter().fold(0, |bits, method| bits | method);
    if all.count_ones() > 1 { all | registry::VERIFY_ALL } else { all }
}

fn anchors(certificates: &[String]) -> Result<TrustAnchors, StatementError> {
    let mut roots = TrustAnchors::default();
    for (at, text) in certificates.iter().enumerate() {
        let der = STANDARD.decode(text).map_err(|_| CertificateError::Malformed);
        der.and_then(|der| roots.add(&der)).map_err(|cause| StatementError::Root { at, cause })?;
    }
    Ok(roots)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, StatementError> {
    encoding::parse_file(text).map_err(StatementError::Json)
}

#[cfg(test)]
mod tests;
