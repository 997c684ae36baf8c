//! What the browser's cookie says.

use sidegate_filters::clock::Millis;
use zeroize::Zeroizing;

use super::Seal;
use crate::identity::goal::Goal;
use crate::jose::CryptoError;

/// The length of a token's text.
const TOKEN: usize = 36;

/// A login that a browser asked for. Whoever has the token can't make the cookie of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    /// The text of the token: the way to the operation, and to its link, which is stored nowhere.
    pub token: Zeroizing<String>,
    /// What the login is for.
    pub goal: Goal,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked(…)")
    }
}

impl Asked {
    pub(super) fn seal(&self, seal: &Seal, now: Millis) -> Result<String, CryptoError> {
        let content = Zeroizing::new(format!("{}{}", self.token.as_str(), self.goal));
        seal.close(content.as_bytes(), now)
    }

    pub(super) fn open(seal: &Seal, cookie: &str, now: Millis) -> Option<Self> {
        let content = Zeroizing::new(seal.open(cookie, now).ok()?);
        let (token, goal) = std::str::from_utf8(&content).ok()?.split_at_checked(TOKEN)?;
        Some(Self { token: Zeroizing::new(token.to_owned()), goal: Goal::parse(goal)? })
    }
}
