//! Sessions in memory.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;

use super::Full;
use crate::Occasion;
use crate::clock::{Clock as _, SystemClock};
use crate::filter::FilterError;
use crate::identity::{CarriedBy, Carrier, Login, Session};
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

    /// One session in this domain for each of these users, by the value of its cookie, begun just now at level 1; and room for
    /// no more.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use sidegate_filters::SessionDomain;
    /// use sidegate_filters::exchange::Occasion;
    /// use sidegate_filters::identity::{CarriedBy, Carrier};
    /// use sidegate_filters::identity_creation::Sessions as _;
    /// use sidegate_filters::memory::MemorySessions;
    ///
    /// let domain = SessionDomain::parse("main").unwrap();
    /// let sessions = MemorySessions::of(&domain, [("jeffs-session", "jeff")]);
    /// let carrier = Carrier::new(CarriedBy::Cookie, "jeffs-session".to_owned());
    /// let found = sessions.find(&domain, &carrier, Occasion::Arrival).await.unwrap();
    /// assert_eq!(found.unwrap().name, "jeff");
    /// # });
    /// ```
    #[must_use]
    pub fn of<const N: usize>(domain: &SessionDomain, users: [(&str, &str); N]) -> Self {
        let login = Login { realm: "memory".to_owned(), level: 1, at: SystemClock.now() };
        let session = |name: &str| Session::new(name, domain.as_str(), name, login.clone());
        let sessions = users.map(|(cookie, name)| (key(cookie), session(name))).into();
        Self { sessions: RwLock::new(sessions), capacity: N }
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
