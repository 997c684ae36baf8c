//! Statements of version 2 and before: registry values as numbers.

use serde::{Deserialize, Deserializer};

use super::{Said, StatementError};
use crate::aaid::Aaid;
use crate::encoding::{self, read_as_dictionary};
use crate::wire::{UAFV1TLV, Version};

read_as_dictionary!(Raw, Method);

#[derive(Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
struct Raw {
    aaid: Aaid,
    authenticator_version: u16,
    upv: Vec<Version>,
    assertion_scheme: String,
    authentication_algorithm: u16,
    #[serde(default)]
    authentication_algorithms: Vec<u16>,
    public_key_alg_and_encoding: u16,
    #[serde(default)]
    public_key_alg_and_encodings: Vec<u16>,
    attestation_types: Vec<u16>,
    user_verification_details: Vec<Vec<Method>>,
    key_protection: u16,
    matcher_protection: u16,
    attachment_hint: u32,
    tc_display: u16,
    tc_display_content_type: Option<String>,
    attestation_root_certificates: Vec<String>,
    #[serde(deserialize_with = "flag")]
    is_second_factor_only: bool,
    #[serde(default = "yes")]
    is_key_restricted: bool,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
struct Method {
    user_verification: u32,
}

const fn yes() -> bool {
    true
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

pub(super) fn read(text: &str) -> Result<Said, StatementError> {
    let raw: Raw = encoding::parse(text)?;
    if raw.assertion_scheme != UAFV1TLV {
        return Err(StatementError::NotUaf("assertionScheme"));
    }
    Ok(Said {
        aaid: raw.aaid,
        authenticator_version: raw.authenticator_version,
        upv: raw.upv,
        algorithms: served([raw.authentication_algorithm], raw.authentication_algorithms),
        key_formats: served([raw.public_key_alg_and_encoding], raw.public_key_alg_and_encodings),
        attestation_types: served([], raw.attestation_types),
        user_verification: raw
            .user_verification_details
            .iter()
            .map(|combination| combination.iter().map(|method| method.user_verification).collect())
            .collect(),
        key_protection: raw.key_protection,
        matcher_protection: raw.matcher_protection,
        attachment_hint: Some(raw.attachment_hint),
        tc_display: raw.tc_display,
        tc_display_content_type: raw.tc_display_content_type,
        roots: raw.attestation_root_certificates,
        second_factor_only: raw.is_second_factor_only,
        key_restricted: raw.is_key_restricted,
    })
}

/// The values that this server does; of a model that can do more it takes these.
fn served<T, const N: usize, C>(first: [u16; N], others: Vec<u16>) -> C
where
    T: TryFrom<u16>,
    C: FromIterator<T>,
{
    first.into_iter().chain(others).filter_map(|value| T::try_from(value).ok()).collect()
}
