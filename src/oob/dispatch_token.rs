//! The dispatch token: a random UUID that is shown once and stored nowhere (`http-api.md` 0.5).

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::jose::{CryptoError, MacKey};
use crate::store::OperationId;

/// A token: whoever has it can redeem it, so it does not print and is wiped.
#[derive(Clone, PartialEq, Eq)]
pub struct DispatchToken(Zeroizing<[u8; 16]>);

impl DispatchToken {
    /// A new one (UUID v4 from the operating system's generator).
    #[must_use]
    pub fn random() -> Self {
        Self(Zeroizing::new(Uuid::new_v4().into_bytes()))
    }

    /// Reads what a client sent; any other text is no token of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let uuid = Uuid::try_parse(text).ok()?;
        Some(Self(Zeroizing::new(uuid.into_bytes())))
    }

    /// The text, for the phone and for whoever asked for it.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(self.uuid().to_string())
    }

    fn uuid(&self) -> Uuid {
        Uuid::from_bytes(*self.0)
    }
}

impl std::fmt::Debug for DispatchToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DispatchToken(…)")
    }
}

/// The key that leads from a token to its operation.
#[derive(Debug, Clone)]
pub struct TokenKey(MacKey);

impl TokenKey {
    /// A key used for nothing else but to make [`OperationId::log_key`] of it, whose label is longer than any token.
    #[must_use]
    pub fn new(key: MacKey) -> Self {
        Self(key)
    }

    /// The operation of a token, whether there is one or not.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn operation(&self, token: &DispatchToken) -> Result<OperationId, CryptoError> {
        OperationId::of_token(&self.0, token.uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_only_where_asked() {
        let token = DispatchToken::random();
        let text = token.expose();
        assert!(!format!("{token:?}").contains(text.get(..8).unwrap()));
        assert_eq!(DispatchToken::parse(&text), Some(token));
        assert_eq!(DispatchToken::parse("no token"), None);
    }

    #[test]
    fn another_key_leads_elsewhere() {
        let key = |byte| TokenKey::new(MacKey::new(&Zeroizing::new([byte; 32])).unwrap());
        let token = DispatchToken::random();
        assert_eq!(key(1).operation(&token).unwrap(), key(1).operation(&token).unwrap());
        assert_ne!(key(1).operation(&token).unwrap(), key(2).operation(&token).unwrap());
        assert_ne!(key(1).operation(&token).unwrap().to_string(), *token.expose());
    }
}
