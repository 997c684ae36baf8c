//! The envelopes of the HTTP transport specific API (UAF application API 1.1, section 4).

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

use super::{Operation, Response};
use crate::encoding::dictionary;
use crate::error::StatusCode;

dictionary!(GetUafRequest, ReturnUafRequest, SendUafResponse, Reply, ServerResponse, Token);

/// Asks a server for a UAF request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
pub struct GetUafRequest {
    /// What for; may be left out when the address says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<Operation>,
    /// The request before, if it expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_request: Option<String>,
    /// The application's own content: a string holding JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

/// The answer to [`GetUafRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
pub struct ReturnUafRequest {
    /// The result, in an HTTP 200.
    pub status_code: StatusCode,
    /// The protocol message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uaf_request: Option<String>,
    /// What the message is; may differ from what was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<Operation>,
    /// A hint to the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_millis: Option<u64>,
}

/// Brings the client's answer to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
pub struct SendUafResponse {
    /// The protocol message.
    pub uaf_response: String,
    /// The application's own content: a string holding JSON, see [`Reply`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

impl SendUafResponse {
    /// Packs an answer, with a context if there is something to say.
    #[must_use]
    pub fn new(response: &Response, reply: &Reply) -> Self {
        Self::of_message(response.to_message(), reply)
    }

    /// The same of an answer that is text already, right or wrong.
    #[must_use]
    pub fn of_message(uaf_response: String, reply: &Reply) -> Self {
        let said = *reply != Reply::default();
        // A `Reply` is numbers and strings, which always have a JSON form.
        let context = said.then(|| serde_json::to_string(reply).unwrap_or_default());
        Self { uaf_response, context }
    }
}

/// What the context of a [`SendUafResponse`] may say: FIDO leaves its members open, and these are those that clients of nevisFIDO send.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase", default)]
pub struct Reply {
    /// Why the authenticator did not answer (`UAF_ASM_STATUS_*`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asm_status_code: Option<u16>,
    /// Why the client did not answer (`ErrorCode` of the client API).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_error_code: Option<u16>,
    /// The app's name for the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// The user's name for the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
}

/// The answer to [`SendUafResponse`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
pub struct ServerResponse {
    /// The result, in an HTTP 200.
    pub status_code: StatusCode,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Proofs of the login, handled before `location`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_tokens: Vec<Token>,
    /// Where to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What to post there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_data: Option<String>,
    /// A further request to serve.
    #[serde(rename = "newUAFRequest", default, skip_serializing_if = "Option::is_none")]
    pub new_uaf_request: Option<String>,
}

impl ServerResponse {
    /// An answer that is only a result.
    #[must_use]
    pub fn of(status_code: StatusCode) -> Self {
        Self {
            status_code,
            description: None,
            additional_tokens: Vec::new(),
            location: None,
            post_data: None,
            new_uaf_request: None,
        }
    }
}

/// A proof of the login. It does not print and is wiped when dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Token {
    /// What the value is.
    #[serde(rename = "type")]
    pub token_type: TokenType,
    /// The proof.
    pub value: String,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("token_type", &self.token_type).finish_non_exhaustive()
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

/// Kinds of proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    /// A cookie line.
    #[serde(rename = "HTTP_COOKIE")]
    HttpCookie,
    /// OAuth 1.
    #[serde(rename = "OAUTH")]
    OAuth,
    /// OAuth 2.
    #[serde(rename = "OAUTH2")]
    OAuth2,
    /// SAML 1.1.
    #[serde(rename = "SAML1_1")]
    Saml1,
    /// SAML 2.
    #[serde(rename = "SAML2")]
    Saml2,
    /// JSON web token.
    #[serde(rename = "JWT")]
    Jwt,
    /// OpenID Connect.
    #[serde(rename = "OPENID_CONNECT")]
    OpenIdConnect,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_does_not_print() {
        let token = Token { token_type: TokenType::Jwt, value: "eyJ-proof".to_owned() };
        let answer = ServerResponse { additional_tokens: vec![token], ..ServerResponse::of(StatusCode::OK) };
        let printed = format!("{answer:?} {answer:#?}");
        assert!(printed.contains("Jwt") && !printed.contains("proof"), "{printed}");
        assert!(serde_json::to_string(&answer).unwrap().contains("eyJ-proof"));
    }
}
