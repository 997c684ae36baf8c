//! The secret behind a session cookie.

use sidegate_filters::jws::base64url;
use zeroize::Zeroizing;

use crate::jose::{self, CryptoError};
use crate::store::SessionKey;

/// 256 random bits. Only the client has them; a store sees their SHA-256.
pub(super) struct SessionId(Zeroizing<[u8; 32]>);

impl SessionId {
    pub(super) fn random() -> Result<Self, CryptoError> {
        Ok(Self(Zeroizing::new(jose::random()?)))
    }

    /// Reads a cookie's value; one spelling only for each id.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(base64url::decode(text).ok()?);
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    pub(super) fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(base64url::encode(self.0.as_slice()))
    }

    pub(super) fn key(&self) -> SessionKey {
        SessionKey(jose::sha256(self.0.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_leads_back_and_the_key_is_not_the_id() {
        let id = SessionId::random().unwrap();
        let again = SessionId::parse(&id.text()).unwrap();
        assert_eq!(id.key(), again.key());
        assert_ne!(id.key().0, *id.0);
        assert_ne!(SessionId::random().unwrap().key(), id.key());
    }

    #[test]
    fn other_texts_are_none() {
        let text = base64url::encode([7; 32]);
        for text in ["", "AAAA", &base64url::encode([7; 31]), &base64url::encode([7; 33]), &format!("{text}=")] {
            assert!(SessionId::parse(text).is_none(), "{text}");
        }
    }
}
