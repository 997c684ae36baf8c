//! The protected header of a JWS.

use serde_json::{Map, Value};

use super::JwsError;

/// Members that bring their own key or change how the message is read. None of them is ever needed here.
const REFUSED: [&str; 6] = ["crit", "jwk", "jku", "x5c", "x5u", "b64"];

/// The members that anyone here looks at. Nothing in it may be believed before the signature is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    alg: Option<String>,
    kid: Option<String>,
    typ: Option<String>,
    refused: Option<&'static str>,
}

impl Header {
    pub(super) fn from_members(members: &Map<String, Value>) -> Result<Self, JwsError> {
        let text = |name: &'static str| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(JwsError::HeaderMember(name)),
        };
        Ok(Self {
            alg: text("alg")?,
            kid: text("kid")?,
            typ: text("typ")?,
            refused: REFUSED.into_iter().find(|name| members.contains_key(*name)),
        })
    }

    /// The algorithm's name, unchecked.
    pub(super) fn alg(&self) -> Option<&str> {
        self.alg.as_deref()
    }

    /// Which key the sender says it used (RFC 7515, section 4.1.4).
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The media type of the whole (RFC 7515, section 4.1.9).
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// The first member there that is refused, if any.
    pub(super) fn refused(&self) -> Option<&'static str> {
        self.refused
    }
}
