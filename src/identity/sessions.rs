//! The sessions of one domain: what each login, step-up and logout does to them (`gateway.md` 3.2).

mod login;
mod session_id;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderValue;
use http::header::InvalidHeaderValue;
use sidegate_filters::clock::{Clock, Millis};
use sidegate_filters::identity::Session;
use sidegate_filters::{AuthenticatedSession, FilterError, SessionDomain};

use crate::store::{self, ExtId, PasswordStamp, SessionRecord, StoreError, User, Users};
use crate::telemetry::audit::Event;
pub use login::{LoggedIn, LoginAttempt, LoginError, Realm};
use session_id::SessionId;

/// How a domain's sessions live.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The domain.
    pub domain: SessionDomain,
    /// A session that is not used for so long ends (30 min).
    pub idle: Duration,
    /// A session ends so long after its login, used or not (8 h). A step-up does not move that end.
    pub absolute: Duration,
}

/// The sessions of one domain.
pub struct DomainSessions {
    settings: Settings,
    store: Arc<dyn store::Sessions>,
    users: Arc<dyn Users>,
    clock: Arc<dyn Clock>,
    /// The realms that there are, with their levels; `None`: any, as they were.
    realms: Option<Vec<(String, u8)>>,
}

impl DomainSessions {
    /// Sessions kept in `store`, of users who exist in `users` and have the password that they had at the login.
    #[must_use]
    pub fn new(
        settings: Settings,
        store: Arc<dyn store::Sessions>,
        users: Arc<dyn Users>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { settings, store, users, clock, realms: None }
    }

    /// The same, where a session is worth what its realm, by name and level, is worth now: it may be from before a reload.
    #[must_use]
    pub fn of_realms(self, realms: Vec<(String, u8)>) -> Self {
        Self { realms: Some(realms), ..self }
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &SessionDomain {
        &self.settings.domain
    }

    /// Begins a login: to be called before the user's credential is checked.
    ///
    /// # Errors
    /// When the store can't be asked.
    pub async fn attempt(&self, user: &User) -> Result<LoginAttempt, StoreError> {
        let generation = self.store.generation(&user.ext_id).await?;
        Ok(LoginAttempt {
            ext_id: user.ext_id.clone(),
            name: user.name.clone(),
            password: user.password.stamp(),
            generation,
        })
    }

    /// Does the work of [`DomainSessions::attempt`] for a user who does not exist, that it may not tell so.
    ///
    /// # Errors
    /// When the store can't be asked.
    pub async fn attempt_of_nobody(&self, ext_id: &ExtId) -> Result<(), StoreError> {
        self.store.generation(ext_id).await.map(drop)
    }

    /// The user proved the attempt through `realm`. `presented` is the session that the request came with; `secure` says
    /// whether it came over TLS.
    ///
    /// The same user at the same or a higher level steps up. Everything else begins a new session, and what was
    /// presented ends: an id that the client brought is never handed to another user, and a weaker login never inherits
    /// the level of a stronger one.
    ///
    /// # Errors
    /// When no session could be made; none is then.
    pub async fn login(
        &self,
        attempt: LoginAttempt,
        realm: &Realm,
        presented: Option<&AuthenticatedSession>,
        secure: bool,
    ) -> Result<LoggedIn, LoginError> {
        let done = self.log_in(attempt, realm, presented, secure).await?;
        let Session { ext_id: user, realm, level, .. } = &done.session;
        let event =
            if done.step_up { Event::StepUp { realm, user, auth_level: *level } } else { Event::Login { realm, user } };
        event.record();
        Ok(done)
    }

    async fn log_in(
        &self,
        attempt: LoginAttempt,
        realm: &Realm,
        presented: Option<&AuthenticatedSession>,
        secure: bool,
    ) -> Result<LoggedIn, LoginError> {
        let Some((id, record)) = self.presented(presented).await? else {
            return self.begin(attempt, realm, secure).await;
        };
        let same_user = record.session.ext_id == attempt.ext_id.as_str();
        let same_era = record.session.generation == attempt.generation && record.password == attempt.password;
        if !same_user || !same_era || realm.level < record.session.level {
            self.store.end(&id.key()).await?;
            return self.begin(attempt, realm, secure).await;
        }
        match self.step_up(&id, record, realm, secure).await? {
            Some(logged_in) => Ok(logged_in),
            // It ended or was renewed by a parallel login: what remains is a login of its own.
            None => self.begin(attempt, realm, secure).await,
        }
    }

    /// Ends the session.
    ///
    /// # Errors
    /// When the store can't be asked: the session may be alive.
    pub async fn logout(&self, session: &AuthenticatedSession) -> Result<(), StoreError> {
        if let Some(id) = id_of(session) {
            self.store.end(&id.key()).await?;
            Event::Logout { user: &session.ext_id }.record();
        }
        Ok(())
    }

    /// Ends all sessions of a user, everywhere.
    ///
    /// # Errors
    /// When the store can't be asked.
    pub async fn end_all(&self, user: &ExtId) -> Result<(), StoreError> {
        self.store.end_all(user).await
    }

    /// `Set-Cookie` that makes the browser forget the session.
    ///
    /// # Errors
    /// Never for a domain that was parsed.
    pub fn clearing_cookie(&self, secure: bool) -> Result<HeaderValue, InvalidHeaderValue> {
        self.settings.domain.clear_cookie(secure)
    }

    async fn presented(
        &self,
        presented: Option<&AuthenticatedSession>,
    ) -> Result<Option<(SessionId, SessionRecord)>, StoreError> {
        let Some(id) = presented.and_then(id_of) else { return Ok(None) };
        let record = self.store.touch(&id.key()).await?;
        Ok(record.filter(|record| self.is_here(record)).map(|record| (id, record)))
    }

    /// The level that its realm gives now, at most that which it gave; none where that realm is gone.
    fn level(&self, session: &Session) -> Option<u8> {
        let Some(realms) = &self.realms else { return Some(session.level) };
        let (_, level) = realms.iter().find(|(name, _)| *name == session.realm)?;
        Some(session.level.min(*level))
    }

    /// All domains share a store.
    fn is_here(&self, record: &SessionRecord) -> bool {
        record.session.domain == self.settings.domain.as_str()
    }

    async fn begin(&self, attempt: LoginAttempt, realm: &Realm, secure: bool) -> Result<LoggedIn, LoginError> {
        let now = self.clock.now();
        let session = Session {
            sid: uuid::Uuid::new_v4().to_string(),
            domain: self.settings.domain.as_str().to_owned(),
            ext_id: attempt.ext_id.to_string(),
            name: attempt.name,
            realm: realm.name.clone(),
            level: realm.level,
            roles: Vec::new(),
            authenticated_at: now,
            generation: attempt.generation,
        };
        let id = SessionId::random()?;
        let ends = now.after(self.settings.absolute);
        self.store.create(id.key(), self.record(session.clone(), attempt.password, now, ends)).await?;
        let set_cookie = Some(self.settings.domain.set_cookie(secure, &id.text())?);
        Ok(LoggedIn { session, set_cookie, step_up: false })
    }

    async fn step_up(
        &self,
        id: &SessionId,
        record: SessionRecord,
        realm: &Realm,
        secure: bool,
    ) -> Result<Option<LoggedIn>, LoginError> {
        let now = self.clock.now();
        let mut session = record.session;
        session.realm.clone_from(&realm.name);
        session.level = realm.level;
        session.authenticated_at = now;
        let (done, set_cookie) = if realm.renew {
            let new = SessionId::random()?;
            let renewed = self.record(session.clone(), record.password, now, record.ends);
            let set_cookie = self.settings.domain.set_cookie(secure, &new.text())?;
            (self.store.renew(&id.key(), new.key(), renewed).await?, Some(set_cookie))
        } else {
            (self.store.raise(&id.key(), session.clone()).await?, None)
        };
        Ok(done.then_some(LoggedIn { session, set_cookie, step_up: true }))
    }

    fn record(&self, session: Session, password: PasswordStamp, now: Millis, ends: Millis) -> SessionRecord {
        SessionRecord { session, password, last_used: now, idle: self.settings.idle, ends }
    }
}

/// None where nothing is kept of the session.
fn id_of(session: &AuthenticatedSession) -> Option<SessionId> {
    SessionId::parse(session.carrier()?.expose())
}

#[async_trait]
impl sidegate_filters::identity_creation::Sessions for DomainSessions {
    async fn find(&self, domain: &SessionDomain, cookie: &str) -> Result<Option<Session>, FilterError> {
        if *domain != self.settings.domain {
            return Ok(None);
        }
        let Some(id) = SessionId::parse(cookie) else { return Ok(None) };
        let unavailable = |error: StoreError| {
            tracing::error!(%error, "a session could not be looked up");
            FilterError::Unavailable("the session store")
        };
        let record = self.store.touch(&id.key()).await.map_err(unavailable)?;
        let Some(record) = record.filter(|record| self.is_here(record)) else { return Ok(None) };
        let user = ExtId::from(record.session.ext_id.as_str());
        let is_known = self.users.password_stamp(&user).await.map_err(unavailable)? == Some(record.password);
        let Some(level) = self.level(&record.session).filter(|_| is_known) else {
            self.store.end(&id.key()).await.map_err(unavailable)?;
            return Ok(None);
        };
        Ok(Some(Session { level, ..record.session }))
    }
}

#[cfg(test)]
mod tests;
