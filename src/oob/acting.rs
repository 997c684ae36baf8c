//! Who acts for whom (`http-api.md` 0.3): the one place where a caller, the user that a request names, the operation and
//! its content become an [`ActingFor`]. Services that touch a user's things ask for one, and only this module makes it.

mod ghosts;

use std::net::IpAddr;
use std::sync::Arc;

use sidegate_filters::identity_creation::{Demand, SessionDomain};
use sidegate_filters::{AuthenticatedSession, Caller, InternalCaller, Role, UsernameMapper};

use crate::fido::{Fido, Subject};
use crate::jose::{self, CryptoError};
use crate::store::{ExtId, Origin, PasswordHash, SourceNetwork, StoreError, UserError, Users};
use crate::telemetry::audit::Event;
pub use ghosts::Ghosts;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Deregistration, creating or deleting a target: the user's own affair.
    Own,
    /// Listing targets: the same, and internal callers need no role (`http-api.md` 8).
    List,
    /// Registration: the same, and a user who has a key already may have to show it (`additional-registration`).
    Registration,
    /// Authentication without words of the caller.
    Authentication,
    /// Authentication that shows words of the caller: a transaction, `dispatchInformation.data`, notification texts.
    AuthenticationWithContent,
}

impl Deed {
    fn is_own_affair(self) -> bool {
        matches!(self, Self::Own | Self::Registration | Self::List)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::List => "list",
            Self::Registration => "registration",
            Self::Authentication => "authentication",
            Self::AuthenticationWithContent => "authentication-with-content",
        }
    }
}

/// Whom a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// Nobody.
    Nobody,
    /// The user with this `username`.
    Username(&'a str),
    /// The user with this extId: the owner of the target that the request names.
    Owner(&'a ExtId),
}

/// Who asks, and where.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The caller.
    pub caller: &'a Caller,
    /// The peer's address.
    pub address: IpAddr,
    /// Whether the route lets anybody put words before a user's eyes (`anonymous-content`).
    pub anonymous_content: bool,
}

/// The permit: this caller may do this for that user. None of a user only for user-less authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActingFor {
    user: Option<Subject>,
    hidden: Option<Hidden>,
}

/// A user whom a stranger named, and is not to learn of whether there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hidden {
    name: String,
    exists: bool,
}

impl ActingFor {
    /// The user whom it is for; where users are hidden there may be none of this extId.
    #[must_use]
    pub fn user(&self) -> Option<&Subject> {
        self.user.as_ref()
    }

    /// What a stranger called the user, who is not to learn whether there is one; `None`: nothing is hidden.
    #[must_use]
    pub fn stranger(&self) -> Option<&str> {
        self.hidden.as_ref().map(|hidden| hidden.name.as_str())
    }

    /// The user, for the log: one who exists.
    #[must_use]
    pub fn audited(&self) -> Option<&str> {
        let exists = self.hidden.as_ref().is_none_or(|hidden| hidden.exists);
        self.user().filter(|_| exists).map(|user| user.ext_id.as_str())
    }
}

impl From<Option<Subject>> for ActingFor {
    fn from(user: Option<Subject>) -> Self {
        Self { user, hidden: None }
    }
}

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
    users: Arc<dyn Users>,
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

impl Asker<'_> {
    /// On whose account an operation is kept.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match self.caller {
            Caller::Internal(_) => Origin::Internal,
            Caller::User(session) => Origin::User(session.ext_id.as_str().into()),
            Caller::Anonymous => Origin::Network(SourceNetwork::of(self.address)),
        }
    }

    /// The network whose share of what is asked of a server behind it uses; an internal caller has none.
    #[must_use]
    pub fn network(&self) -> Option<SourceNetwork> {
        (!matches!(self.caller, Caller::Internal(_))).then(|| SourceNetwork::of(self.address))
    }
}

impl Acting {
    /// Decides by these users, whose sessions are of this domain.
    #[must_use]
    pub fn new(users: Arc<dyn Users>, mapper: UsernameMapper, domain: SessionDomain) -> Self {
        Self { users, mapper, domain, step_up: None, hiding: None }
    }

    /// The same, but a user with a credential registers another one only with a session whose latest
    /// login was through this realm (`additional-registration: step-up`, `http-api.md` 8). Which
    /// credentials count the UAF server says ([`Fido::guards`]).
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
        if let (Deed::Registration, Some(step_up)) = (deed, &self.step_up)
            && !step_up.demand.realms.contains(&session.realm)
            && step_up.fido.guards(&user).await?
        {
            return Err(NotPermitted::StepUp { domain: self.domain.clone(), demand: step_up.demand.clone() });
        }
        Ok(Some(user).into())
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
        let (Some(ghosts), Caller::Anonymous | Caller::User(_), Named::Username(name)) = (&self.hiding, caller, named)
        else {
            return Ok(self.find(named).await?.into());
        };
        // Made for everybody, so that the work does not tell for whom it was needed.
        let ghost = ghosts.of(self.mapper, name)?;
        let (user, exists) = match (self.find(named).await, ghost) {
            (Err(NotPermitted::UnknownUser), Some(ghost)) => (Some(ghost), false),
            (found, _) => (found?, true),
        };
        Ok(ActingFor { user, hidden: Some(Hidden { name: name.to_owned(), exists }) })
    }

    /// Makes the user, with a password that nobody knows: there are keys to log in with, to be registered now.
    async fn provision(&self, caller: &InternalCaller, named: Named<'_>) -> Result<Subject, NotPermitted> {
        let (Named::Username(name), UsernameMapper::Name) = (named, self.mapper) else {
            return Err(NotPermitted::UnknownUser);
        };
        let password = unknown_password().await?;
        match self.users.add(name, password).await {
            Ok(user) => {
                Event::Provision { caller: caller.name.as_str(), user: user.ext_id.as_str() }.record();
                Ok(Subject::from(&user))
            }
            // Somebody was faster.
            Err(UserError::Exists) => self.find(named).await?.ok_or(NotPermitted::UnknownUser),
            Err(UserError::BadName) => Err(NotPermitted::UnknownUser),
            Err(UserError::Store(error)) => Err(error.into()),
        }
    }

    async fn find(&self, named: Named<'_>) -> Result<Option<Subject>, NotPermitted> {
        let found = match (named, self.mapper) {
            (Named::Nobody, _) => return Ok(None),
            (Named::Username(name), UsernameMapper::Name) => self.users.by_name(name).await?,
            (Named::Username(ext_id), UsernameMapper::ExtId) => self.users.by_ext_id(&ext_id.into()).await?,
            (Named::Owner(ext_id), _) => self.users.by_ext_id(ext_id).await?,
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
