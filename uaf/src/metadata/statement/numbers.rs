//! How statements of version 2 and before write properties: as numbers.

use serde::{Deserialize, Deserializer};

use super::{Spelled, StatementError};
use crate::encoding::read_as_dictionary;
use crate::registry;
use crate::wire::UAFV1TLV;

read_as_dictionary!(Raw, Method);

#[derive(Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
struct Raw {
    assertion_scheme: String,
    authentication_algorithm: u32,
    #[serde(default)]
    authentication_algorithms: Vec<u32>,
    public_key_alg_and_encoding: u32,
    #[serde(default)]
    public_key_alg_and_encodings: Vec<u32>,
    attestation_types: Vec<u32>,
    user_verification_details: Vec<Vec<Method>>,
    key_protection: u32,
    matcher_protection: u32,
    attachment_hint: u32,
    tc_display: u32,
    #[serde(deserialize_with = "flag")]
    is_second_factor_only: bool,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
struct Method {
    user_verification: u32,
}

/// The protocol's own sample writes the flag as a string.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Boolean(bool),
        Text(String),
    }
    match Flag::deserialize(deserializer)? {
        Flag::Boolean(flag) => Ok(flag),
        Flag::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

pub(super) fn read(text: &str) -> Result<Spelled, StatementError> {
    let raw: Raw = super::read(text)?;
    if raw.assertion_scheme != UAFV1TLV {
        return Err(StatementError::NotUaf { member: "assertionScheme", right: "UAFV1TLV" });
    }
    // Before they join the others, under whose name they are looked at later.
    registry::ALGORITHMS.written("authenticationAlgorithm").check(raw.authentication_algorithm)?;
    registry::KEY_FORMATS.written("publicKeyAlgAndEncoding").check(raw.public_key_alg_and_encoding)?;
    let methods = raw.user_verification_details.iter();
    Ok(Spelled {
        algorithms: [vec![raw.authentication_algorithm], raw.authentication_algorithms].concat(),
        key_formats: [vec![raw.public_key_alg_and_encoding], raw.public_key_alg_and_encodings].concat(),
        attestation_types: raw.attestation_types,
        user_verification: methods.map(|list| list.iter().map(|method| method.user_verification).collect()).collect(),
        key_protection: raw.key_protection,
        matcher_protection: raw.matcher_protection,
        attachment_hint: Some(raw.attachment_hint),
        tc_display: raw.tc_display,
        second_factor_only: raw.is_second_factor_only,
    })
}
