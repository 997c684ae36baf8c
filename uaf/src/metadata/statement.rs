//! Metadata statements, versions 2 and 3 (FIDO metadata statements 1.1 to 3.0): the members that this server uses, in
//! one form. Members that it does not use are passed over; one that it uses is of its type or the statement is refused.

mod numbers;
mod words;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::Model;
use crate::aaid::Aaid;
use crate::algorithm::{Algorithm, AttestationType, KeyFormat};
use crate::crypto::{CertificateError, TrustAnchors};
use crate::encoding::{self, JsonError, read_as_dictionary};
use crate::wire::Version;

read_as_dictionary!(Schema);

/// Set where all methods of a combination are needed together.
const VERIFY_ALL: u32 = 0x400;

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
    #[error("not for UAF: {0}")]
    NotUaf(&'static str),
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
    /// A word that the registry does not have.
    #[error("{member}: unknown word {word}")]
    Word {
        /// The member.
        member: &'static str,
        /// What it says.
        word: String,
    },
    /// A root certificate cannot be read.
    #[error("attestationRootCertificates[{at}]: {cause}")]
    Root {
        /// Which one, counted from 0.
        at: usize,
        /// What is wrong with it.
        cause: CertificateError,
    },
    /// A display says no media type.
    #[error("tcDisplayContentType is missing beside a tcDisplay")]
    DisplayContentType,
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
struct Schema {
    schema: Option<u16>,
}

/// What a statement of either version says.
struct Said {
    aaid: Aaid,
    authenticator_version: u16,
    upv: Vec<Version>,
    algorithms: BTreeSet<Algorithm>,
    key_formats: BTreeSet<KeyFormat>,
    attestation_types: BTreeSet<AttestationType>,
    user_verification: Vec<Vec<u32>>,
    key_protection: u16,
    matcher_protection: u16,
    attachment_hint: Option<u32>,
    tc_display: u16,
    tc_display_content_type: Option<String>,
    roots: Vec<String>,
    second_factor_only: bool,
    key_restricted: bool,
}

impl Statement {
    /// Reads a statement.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        let schema: Schema = encoding::parse(text)?;
        let said = match schema.schema {
            None | Some(2) => numbers::read(text)?,
            Some(3) => words::read(text)?,
            Some(other) => return Err(StatementError::Schema(other)),
        };
        Ok(Self { aaid: said.aaid, model: said.into_model()? })
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

impl Said {
    fn into_model(self) -> Result<Model, StatementError> {
        self.check()?;
        let attestation = self.provable();
        let methods = self.user_verification.iter();
        Ok(Model {
            algorithms: self.algorithms,
            key_formats: Some(self.key_formats),
            attestation,
            roots: anchors(&self.roots)?,
            lowest_version: self.authenticator_version,
            upv: Some(self.upv),
            user_verification: Some(methods.map(|combination| bits(combination)).collect()),
            key_protection: Some(self.key_protection),
            matcher_protection: Some(self.matcher_protection),
            attachment_hint: self.attachment_hint,
            tc_display: Some(self.tc_display),
            second_factor_only: self.second_factor_only,
            key_restricted: self.key_restricted,
        })
    }

    /// What can be verified: with roots a surrogate would be a downgrade, without them certificates lead nowhere.
    const fn provable(&self) -> AttestationType {
        if self.roots.is_empty() { AttestationType::BasicSurrogate } else { AttestationType::BasicFull }
    }

    fn check(&self) -> Result<(), StatementError> {
        if !self.upv.iter().any(|version| [Version::V1_0, Version::V1_1].contains(version)) {
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
        if self.tc_display != 0 && self.tc_display_content_type.is_none() {
            return Err(StatementError::DisplayContentType);
        }
        Ok(())
    }
}

/// The methods that are needed together as `userVerification` of a policy is compared with.
fn bits(combination: &[u32]) -> u32 {
    let all = combination.iter().fold(0, |bits, method| bits | method);
    if combination.len() > 1 { all | VERIFY_ALL } else { all }
}

fn anchors(certificates: &[String]) -> Result<TrustAnchors, StatementError> {
    let mut roots = TrustAnchors::default();
    for (at, text) in certificates.iter().enumerate() {
        let der = STANDARD.decode(text).map_err(|_| CertificateError::Malformed);
        der.and_then(|der| roots.add(&der)).map_err(|cause| StatementError::Root { at, cause })?;
    }
    Ok(roots)
}

impl From<JsonError> for StatementError {
    fn from(fault: JsonError) -> Self {
        Self::Json(fault.to_string())
    }
}

#[cfg(test)]
mod tests;
