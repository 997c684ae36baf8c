//! Why a login was not asked for.

use std::time::Duration;

use http::StatusCode;
use sidegate_filters::identity_creation::Challenge;
use sidegate_filters::{Problem, SessionDomain};

use crate::identity::LoginError;
use crate::identity::login_page::Notice;
use crate::identity::return_field::ReturnError;
use crate::oob::{NotPermitted, TokenFault};
use crate::routes::endpoints::problems::{internal, login, token, too_many};
use crate::store::StoreError;

pub(super) enum NotAsked {
    /// The form's way back must not be followed.
    Form(ReturnError),
    Unnamed,
    TooMany(Duration),
    /// There is no such user, where that is no secret or nobody could be called so.
    Unknown,
    Token(TokenFault),
    Login(LoginError),
    NotDispatched,
    Http(http::Error),
}

impl NotAsked {
    /// The problem, and what the form says of it.
    pub(super) fn told(self, domain: &SessionDomain) -> (Problem, Notice) {
        match self {
            Self::Form(ReturnError::Crypto(error)) => (internal(&error), Notice::Unavailable),
            Self::Form(error) => (Problem::bad_request(error.to_string()), Notice::Stale),
            Self::Unnamed => (Problem::bad_request("no user name was typed"), Notice::Unnamed),
            Self::TooMany(wait) => (too_many(wait), Notice::TooMany),
            Self::Unknown => {
                let problem = Problem::unauthorized("there is no such user", Challenge::Session(domain).value());
                (problem, Notice::Unknown)
            }
            Self::Token(fault) => (token(&fault), Notice::Unavailable),
            Self::Login(error) => (login(&error), Notice::Unavailable),
            Self::NotDispatched => {
                (Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the phone can't be reached"), Notice::Unavailable)
            }
            Self::Http(error) => (internal(&error), Notice::Unavailable),
        }
    }
}

impl From<TokenFault> for NotAsked {
    fn from(fault: TokenFault) -> Self {
        match fault {
            TokenFault::NotPermitted(NotPermitted::UnknownUser) => Self::Unknown,
            fault => Self::Token(fault),
        }
    }
}

impl From<ReturnError> for NotAsked {
    fn from(error: ReturnError) -> Self {
        Self::Form(error)
    }
}

impl From<LoginError> for NotAsked {
    fn from(error: LoginError) -> Self {
        Self::Login(error)
    }
}

impl From<StoreError> for NotAsked {
    fn from(error: StoreError) -> Self {
        Self::Login(error.into())
    }
}

impl From<http::Error> for NotAsked {
    fn from(error: http::Error) -> Self {
        Self::Http(error)
    }
}
