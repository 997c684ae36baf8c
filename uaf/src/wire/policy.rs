//! `Policy` and `MatchCriteria` (UAF protocol 1.1, sections 3.1.13 and 3.1.12).

use serde::{Deserialize, Serialize};

use super::{Extension, non_empty};
use crate::aaid::{Aaid, KeyId};
use crate::encoding::Text;
use crate::encoding::dictionary;

dictionary!(Policy, MatchCriteria);

/// Which authenticators may answer, as a request says it: not checked, unlike [`crate::policy::Policy`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Policy {
    /// Alternatives in order of preference; all criteria of one must be met together.
    #[serde(deserialize_with = "non_empty")]
    pub accepted: Vec<Vec<MatchCriteria>>,
    /// What is refused in any case.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "non_empty")]
    pub disallowed: Vec<MatchCriteria>,
}

/// Properties that an authenticator has to have; what is absent does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase", default)]
pub struct MatchCriteria {
    /// One of these models.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "non_empty")]
    pub aaid: Vec<Aaid>,
    /// A model of one of these vendors (first four characters of the AAID).
    #[serde(rename = "vendorID", skip_serializing_if = "Vec::is_empty", deserialize_with = "non_empty")]
    pub vendor_id: Vec<Text<4, 4>>,
    /// One of these keys.
    #[serde(rename = "keyIDs", skip_serializing_if = "Vec::is_empty", deserialize_with = "non_empty")]
    pub key_ids: Vec<KeyId>,
    /// Bits `USER_VERIFY_*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_verification: Option<u32>,
    /// Bits `KEY_PROTECTION_*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_protection: Option<u16>,
    /// Bits `MATCHER_PROTECTION_*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matcher_protection: Option<u16>,
    /// Bits `ATTACHMENT_HINT_*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment_hint: Option<u32>,
    /// Bits `TRANSACTION_CONFIRMATION_DISPLAY_*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tc_display: Option<u16>,
    /// One of these signature algorithms, registry values.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "non_empty")]
    pub authentication_algorithms: Vec<u16>,
    /// One of these assertion schemes.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "non_empty")]
    pub assertion_schemes: Vec<String>,
    /// One of these attestation types, most preferred first.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "non_empty")]
    pub attestation_types: Vec<u16>,
    /// At least this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticator_version: Option<u16>,
    /// Extensions.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "non_empty")]
    pub exts: Vec<Extension>,
}
