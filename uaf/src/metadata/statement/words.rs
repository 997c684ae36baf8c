//! How statements of version 3 write properties: as words, and bits as lists of words.

use serde::Deserialize;

use super::{Spelled, StatementError};
use crate::encoding::read_as_dictionary;
use crate::registry::{self, NotRegistered, Registry};

read_as_dictionary!(Raw, Method);

#[derive(Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
struct Raw {
    protocol_family: String,
    authentication_algorithms: Vec<String>,
    public_key_alg_and_encodings: Vec<String>,
    attestation_types: Vec<String>,
    user_verification_details: Vec<Vec<Method>>,
    key_protection: Vec<String>,
    matcher_protection: Vec<String>,
    attachment_hint: Option<Vec<String>>,
    tc_display: Vec<String>,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
struct Method {
    user_verification_method: String,
}

pub(super) fn read(text: &str) -> Result<Spelled, StatementError> {
    let raw: Raw = super::read(text)?;
    if raw.protocol_family != "uaf" {
        return Err(StatementError::NotUaf { member: "protocolFamily", right: "uaf" });
    }
    let method = |method: &Method| registry::METHOD.value(&method.user_verification_method);
    let methods = raw.user_verification_details.iter().map(|list| list.iter().map(method).collect());
    Ok(Spelled {
        algorithms: values(&raw.authentication_algorithms, registry::ALGORITHMS)?,
        key_formats: values(&raw.public_key_alg_and_encodings, registry::KEY_FORMATS)?,
        attestation_types: values(&raw.attestation_types, registry::ATTESTATION_TYPES)?,
        user_verification: methods.collect::<Result<_, _>>()?,
        key_protection: registry::KEY_PROTECTION.bits(&raw.key_protection)?,
        matcher_protection: registry::MATCHER_PROTECTION.bits(&raw.matcher_protection)?,
        attachment_hint: raw.attachment_hint.map(|words| registry::ATTACHMENT_HINT.bits(&words)).transpose()?,
        tc_display: registry::TC_DISPLAY.bits(&raw.tc_display)?,
        // Version 3 does not say it any more.
        second_factor_only: false,
    })
}

fn values(words: &[String], of: Registry) -> Result<Vec<u32>, NotRegistered> {
    words.iter().map(|word| of.value(word)).collect()
}
