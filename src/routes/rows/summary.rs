//! What each service does, in a sentence for whoever calls it.

use super::{Administered, Service};
use crate::store::operation::OperationKind::{Auth, Dereg, Reg};

impl Service {
    /// The sentence, as the description of the interface has it.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            Self::UafRequest(Reg) => "Asks for the UAF request of a registration",
            Self::UafRequest(Auth) => "Asks for the UAF request of an authentication",
            Self::UafRequest(Dereg) => "Asks for the UAF request of a deregistration",
            Self::UafRegistration => "Takes the UAF response of a registration",
            Self::UafAuthentication => "Takes the UAF response of an authentication",
            Self::Facets => "Lists the facets that may use the application's keys",
            Self::Dispatch(Reg) => "Dispatches a token by which a phone registers",
            Self::Dispatch(Auth) => "Dispatches a token by which a phone approves",
            Self::Dispatch(Dereg) => "Dispatches a token by which a phone deregisters",
            Self::Create(Reg) => "Makes a token for a registration, and hands it to the caller",
            Self::Create(Auth) => "Makes a token for an authentication, and hands it to the caller",
            Self::Create(Dereg) => "Makes a token for a deregistration, and hands it to the caller",
            Self::Redeem(Reg) => "Redeems a token, once, for the UAF request of a registration",
            Self::Redeem(Auth) => "Redeems a token, once, for the UAF request of an authentication",
            Self::Redeem(Dereg) => "Redeems a token, once, for the UAF request of a deregistration",
            Self::Status => "Tells how an operation stands",
            Self::ListTargets => "Lists the dispatch targets of a user",
            Self::CreateTarget => "Registers a dispatch target",
            Self::ModifyTarget => "Changes a dispatch target, by its key's signature",
            Self::DeleteTarget => "Removes a dispatch target",
            Self::LoginPage => "Shows the login page",
            Self::PasswordLogin => "Logs in by password",
            Self::OobLogin => "Asks for a login that the phone approves",
            Self::OobStanding => "Tells the browser that asked how that login stands",
            Self::LogoutPage => "Shows the page to log out",
            Self::Logout => "Logs out",
            Self::FidoLoginRequest => "Asks for the UAF request of a login",
            Self::FidoLoginResponse => "Logs in by the answer to it",
            Self::AdminList(Administered::Users) => "Lists users",
            Self::AdminList(Administered::Credentials) => "Lists the UAF credentials of a user",
            Self::AdminList(Administered::Targets) => "Lists the dispatch targets of a user, for administration",
            Self::AdminList(Administered::Sessions) => "Lists the sessions of a user",
            Self::AdminRemove(Administered::Users) => "Removes what is kept of a user",
            Self::AdminRemove(Administered::Credentials) => "Removes UAF credentials",
            Self::AdminRemove(Administered::Targets) => "Removes dispatch targets, for administration",
            Self::AdminRemove(Administered::Sessions) => "Ends the sessions of a user",
            Self::Jwks => "Publishes the keys that SecTokens are verified with",
            Self::JwksOf => "Publishes those of one upstream's SecTokens",
            Self::AssetLinks => "Says to Android which apps open the links of dispatched tokens",
            Self::SiteAssociation => "Says to iOS which apps open the links of dispatched tokens",
            Self::Liveness => "Tells that the process lives",
            Self::Health => "Tells whether what it needs is there",
            Self::Metrics => "Shows counters, for Prometheus",
            Self::OpenApi => "Describes the interface",
        }
    }
}
