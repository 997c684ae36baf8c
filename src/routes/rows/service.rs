//! What answers behind a row.

use sidegate_filters::user_binding::Place;

use self::Administered::{Credentials, Targets, Users};
use crate::store::operation::OperationKind::{self, Dereg, Reg};

/// What internal callers with the role `admin` see and remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Administered {
    /// Users.
    Users,
    /// UAF credentials.
    Credentials,
    /// Dispatch targets.
    Targets,
    /// Sessions.
    Sessions,
}

/// What answers behind a row. Whoever composes the table matches every one of them, so that no row lacks its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// A UAF request, in band.
    UafRequest(OperationKind),
    /// The answer to a registration request.
    UafRegistration,
    /// The answer to an authentication request.
    UafAuthentication,
    /// The trusted facets.
    Facets,
    /// Dispatches a token.
    Dispatch(OperationKind),
    /// Makes a token for whoever asks.
    Create(OperationKind),
    /// Redeems a token.
    Redeem(OperationKind),
    /// Lists dispatch targets.
    ListTargets,
    /// Registers one.
    CreateTarget,
    /// Changes one by its key's signature.
    ModifyTarget,
    /// Removes one.
    DeleteTarget,
    /// How an operation stands.
    Status,
    /// The login page.
    LoginPage,
    /// Login by password.
    PasswordLogin,
    /// Asks for a login of the browser that the phone approves.
    OobLogin,
    /// How that stands, for the browser that asked.
    OobStanding,
    /// The page with the button to log out.
    LogoutPage,
    /// The end of a session.
    Logout,
    /// The UAF request of a login.
    FidoLoginRequest,
    /// Login by the answer to it.
    FidoLoginResponse,
    /// Lists what is administered.
    AdminList(Administered),
    /// Removes it.
    AdminRemove(Administered),
    /// The keys of SecTokens that are no upstream's own.
    Jwks,
    /// The keys of SecTokens for one upstream.
    JwksOf,
    /// Which apps of Android open dispatched links.
    AssetLinks,
    /// Which apps of iOS do.
    SiteAssociation,
    /// The process lives.
    Liveness,
    /// What it needs is there.
    Health,
    /// Counters.
    Metrics,
    /// What is served where, for programs.
    OpenApi,
}

/// Whose business a service is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    OfFidoServer,
    Login,
    /// Of the gateway itself.
    OfGateway,
}

impl Service {
    /// Whether it answers everybody alike, so that nobody is asked who they are.
    #[must_use]
    pub fn is_impersonal(self) -> bool {
        use Service::{AssetLinks, Facets, Health, Jwks, JwksOf, Liveness, Metrics, OpenApi, SiteAssociation};
        matches!(self, Facets | AssetLinks | SiteAssociation | Jwks | JwksOf | Liveness | Health | Metrics | OpenApi)
    }

    /// Whether one logs in or out there: each session domain has rows of its own for it.
    #[must_use]
    pub fn is_login(self) -> bool {
        self.kind() == Kind::Login
    }

    /// Whether a FIDO server behind may answer in its place (`gateway.md` 1, fronting).
    #[must_use]
    pub fn is_of_fido_server(self) -> bool {
        self.kind() == Kind::OfFidoServer
    }

    fn kind(self) -> Kind {
        match self {
            Self::UafRequest(_)
            | Self::UafRegistration
            | Self::UafAuthentication
            | Self::Facets
            | Self::Dispatch(_)
            | Self::Create(_)
            | Self::Redeem(_)
            | Self::ListTargets
            | Self::CreateTarget
            | Self::ModifyTarget
            | Self::DeleteTarget
            | Self::Status => Kind::OfFidoServer,
            Self::LoginPage
            | Self::PasswordLogin
            | Self::OobLogin
            | Self::OobStanding
            | Self::LogoutPage
            | Self::Logout
            | Self::FidoLoginRequest
            | Self::FidoLoginResponse => Kind::Login,
            Self::AdminList(_)
            | Self::AdminRemove(_)
            | Self::Jwks
            | Self::JwksOf
            | Self::AssetLinks
            | Self::SiteAssociation
            | Self::Liveness
            | Self::Health
            | Self::Metrics
            | Self::OpenApi => Kind::OfGateway,
        }
    }

    /// Whether it asks the UAF server, which may be one behind (`gateway.md` 1, hybrid).
    #[must_use]
    pub fn asks_uaf_server(self) -> bool {
        matches!(
            self,
            Self::UafRequest(_)
                | Self::UafRegistration
                | Self::UafAuthentication
                | Self::Redeem(_)
                | Self::FidoLoginRequest
                | Self::FidoLoginResponse
                | Self::AdminRemove(Users | Credentials | Targets)
        )
    }

    /// Where a request to a FIDO server behind names the user whose own affair it is (`http-api.md` 0.3).
    #[must_use]
    pub fn names_user(self) -> Option<Place> {
        match self {
            Self::UafRequest(Reg | Dereg) | Self::Create(Reg | Dereg) => Some(Place::Context),
            Self::Dispatch(Reg | Dereg) => Some(Place::GetUafRequest),
            Self::CreateTarget => Some(Place::Username),
            _ => None,
        }
    }
}
