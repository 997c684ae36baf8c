//! Whose session a request shows, and what it is worth now.

use async_trait::async_trait;
use sidegate_filters::identity::Session;
use sidegate_filters::identity_creation::Sessions;
use sidegate_filters::{Carrier, FilterError, Occasion, SessionDomain};

use super::DomainSessions;
use crate::store::{ExtId, StoreError};

#[async_trait]
impl Sessions for DomainSessions {
    async fn find(
        &self,
        domain: &SessionDomain,
        carrier: &Carrier,
        occasion: Occasion,
    ) -> Result<Option<Session>, FilterError> {
        if *domain != self.settings.domain {
            return Ok(None);
        }
        let Some(key) = self.key(carrier) else { return Ok(None) };
        let record = match occasion {
            Occasion::Arrival => self.eras.sessions.touch(&key).await,
            Occasion::Review => self.eras.sessions.look(&key).await,
        };
        let record = record.map_err(unavailable)?.filter(|record| self.is_here(record));
        let Some(record) = record else { return Ok(None) };
        let stands = self.eras.stands(&record).await.map_err(unavailable)?;
        let user = ExtId::from(record.session.ext_id.as_str());
        let Some(session) = self.worth(record.session).filter(|_| stands) else {
            self.eras.sessions.end(&key).await.map_err(unavailable)?;
            let user = user.as_str();
            tracing::info!(user, "a session ends: its user, the password, its realm or a key that was shown is gone");
            return Ok(None);
        };
        let roles = self.eras.users.roles(&user).await.map_err(unavailable)?;
        Ok(Some(Session { roles, ..session }))
    }

    async fn is_alive(&self, session: &Session) -> Result<bool, FilterError> {
        let user = ExtId::from(session.ext_id.as_str());
        let Some(found) = self.eras.session(&user, &session.sid).await.map_err(unavailable)? else { return Ok(false) };
        let now = Some(found).filter(|found| self.is_here(found)).and_then(|found| self.worth(found.session));
        let roles = self.eras.users.roles(&user).await.map_err(unavailable)?;
        Ok(now.is_some_and(|now| now.level() >= session.level())
            && session.roles.iter().all(|role| roles.contains(role)))
    }
}

fn unavailable(error: StoreError) -> FilterError {
    tracing::error!(%error, "a session could not be looked up");
    FilterError::unavailable("the session store")
}

impl DomainSessions {
    /// The session as it is worth now, by the levels that its realms give; none where the realm that gave its own is gone.
    fn worth(&self, session: Session) -> Option<Session> {
        let Some(realms) = &self.realms else { return Some(session) };
        let level = |realm: &str| realms.iter().find(|(name, _)| name == realm).map(|(_, level)| *level);
        Some(Session { logins: session.logins.worth(level)?, ..session })
    }
}
