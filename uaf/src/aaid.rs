//! Names of authenticator models (AAID) and of the keys they made (keyID).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::encoding::Octets;

/// An authenticator attestation id, `V#M`: four hexadecimal digits for the vendor, four for the model. Case does not
/// matter, so it is kept in upper case (UAF protocol 1.1, section 3.1.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Aaid([u8; 9]);

/// The text is not four hexadecimal digits, `#`, four hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an AAID")]
pub struct AaidError;

impl Aaid {
    /// Reads the nine ASCII bytes of the AAID element.
    ///
    /// # Errors
    /// [`AaidError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AaidError> {
        let mut aaid: [u8; 9] = bytes.try_into().map_err(|_| AaidError)?;
        aaid.make_ascii_uppercase();
        let right = |(at, byte): (usize, &u8)| {
            if at == 4 { *byte == b'#' } else { byte.is_ascii_hexdigit() }
        };
        if aaid.iter().enumerate().all(right) { Ok(Self(aaid)) } else { Err(AaidError) }
    }

    /// The text, in upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Nine ASCII characters by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The vendor's four digits.
    #[must_use]
    pub fn vendor(&self) -> &str {
        self.as_str().get(..4).unwrap_or_default()
    }
}

impl FromStr for Aaid {
    type Err = AaidError;

    fn from_str(text: &str) -> Result<Self, AaidError> {
        Self::from_bytes(text.as_bytes())
    }
}

impl TryFrom<String> for Aaid {
    type Error = AaidError;

    fn try_from(text: String) -> Result<Self, AaidError> {
        text.parse()
    }
}

impl From<Aaid> for String {
    fn from(aaid: Aaid) -> Self {
        aaid.as_str().to_owned()
    }
}

impl fmt::Display for Aaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Aaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an authenticator calls a key: 32 to 2048 bytes. It may hold the wrapped key itself.
pub type KeyId = Octets<32, 2048>;

/// One key of one model: what a server stores credentials under.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyRef {
    /// The model.
    pub aaid: Aaid,
    /// The key.
    pub key_id: KeyId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aaid_has_one_form_whatever_its_case() {
        let aaid: Aaid = "ab0F#09cd".parse().unwrap();
        assert_eq!(aaid.as_str(), "AB0F#09CD");
        assert_eq!(aaid.vendor(), "AB0F");
        assert_eq!(aaid, "AB0F#09CD".parse().unwrap());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "AB0F#09C", "AB0F#09CDE", "AB0F-09CD", "AB0G#09CD", "#AB0F09CD", "ÄB0#09CD"] {
            assert_eq!(text.parse::<Aaid>(), Err(AaidError), "{text}");
        }
    }
}
