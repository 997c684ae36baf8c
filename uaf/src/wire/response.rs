//! The answers of a client: `RegistrationResponse` and `AuthenticationResponse` (UAF protocol 1.1, sections 3.4.3 and
//! 3.5.7), which have one shape, and `FinalChallengeParams` (3.1.6).

use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Challenge, Extension, FacetId, OperationHeader, PngCharacteristics, kinds, message, non_empty};
use crate::encoding::{Text, decode_padded, encode};
use crate::encoding::{dictionary, read_as_dictionary};

read_as_dictionary!(IncompleteParams);
dictionary!(Response, AuthenticatorAssertion, FinalChallengeParams, ChannelBinding);

/// A client's answer to a registration or an authentication request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Response {
    /// Copy of the request's head.
    pub header: OperationHeader,
    /// Base64url of [`FinalChallengeParams`]; this very text is what the authenticator hashed.
    #[serde(rename = "fcParams")]
    pub fc_params: String,
    /// The authenticators' answers. None at all is a denial ([`crate::Denial`]).
    #[serde(default)]
    pub assertions: Vec<AuthenticatorAssertion>,
}

impl Response {
    /// The protocol message: a JSON array with this one dictionary.
    #[must_use]
    pub fn to_message(&self) -> String {
        message(self)
    }
}

/// One authenticator's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
pub struct AuthenticatorAssertion {
    /// How the assertion is encoded; [`super::UAFV1TLV`].
    pub assertion_scheme: Text<1, 64>,
    /// The assertion itself.
    pub assertion: AssertionBytes,
    /// In registrations of authenticators with a display for pictures.
    #[serde(
        rename = "tcDisplayPNGCharacteristics",
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "kinds"
    )]
    pub png_characteristics: Vec<PngCharacteristics>,
    /// Extensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "non_empty")]
    pub exts: Vec<Extension>,
}

/// 1 to 4096 bytes. Unlike other base64url it may bear padding, as some authenticators write it.
#[derive(Clone, PartialEq, Eq)]
pub struct AssertionBytes(Vec<u8>);

impl AssertionBytes {
    /// The most bytes that an assertion may have.
    pub const MAX: usize = 4096;

    /// The bytes as they are; the limits are checked when reading.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for AssertionBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssertionBytes({} bytes)", self.0.len())
    }
}

impl Serialize for AssertionBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for AssertionBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Base64Url;
        impl Visitor<'_> for Base64Url {
            type Value = AssertionBytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64url text")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<AssertionBytes, E> {
                let bytes = decode_padded(text).map_err(E::custom)?;
                if bytes.is_empty() || bytes.len() > AssertionBytes::MAX {
                    return Err(E::custom("length out of range"));
                }
                Ok(AssertionBytes(bytes))
            }
        }
        deserializer.deserialize_str(Base64Url)
    }
}

/// What the client adds to the challenge before the authenticator hashes it all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
pub struct FinalChallengeParams {
    /// The application.
    #[serde(rename = "appID")]
    pub app_id: Text<1, 512>,
    /// The server's nonce.
    pub challenge: Challenge,
    /// The calling app or origin, a [`FacetId`]; empty only in [`super::Versions::From1_0Incomplete`].
    #[serde(rename = "facetID", deserialize_with = "named")]
    pub facet_id: Text<0, 512>,
    /// The TLS channel as the client saw it.
    pub channel_binding: ChannelBinding,
}

fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text<0, 512>, D::Error> {
    let facet = FacetId::deserialize(deserializer)?;
    Text::new(facet.as_str()).map_err(serde::de::Error::custom)
}

/// [`FinalChallengeParams`] of clients that leave something out.
#[derive(Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
pub(crate) struct IncompleteParams {
    #[serde(rename = "appID")]
    app_id: Text<1, 512>,
    challenge: Challenge,
    #[serde(rename = "facetID")]
    facet_id: Text<0, 512>,
    #[serde(default)]
    channel_binding: ChannelBinding,
}

impl From<IncompleteParams> for FinalChallengeParams {
    fn from(params: IncompleteParams) -> Self {
        let IncompleteParams { app_id, challenge, facet_id, channel_binding } = params;
        Self { app_id, challenge, facet_id, channel_binding }
    }
}

/// The TLS channel as the client saw it; every member may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase", default)]
pub struct ChannelBinding {
    /// Hash of the server's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_end_point: Option<Text<1, 1024>>,
    /// The server's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_server_certificate: Option<Text<1, 16384>>,
    /// The channel's Finished message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_unique: Option<Text<1, 1024>>,
    /// The client's channel key, or `unused`.
    #[serde(rename = "cid_pubkey", skip_serializing_if = "Option::is_none")]
    pub cid_pubkey: Option<Text<1, 1024>>,
}
