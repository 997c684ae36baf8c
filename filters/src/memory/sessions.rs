//! Sessions in memory.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;

use super::Full;
use crate::Occasion;
use crate::filter::FilterError;
use crate::identity::{CarriedBy, Carrier, Session};
use crate::identity_creation::{SessionDomain, Sessions};
use crate::jws::sha256;

/// A bounded map from the value of a session's cookie, of which only the SHA-256 is kept, to the session. They last until
/// they are ended: no time ends them, and no token carries them.
#[derive(Debug)]
pub struct MemorySessions {
    sessions: RwLock<HashMap<[u8; 32], Session>>,
    capacity: usize,
}

impl MemorySessions {
    /// An empty map for at most `capacity` sessions.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { sessions: RwLock::default(), capacity }
    }

    /// Begins a session that a cookie with this value carries, in place of the one that it carried.
    ///
    /// # Errors
    /// When the value is new and there is no room for it.
    pub fn begin(&self, cookie: &str, session: Session) -> Result<(), Full> {
        let (key, mut sessions) = (key(cookie), self.write());
        if sessions.len() >= self.capacity && !sessions.contains_key(&key) {
            return Err(Full);
        }
        sessions.insert(key, session);
        Ok(())
    }

    /// Ends a session, by its `sid`.
    pub fn end(&self, sid: &str) {
        self.write().retain(|_, session| session.sid != sid);
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<[u8; 32], Session>> {
        self.sessions.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<[u8; 32], Session>> {
        self.sessions.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(cookie: &str) -> [u8; 32] {
    sha256(cookie.as_bytes())
}

#[async_trait]
impl Sessions for MemorySessions {
    async fn find(
        &self,
        domain: &SessionDomain,
        carrier: &Carrier,
        _: Occasion,
    ) -> Result<Option<Session>, FilterError> {
        if carrier.by != CarriedBy::Cookie {
            return Ok(None);
        }
        let found = self.read().get(&key(carrier.expose())).cloned();
        Ok(found.filter(|session| session.domain == domain.as_str()))
    }

    async fn is_alive(&self, session: &Session) -> Result<bool, FilterError> {
        let is_same = |found: &Session| found.sid == session.sid && found.level() >= session.level();
        Ok(self.read().values().any(is_same))
    }
}
