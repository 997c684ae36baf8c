//! SecTokens in memory.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;

use super::Full;
use crate::delegation::{SecToken, SecTokens};
use crate::filter::FilterError;
use crate::identity::AuthenticatedSession;

/// A bounded map from a session and an audience to a token that somebody else signed for them, and renews in time.
pub struct MemorySecTokens {
    tokens: RwLock<HashMap<(String, String), SecToken>>,
    capacity: usize,
}

impl MemorySecTokens {
    /// An empty map for at most `capacity` tokens.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { tokens: RwLock::default(), capacity }
    }

    /// Keeps the token of a session, by its `sid`, for an audience, in place of the one that was there.
    ///
    /// # Errors
    /// When there was none and there is no room for one more.
    pub fn keep(&self, sid: &str, audience: &str, token: SecToken) -> Result<(), Full> {
        let key = (sid.to_owned(), audience.to_owned());
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= self.capacity && !tokens.contains_key(&key) {
            return Err(Full);
        }
        tokens.insert(key, token);
        Ok(())
    }

    /// Forgets the tokens of a session.
    pub fn forget(&self, sid: &str) {
        self.tokens.write().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| of != sid);
    }
}

#[async_trait]
impl SecTokens for MemorySecTokens {
    async fn token(&self, session: &AuthenticatedSession, audience: &str) -> Result<SecToken, FilterError> {
        let key = (session.sid.clone(), audience.to_owned());
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        tokens.get(&key).cloned().ok_or(FilterError::unavailable("a SecToken of this session"))
    }
}
