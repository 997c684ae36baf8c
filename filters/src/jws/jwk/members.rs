//! Members of a JWK, one by one.

use serde_json::{Map, Value};

use super::{JwkError, KeyKind, Purpose};
use crate::jws::base64url;

/// Members of private (RFC 7518, 6.2.2 and 6.3.2) and secret keys (6.4.1).
pub(super) const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

pub(super) fn optional_text(members: &Map<String, Value>, name: &'static str) -> Result<Option<String>, JwkError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JwkError::Type(name)),
    }
}

pub(super) fn text<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, JwkError> {
    members.get(name).ok_or(JwkError::Missing(name))?.as_str().ok_or(JwkError::Type(name))
}

pub(super) fn optional_texts(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<Vec<String>>, JwkError> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let list = value.as_array().ok_or(JwkError::Type(name))?;
    list.iter()
        .map(|item| item.as_str().map(str::to_owned).ok_or(JwkError::Type(name)))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// A positive number in as few octets as possible (RFC 7518, section 2, `Base64urlUInt`).
pub(super) fn number(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, JwkError> {
    let bytes = base64url::decode(text(members, name)?).map_err(|_| JwkError::Encoding(name))?;
    match bytes.first() {
        None | Some(0) => Err(JwkError::Encoding(name)),
        Some(_) => Ok(bytes),
    }
}

/// Octets of a fixed count, leading zeros kept (RFC 7518, 6.2.1.2; RFC 8037, section 2).
pub(super) fn octets(members: &Map<String, Value>, name: &'static str, len: usize) -> Result<Vec<u8>, JwkError> {
    let bytes = base64url::decode(text(members, name)?).map_err(|_| JwkError::Encoding(name))?;
    if bytes.len() == len { Ok(bytes) } else { Err(JwkError::Encoding(name)) }
}

/// The most that `key_ops` of a key may list: twice what is defined (RFC 7517, section 8.3.2).
const OPERATIONS: usize = 16;

/// Whether `key_ops` (RFC 7517, section 4.3) has what the purpose needs, and nothing twice.
pub(super) fn operations_fit(operations: &[String], kind: KeyKind, purpose: Purpose) -> bool {
    if operations.len() > OPERATIONS {
        return false;
    }
    let twice = operations.iter().enumerate().any(|(index, name)| operations.iter().skip(index + 1).any(|o| o == name));
    let wanted: &[&str] = match (purpose, kind) {
        (Purpose::Signature, _) => &["verify"],
        (Purpose::Encryption, KeyKind::Rsa) => &["encrypt", "wrapKey"],
        // The Web Cryptography API exports the public half of an ECDH key with an empty list.
        (Purpose::Encryption, _) if operations.is_empty() => return true,
        (Purpose::Encryption, _) => &["deriveKey", "deriveBits"],
    };
    !twice && operations.iter().any(|name| wanted.contains(&name.as_str()))
}
