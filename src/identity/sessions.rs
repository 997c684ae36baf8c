//! The sessions of one domain: what each login, step-up and logout does to them (`gateway.md` 3.2).

mod found;
mod login;
mod session_id;
mod session_token;

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::header::InvalidHeaderValue;
use sidegate_filters::clock::Clock;
use sidegate_filters::identity::Session;
use sidegate_filters::{AuthenticatedSession, CarriedBy, Carrier, SessionDomain};
use zeroize::Zeroizing;

use crate::jose::CryptoError;
use crate::store::operation::Era;
use crate::store::{AddedLogin, Eras, ExtId, SessionKey, SessionRecord, StoreError, User};
use crate::telemetry::audit::Event;
pub use login::{LoggedIn, LoginAttempt, LoginError, Realm};
use session_id::SessionId;
pub use session_token::SessionTokens;

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
    eras: Eras,
    clock: Arc<dyn Clock>,
    /// The realms that there are, with their levels; `None`: any, as they were.
    realms: Option<Vec<(String, u8)>>,
    /// For clients without cookies; `None`: they get nothing to carry.
    tokens: Option<Arc<SessionTokens>>,
}

impl DomainSessions {
    /// Sessions kept where `eras` finds them, of users who exist and have the password and the keys that they had at the
    /// login.
    #[must_use]
    pub fn new(settings: Settings, eras: Eras, clock: Arc<dyn Clock>) -> Self {
        Self { settings, eras, clock, realms: None, tokens: None }
    }

    /// The same, where a session is worth what its realm, by name and level, is worth now: it may be from before a reload.
    #[must_use]
    pub fn of_realms(self, realms: Vec<(String, u8)>) -> Self {
        Self { realms: Some(realms), ..self }
    }

    /// The same, whose sessions may be carried by tokens too.
    #[must_use]
    pub fn with_tokens(self, tokens: Arc<SessionTokens>) -> Self {
        Self { tokens: Some(tokens), ..self }
    }

    /// Another carrier of the session that a login gave, as good as its cookie and no longer: it is looked up at each use
    /// (`http-api.md` 7). `None` where this domain gives none out.
    ///
    /// # Errors
    /// When it can't be signed.
    pub fn token(&self, of: &LoggedIn) -> Result<Option<Zeroizing<String>>, CryptoError> {
        let issue = |tokens: &Arc<SessionTokens>| tokens.issue(&self.settings.domain, of, self.clock.now());
        self.tokens.as_ref().map(issue).transpose()
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
        // The password is the one that is about to be proven, or was read with the user.
        let era =
            Era { generation: self.eras.sessions.generation(&user.ext_id).await?, password: user.password.stamp() };
        Ok(LoginAttempt { ext_id: user.ext_id.clone(), name: user.name.clone(), era, keys: Vec::new() })
    }

    /// What ends sessions.
    #[must_use]
    pub fn eras(&self) -> &Eras {
        &self.eras
    }

    /// Does the work of [`DomainSessions::attempt`] for a user who does not exist, that it may not tell so.
    ///
    /// # Errors
    /// When the store can't be asked.
    pub async fn attempt_of_nobody(&self, ext_id: &ExtId) -> Result<(), StoreError> {
        self.eras.sessions.generation(ext_id).await.map(drop)
    }

    /// The user proved the attempt through `realm`. `presented` is the session that the request came with; `secure` says
    /// whether it came over TLS.
    ///
    /// The same user steps up: the login is added to those of the session, and makes none of them younger but the one before
    /// through this realm. Everybody else begins a new session, and what was presented ends: an id that the client brought
    /// is never handed to another user.
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
        let (user, Realm { name: realm, level, .. }) = (&done.session.ext_id, realm);
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
        let Some((key, record)) = self.presented(presented).await? else {
            return self.begin(attempt, realm, secure).await;
        };
        let same_user = record.session.ext_id == attempt.ext_id.as_str();
        if !same_user || record.era() != attempt.era {
            self.eras.sessions.end(&key).await?;
            return self.begin(attempt, realm, secure).await;
        }
        match self.step_up(key, &attempt, realm, secure).await? {
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
        if let Some(key) = self.key_of(session) {
            self.eras.sessions.end(&key).await?;
            Event::Logout { user: &session.ext_id }.record();
        }
        Ok(())
    }

    /// Ends all sessions of a user, everywhere.
    ///
    /// # Errors
    /// When the store can't be asked.
    pub async fn end_all(&self, user: &ExtId) -> Result<(), StoreError> {
        self.eras.sessions.end_all(user).await
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
    ) -> Result<Option<(SessionKey, SessionRecord)>, StoreError> {
        let Some(key) = presented.and_then(|session| self.key_of(session)) else { return Ok(None) };
        let record = self.eras.sessions.touch(&key).await?;
        Ok(record.filter(|record| self.is_here(record)).map(|record| (key, record)))
    }

    /// None where nothing is kept of the session.
    fn key_of(&self, session: &AuthenticatedSession) -> Option<SessionKey> {
        self.key(session.carrier()?)
    }

    /// Where the session is kept for which somebody carries this.
    fn key(&self, carrier: &Carrier) -> Option<SessionKey> {
        match carrier.by {
            CarriedBy::Cookie => SessionId::parse(carrier.expose()).map(|id| id.key()),
            CarriedBy::Token => self.tokens.as_ref()?.read(&self.settings.domain, carrier.expose(), self.clock.now()),
        }
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
            logins: realm.login(now).into(),
            // They are the user's, asked for at each look.
            roles: Vec::new(),
            generation: attempt.era.generation,
        };
        let id = SessionId::random()?;
        let ends = now.after(self.settings.absolute);
        let (key, password, idle) = (id.key(), attempt.era.password, self.settings.idle);
        let record =
            SessionRecord { session: session.clone(), password, keys: attempt.keys, last_used: now, idle, ends };
        self.eras.sessions.create(key, record).await?;
        let set_cookie = Some(self.settings.domain.set_cookie(secure, &id.text())?);
        Ok(LoggedIn { session, set_cookie, step_up: false, key, ends })
    }

    async fn step_up(
        &self,
        old: SessionKey,
        attempt: &LoginAttempt,
        realm: &Realm,
        secure: bool,
    ) -> Result<Option<LoggedIn>, LoginError> {
        let (sessions, login) = (&self.eras.sessions, realm.login(self.clock.now()));
        let added = AddedLogin { user: attempt.ext_id.clone(), login, keys: attempt.keys.clone() };
        let (stored, set_cookie, key) = if realm.renew {
            let new = SessionId::random()?;
            let set_cookie = self.settings.domain.set_cookie(secure, &new.text())?;
            (sessions.renew(&old, new.key(), added).await?, Some(set_cookie), new.key())
        } else {
            (sessions.raise(&old, added).await?, None, old)
        };
        Ok(stored.map(|SessionRecord { session, ends, .. }| LoggedIn { session, set_cookie, step_up: true, key, ends }))
    }
}

#[cfg(test)]
mod tests;
