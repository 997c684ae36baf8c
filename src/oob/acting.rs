//! Who acts for whom (`http-api.md` 0.3): the one place where a caller, the user that a request names, the operation and
//! its content become an [`ActingFor`]. Services that touch a user's things ask for one, and only this module makes it.

mod ghosts;
mod permit;
mod question;

use std::sync::Arc;

use sidegate_filters::identity_creation::{Demand, SessionDomain};
use sidegate_filters::{AuthenticatedSession, Caller, InternalCaller, Role, UsernameMapper};

use crate::fido::{Fido, Subject};
use crate::jose::{self, CryptoError};
use crate::store::operation::Warrant;
use crate::store::{Eras, PasswordHash, SessionRecord, StoreError, UserError};
use crate::telemetry::audit::Event;
pub use ghosts::Ghosts;
pub use permit::ActingFor;
use permit::Hidden;
pub use question::{Asker, Deed, Named};

/// The caller may not, or it can't be told.
#[derive(Debug, thiserror::Error)]
pub enum NotPermitted {
    /// A session is needed: 401.
    #[error("log in first")]
    NoSession {
        /// Where sessions are of.
        domain: SessionDomain,
    },
    /// The session is another user's: 403, or 404 where existence would show.
    #[error("the session belongs to another user")]
    OtherUser,
    /// The session has not shown the key that its user has already: 401.
    #[error("the user has a credential already: authenticate with it first")]
    StepUp {
        /// Where sessions are of.
        domain: SessionDomain,
        /// What shows it.
        demand: Demand,
    },
    /// The internal caller may not name users: 403.
    #[error("this internal caller may not act for users")]
    NoRole,
    /// An internal caller has to say for whom: 400.
    #[error("an internal caller has to name the user")]
    Unnamed,
    /// There is no such user.
    #[error("there is no such user")]
    UnknownUser,
    /// The store of users.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Decides who acts for whom.
#[derive(Clone)]
pub struct Acting {
    eras: Eras,
    mapper: UsernameMapper,
    domain: SessionDomain,
    step_up: Option<StepUp>,
    hiding: Option<Ghosts>,
}

/// What a user who has a credential already needs to register another one.
#[derive(Clone)]
struct StepUp {
    fido: Arc<dyn Fido>,
    demand: Demand,
}

impl StepUp {
    /// What shows no key that is known here can't end with it either.
    fn is_met_by(&self, session: &SessionRecord) -> bool {
        session.session.logins.iter().any(|login| self.demand.is_by(login)) && !session.keys.is_empty()
    }
}

impl Acting {
    /// Decides by these users, whose sessions are those of this domain.
    #[must_use]
    pub fn new(eras: Eras, mapper: UsernameMapper, domain: SessionDomain) -> Self {
        Self { eras, mapper, domain, step_up: None, hiding: None }
    }

    /// The same, but a user with a credential registers another one only with a session that has a
    /// login through this realm, and a key that is on record here (`additional-registration: step-up`,
    /// `http-api.md` 8). Which credentials count the UAF server says ([`Fido::guards`]).
    #[must_use]
    pub fn with_step_up_registration(self, fido: Arc<dyn Fido>, realm: String) -> Self {
        let demand = Demand { realms: vec![realm], ..Demand::default() };
        Self { step_up: Some(StepUp { fido, demand }), ..self }
    }

    /// The same, but strangers do not learn who exists (`hide-users`, `http-api.md` 0.4): whom they name for an
    /// authentication looks like a user.
    #[must_use]
    pub fn hiding_users(self, ghosts: Ghosts) -> Self {
        Self { hiding: Some(ghosts), ..self }
    }

    /// The same for logins of browsers to this domain: its sessions count, and users are called by what they log in with,
    /// whatever requests of relying parties call them.
    #[must_use]
    pub fn logging_in(self, domain: SessionDomain) -> Self {
        Self { mapper: UsernameMapper::Name, domain, ..self }
    }

    /// Whether the asker may do the deed for the one who is named.
    ///
    /// # Errors
    /// Why not.
    pub async fn permit(&self, asker: &Asker<'_>, deed: Deed, named: Named<'_>) -> Result<ActingFor, NotPermitted> {
        match (asker.caller, deed) {
            (Caller::User(session), _) if self.is_own(session, named, deed) => self.for_oneself(session, deed).await,
            (
                Caller::Internal(caller),
                Deed::Own | Deed::Registration | Deed::List | Deed::AuthenticationWithContent,
            ) => self.for_another(caller, deed, named).await,
            (Caller::User(_), Deed::Own | Deed::Registration | Deed::List) => Err(NotPermitted::OtherUser),
            (Caller::Anonymous, Deed::Own | Deed::Registration | Deed::List) => Err(self.no_session()),
            (_, Deed::AuthenticationWithContent) if !asker.anonymous_content => Err(self.no_session()),
            (caller, Deed::Authentication | Deed::AuthenticationWithContent) => self.for_anybody(caller, named).await,
        }
    }

    fn no_session(&self) -> NotPermitted {
        NotPermitted::NoSession { domain: self.domain.clone() }
    }

    /// A user who names nobody means themselves, where it is their own affair.
    fn is_own(&self, session: &AuthenticatedSession, named: Named<'_>, deed: Deed) -> bool {
        match (named, self.mapper) {
            (Named::Nobody, _) => deed.is_own_affair(),
            (Named::Username(name), UsernameMapper::Name) => name == session.name,
            (Named::Username(ext_id), UsernameMapper::ExtId) => ext_id == session.ext_id,
            (Named::Owner(owner), _) => owner.as_str() == session.ext_id,
        }
    }

    async fn for_oneself(&self, session: &AuthenticatedSession, deed: Deed) -> Result<ActingFor, NotPermitted> {
        let user = Subject::from(session);
        if !matches!(deed, Deed::Own | Deed::Registration) {
            return Ok(Some(user).into());
        }
        let living = self.living(session).await?;
        let weak = self.step_up.as_ref().filter(|step_up| deed == Deed::Registration && !step_up.is_met_by(&living));
        if let Some(step_up) = weak
            && step_up.fido.guards(&user).await?
        {
            return Err(NotPermitted::StepUp { domain: self.domain.clone(), demand: step_up.demand.clone() });
        }
        let warrant = Warrant { era: living.era(), keys: living.keys, first_key: weak.is_some() };
        Ok(ActingFor { user: Some(user), hidden: None, warrant: Some(warrant) })
    }

    /// The session is asked for once more: it may have ended while the body came in. What is of one request alone is kept
    /// nowhere, and nothing ends it.
    async fn living(&self, session: &AuthenticatedSession) -> Result<SessionRecord, NotPermitted> {
        session.carrier().ok_or_else(|| self.no_session())?;
        let found = self.eras.session(&session.ext_id.as_str().into(), &session.sid).await?;
        found.filter(|found| found.session.domain == self.domain.as_str()).ok_or_else(|| self.no_session())
    }

    async fn for_another(
        &self,
        caller: &InternalCaller,
        deed: Deed,
        named: Named<'_>,
    ) -> Result<ActingFor, NotPermitted> {
        if deed != Deed::List && !caller.may(Role::ActFor) {
            return Err(NotPermitted::NoRole);
        }
        let user = match self.find(named).await {
            Err(NotPermitted::UnknownUser) if deed == Deed::Registration && caller.may(Role::Provision) => {
                Some(self.provision(caller, named).await?)
            }
            found => found?,
        };
        if user.is_none() && deed.is_own_affair() {
            return Err(NotPermitted::Unnamed);
        }
        if let Some(user) = &user {
            let (caller, operation) = (caller.name.as_str(), deed.name());
            Event::ActFor { caller, user: user.ext_id.as_str(), operation }.record();
        }
        Ok(user.into())
    }

    async fn for_anybody(&self, caller: &Caller, named: Named<'_>) -> Result<ActingFor, NotPermitted> {
        let (Some(ghosts), Caller::Anonymous | Caller::User(_)) = (&self.hiding, caller) else {
            return Ok(self.find(named).await?.into());
        };
        let Named::Username(name) = named else {
            let user = self.find(named).await?;
            // Whoever knows a target knows that there is an owner, and is not to learn whether there is a key.
            let name = |user: &Subject| user.called(self.mapper).to_owned();
            let hidden = user.as_ref().map(|user| Hidden { name: name(user), exists: true });
            return Ok(ActingFor { user, hidden, warrant: None });
        };
        // Made for everybody, so that the work does not tell for whom it was needed.
        let ghost = ghosts.of(self.mapper, name)?;
        let (user, exists) = match (self.find(named).await, ghost) {
            (Err(NotPermitted::UnknownUser), Some(ghost)) => (Some(ghost), false),
            (found, _) => (found?, true),
        };
        Ok(ActingFor { user, hidden: Some(Hidden { name: name.to_owned(), exists }), warrant: None })
    }

    /// Makes the user, with a password that nobody knows: there are keys to log in with, to be registered now.
    async fn provision(&self, caller: &InternalCaller, named: Named<'_>) -> Result<Subject, NotPermitted> {
        let (Named::Username(name), UsernameMapper::Name) = (named, self.mapper) else {
            return Err(NotPermitted::UnknownUser);
        };
        let password = unknown_password().await?;
        match self.eras.users.add(name, password).await {
            Ok(user) => {
                Event::Provision { caller: caller.name.as_str(), user: user.ext_id.as_str() }.record();
                Ok(Subject::from(&user))
            }
            // Somebody was faster.
            Err(UserError::Exists) => self.find(named).await?.ok_or(NotPermitted::UnknownUser),
            Err(UserError::BadName | UserError::BadRoles) => Err(NotPermitted::UnknownUser),
            Err(UserError::Store(error)) => Err(error.into()),
        }
    }

    async fn find(&self, named: Named<'_>) -> Result<Option<Subject>, NotPermitted> {
        let found = match (named, self.mapper) {
            (Named::Nobody, _) => return Ok(None),
            (Named::Username(name), UsernameMapper::Name) => self.eras.users.by_name(name).await?,
            (Named::Username(ext_id), UsernameMapper::ExtId) => self.eras.users.by_ext_id(&ext_id.into()).await?,
            (Named::Owner(ext_id), _) => self.eras.users.by_ext_id(ext_id).await?,
        };
        found.map(|user| Some(Subject::from(&user))).ok_or(NotPermitted::UnknownUser)
    }
}

async fn unknown_password() -> Result<PasswordHash, StoreError> {
    let unavailable = |error: &dyn std::fmt::Display| StoreError::Unavailable(error.to_string());
    let secret = zeroize::Zeroizing::new(jose::random::<32>().map_err(|error| unavailable(&error))?);
    let hashed = tokio::task::spawn_blocking(move || PasswordHash::of(secret.as_slice())).await;
    hashed.map_err(|error| unavailable(&error))?.map_err(|error| unavailable(&error))
}

impl From<&AuthenticatedSession> for Subject {
    fn from(session: &AuthenticatedSession) -> Self {
        Self { ext_id: session.ext_id.as_str().into(), name: session.name.clone() }
    }
}

#[cfg(test)]
mod tests;
