//! Who is calling, as a proof: only [`crate::identity_creation`]'s check can make these.

mod logins;

use std::sync::Arc;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::clock::Millis;
pub use logins::{Login, Logins};

/// What an internal caller may do (`gateway.md` 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// May name any user in a request.
    ActFor,
    /// May list and remove users, credentials, targets and sessions.
    Admin,
    /// Those whom it names for a registration are made where they do not exist yet.
    Provision,
}

impl Role {
    /// The word for it in configurations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ActFor => "act-for",
            Self::Admin => "admin",
            Self::Provision => "provision",
        }
    }
}

/// A session as its store gives it back: alive, its user still there.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Session {
    /// Names the session in logs and SecTokens (`sid`); tells nothing about the cookie.
    pub sid: String,
    /// The session domain that it belongs to.
    pub domain: String,
    /// The user's extId (`http-api.md` 0.2).
    pub ext_id: String,
    /// The user's login name.
    pub name: String,
    /// What it was proven by.
    pub logins: Logins,
    /// Roles of the user.
    pub roles: Vec<String>,
    /// The user's session generation when this session was made.
    pub generation: u64,
}

/// What whoever is told one login alone is told: that of the highest level, with its own time, so that nobody takes a later
/// but weaker one for it.
impl Session {
    /// A session that begins with this login, of a user without roles whose extId is the login name. The `sid` is no other
    /// session's.
    ///
    /// ```
    /// use sidegate_filters::clock::Millis;
    /// use sidegate_filters::identity::{Login, Session};
    ///
    /// let login = Login { realm: "password".to_owned(), level: 1, at: Millis(0) };
    /// let session = Session::new("s-1", "main", "jeff", login);
    /// assert_eq!((session.name.as_str(), session.ext_id.as_str(), session.level()), ("jeff", "jeff", 1));
    /// ```
    #[must_use]
    pub fn new(sid: &str, domain: &str, name: &str, login: Login) -> Self {
        Self {
            sid: sid.to_owned(),
            domain: domain.to_owned(),
            ext_id: name.to_owned(),
            name: name.to_owned(),
            logins: login.into(),
            roles: Vec::new(),
            generation: 0,
        }
    }

    /// The authentication level reached.
    #[must_use]
    pub fn level(&self) -> u8 {
        self.logins.highest().level
    }

    /// The realm that gave it.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.logins.highest().realm
    }

    /// When it did.
    #[must_use]
    pub fn authenticated_at(&self) -> Millis {
        self.logins.highest().at
    }
}

/// What the client showed to prove its session: the value of the session cookie, or a session token. It does not print.
///
/// Kept with the session so that the services which renew or end it need no header.
#[derive(Clone)]
pub struct Carrier {
    /// How it came: what is good as the one is nothing as the other.
    pub by: CarriedBy,
    value: Arc<Zeroizing<String>>,
}

/// How a client shows its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarriedBy {
    /// The session cookie.
    Cookie,
    /// A session token, or another bearer, in `Authorization`.
    Token,
}

impl Carrier {
    /// The value of a cookie, or a token.
    #[must_use]
    pub fn new(by: CarriedBy, value: String) -> Self {
        Self { by, value: Arc::new(Zeroizing::new(value)) }
    }

    /// The value, to look the session up again.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.value
    }
}

impl PartialEq for Carrier {
    fn eq(&self, other: &Self) -> bool {
        self.by == other.by && bool::from(self.value.as_bytes().ct_eq(other.value.as_bytes()))
    }
}

impl Eq for Carrier {}

impl std::fmt::Debug for Carrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Carrier(…)")
    }
}

/// A session that met what its route demands. Only the identity-creation filter makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatedSession {
    session: Session,
    carrier: Option<Carrier>,
}

impl AuthenticatedSession {
    pub(crate) fn granted(session: Session, carrier: Option<Carrier>) -> Self {
        Self { session, carrier }
    }

    /// What the client showed for it; `None`: it is of this request alone, and is kept nowhere.
    #[must_use]
    pub fn carrier(&self) -> Option<&Carrier> {
        self.carrier.as_ref()
    }
}

impl std::ops::Deref for AuthenticatedSession {
    type Target = Session;
    fn deref(&self) -> &Session {
        &self.session
    }
}

/// A relying party or an authentication service, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCaller {
    /// Its name in the configuration, for the audit line.
    pub name: String,
    /// What it may do.
    pub roles: Vec<Role>,
}

impl KnownCaller {
    /// Whether it has the role.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// One that proved who it is on an internal listener. Only the identity-creation filter makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternalCaller(KnownCaller);

impl InternalCaller {
    pub(crate) fn proven(known: KnownCaller) -> Self {
        Self(known)
    }
}

impl std::ops::Deref for InternalCaller {
    type Target = KnownCaller;
    fn deref(&self) -> &KnownCaller {
        &self.0
    }
}

/// Who is calling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Caller {
    /// Nobody that we know.
    #[default]
    Anonymous,
    /// A user with a session that fits the route.
    User(AuthenticatedSession),
    /// An internal caller.
    Internal(InternalCaller),
}
