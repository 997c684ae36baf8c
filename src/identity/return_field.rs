//! The hidden field of the login form that says what the login is for: sealed, expiring, stored nowhere.

use std::time::Duration;

use sidegate_filters::SessionDomain;
use sidegate_filters::clock::Millis;

use super::goal::Goal;
use super::seal::{Seal, SealError};
use crate::jose::{CryptoError, MacKey};

/// Seals goals of one session domain.
#[derive(Debug, Clone)]
pub struct ReturnSeal {
    seal: Seal,
    domain: SessionDomain,
}

/// The field is not one of ours, or too old.
#[derive(Debug, thiserror::Error)]
pub enum ReturnError {
    /// Changed, made by somebody else, or of another domain.
    #[error("the field `return` was not made by this login form")]
    Forged,
    /// Its time is over.
    #[error("the login form is too old; load it again")]
    Expired,
    /// The tag could not be computed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl From<SealError> for ReturnError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Forged => Self::Forged,
            SealError::Expired => Self::Expired,
            SealError::Crypto(error) => Self::Crypto(error),
        }
    }
}

impl ReturnSeal {
    /// Fields made with `key` for `domain`, good for `lifetime`.
    #[must_use]
    pub fn new(key: MacKey, domain: SessionDomain, lifetime: Duration) -> Self {
        Self { seal: Seal::new(key, "login-return", &[domain.as_str()], lifetime), domain }
    }

    /// The domain whose form it is.
    #[must_use]
    pub fn domain(&self) -> &SessionDomain {
        &self.domain
    }

    /// The field's text for a goal.
    ///
    /// # Errors
    /// When the library fails.
    pub fn seal(&self, goal: &Goal, now: Millis) -> Result<String, CryptoError> {
        self.seal.close(goal.to_string().as_bytes(), now)
    }

    /// The goal that a field names.
    ///
    /// # Errors
    /// When it must not be followed.
    pub fn open(&self, text: &str, now: Millis) -> Result<Goal, ReturnError> {
        let goal = self.seal.open(text, now)?;
        std::str::from_utf8(&goal).ok().and_then(Goal::parse).ok_or(ReturnError::Forged)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sidegate_filters::jws::base64url;
    use zeroize::Zeroizing;

    use super::*;

    const NOW: Millis = Millis(1_000_000);

    fn seal(key: u8, domain: &str) -> ReturnSeal {
        let key = MacKey::new(&Zeroizing::new([key; 32])).unwrap();
        ReturnSeal::new(key, SessionDomain::parse(domain).unwrap(), Duration::from_secs(60))
    }

    fn field(target: &str) -> String {
        seal(1, "main").seal(&Goal::parse(target).unwrap(), NOW).unwrap()
    }

    #[test]
    fn a_target_comes_back_until_it_expires() {
        let field = field("/app?a=b");
        let seal = seal(1, "main");
        assert_eq!(seal.open(&field, Millis(NOW.0 + 59_999)).unwrap().target.as_str(), "/app?a=b");
        assert!(matches!(seal.open(&field, Millis(NOW.0 + 60_000)), Err(ReturnError::Expired)));
    }

    #[test]
    fn another_key_or_domain_is_a_forgery() {
        let field = field("/app");
        assert!(matches!(seal(2, "main").open(&field, NOW), Err(ReturnError::Forged)));
        assert!(matches!(seal(1, "other").open(&field, NOW), Err(ReturnError::Forged)));
    }

    #[test]
    fn a_tag_over_the_content_alone_is_a_forgery() {
        let key = MacKey::new(&Zeroizing::new([1; 32])).unwrap();
        let mut content = Millis(i64::MAX).0.to_be_bytes().to_vec();
        content.extend_from_slice(b"/app");
        let tag = key.tag(&content).unwrap();
        content.extend_from_slice(&tag);
        assert!(matches!(seal(1, "main").open(&base64url::encode(content), NOW), Err(ReturnError::Forged)));
    }

    proptest! {
        #[test]
        fn any_change_is_a_forgery(position in 0usize..59, change in 1u8..=255) {
            let mut bytes = base64url::decode(field("/app?q=1234567890")).unwrap();
            prop_assume!(position < bytes.len());
            bytes[position] ^= change;
            prop_assert!(matches!(seal(1, "main").open(&base64url::encode(bytes), NOW), Err(ReturnError::Forged)));
        }

        #[test]
        fn any_text_is_looked_at_without_harm(text in ".{0,120}") {
            prop_assert!(seal(1, "main").open(&text, NOW).is_err());
        }
    }
}
