//! Metadata statements, version 2 (FIDO metadata statements 1.1, section 3): the members that this server uses.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Model;
use crate::aaid::Aaid;
use crate::algorithm::{Algorithm, AttestationType};
use crate::encoding;
use crate::encoding::read_as_dictionary;
use crate::wire::UAFV1TLV;

read_as_dictionary!(Raw, Method);

/// A statement cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Not the JSON of a statement; says where.
    #[error("statement: {0}")]
    Json(String),
    /// The model speaks another assertion scheme.
    #[error("assertion scheme is not UAFV1TLV")]
    Scheme,
    /// The model signs with an algorithm that is not served.
    #[error("unsupported authenticationAlgorithm {0:#06x}")]
    Algorithm(u16),
    /// None of the attestation types is known.
    #[error("no known attestation type")]
    AttestationType,
}

/// One statement, found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    aaid: Aaid,
    model: Model,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
struct Raw {
    aaid: Aaid,
    authenticator_version: u16,
    assertion_scheme: String,
    authentication_algorithm: u16,
    attestation_types: Vec<u16>,
    user_verification_details: Vec<Vec<Method>>,
    key_protection: u16,
    matcher_protection: u16,
    attachment_hint: u32,
    tc_display: u16,
    attestation_root_certificates: Vec<String>,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
struct Method {
    user_verification: u32,
}

impl Statement {
    /// Reads a statement.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        let raw: Raw = encoding::parse(text).map_err(|fault| StatementError::Json(fault.to_string()))?;
        if raw.assertion_scheme != UAFV1TLV {
            return Err(StatementError::Scheme);
        }
        let algorithm = Algorithm::try_from(raw.authentication_algorithm)
            .map_err(|unsupported| StatementError::Algorithm(unsupported.0))?;
        let attestation_types = raw.usable_attestation_types();
        if attestation_types.is_empty() {
            return Err(StatementError::AttestationType);
        }
        let methods = raw.user_verification_details.iter();
        let model = Model {
            algorithms: BTreeSet::from([algorithm]),
            attestation_types,
            lowest_version: raw.authenticator_version,
            user_verification: Some(
                methods.map(|all| all.iter().fold(0, |bits, m| bits | m.user_verification)).collect(),
            ),
            key_protection: Some(raw.key_protection),
            matcher_protection: Some(raw.matcher_protection),
            attachment_hint: Some(raw.attachment_hint),
            tc_display: Some(raw.tc_display),
        };
        Ok(Self { aaid: raw.aaid, model })
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

impl Raw {
    /// Surrogate attestation is for models without roots: with roots it would be a downgrade (uaf.md A7, 8).
    fn usable_attestation_types(&self) -> BTreeSet<AttestationType> {
        let rooted = !self.attestation_root_certificates.is_empty();
        let known = self.attestation_types.iter().filter_map(|value| AttestationType::try_from(*value).ok());
        known.filter(|kind| *kind != AttestationType::BasicSurrogate || !rooted).collect()
    }
}

#[cfg(test)]
mod tests;
