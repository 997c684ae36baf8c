//! What the errors of the services are over HTTP: the one place that says so.

use std::time::Duration;

use http::{HeaderValue, StatusCode, header};
use sidegate_filters::identity_creation::Challenge;
use sidegate_filters::jws::JwkError;
use sidegate_filters::{Problem, Reason, SessionDomain};

use crate::fido::FidoError;
use crate::identity::password::PasswordError;
use crate::identity::{FidoLoginError, LoginError};
use crate::jose::CryptoError;
use crate::oob::{AdministrationFault, NotPermitted, NotRedeemed, NotRequested, TargetFault, TokenFault};
use crate::store::StoreError;

pub(super) fn store(error: &StoreError) -> Problem {
    match error {
        StoreError::Unavailable(_) => {
            tracing::error!(%error, "a store failed");
            Problem::unavailable()
        }
        StoreError::Full => busy("there is no room for this just now; try again later", 30),
        StoreError::Exists => internal(error),
    }
}

pub(super) fn internal(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a service failed");
    Problem::internal()
}

pub(super) fn permission(refusal: &NotPermitted) -> Problem {
    let detail = refusal.to_string();
    let forbidden = |reason| Problem::new(StatusCode::FORBIDDEN, refusal.to_string()).because(reason);
    match refusal {
        NotPermitted::NoSession { domain } => {
            Problem::unauthorized(detail, Challenge::Session(domain).value()).because(Reason::NoCredential)
        }
        NotPermitted::StepUp { domain, demand } => {
            Problem::unauthorized(detail, Challenge::StepUp(domain, demand, None).value()).because(Reason::Level)
        }
        NotPermitted::OtherUser => forbidden(Reason::OtherUser),
        NotPermitted::NoRole => forbidden(Reason::CallerRole),
        NotPermitted::UnknownUser => forbidden(Reason::NotFound),
        NotPermitted::Unnamed => {
            Problem::bad_request("username: an internal caller has to name the user").because(Reason::Unnamed)
        }
        NotPermitted::Store(error) => store(error),
        NotPermitted::Crypto(error) => crypto(error),
    }
}

pub(super) fn token(fault: &TokenFault) -> Problem {
    match fault {
        TokenFault::Malformed { .. } => Problem::bad_request(fault.to_string()),
        TokenFault::NotPermitted(refusal) => permission(refusal),
        TokenFault::Store(error) => store(error),
        TokenFault::Crypto(error) => crypto(error),
    }
}

pub(super) fn target(fault: &TargetFault) -> Problem {
    let detail = fault.to_string();
    match fault {
        // A number where a key belongs is a body of the wrong type, not a key that can't be used.
        TargetFault::Malformed { .. } | TargetFault::Key { source: JwkError::Form, .. } => Problem::bad_request(detail),
        TargetFault::Key { .. } | TargetFault::Dispatcher | TargetFault::NameTaken | TargetFault::TooMany => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }
        TargetFault::NotFound => Problem::new(StatusCode::NOT_FOUND, detail),
        TargetFault::NotPermitted(refusal) => permission(refusal),
        TargetFault::Store(error) => store(error),
    }
}

pub(super) fn administration(fault: &AdministrationFault) -> Problem {
    let status = match fault {
        AdministrationFault::UnknownUser | AdministrationFault::NothingThere => StatusCode::NOT_FOUND,
        AdministrationFault::StillBehind(_) => StatusCode::BAD_GATEWAY,
        AdministrationFault::Store(error) => return store(error),
    };
    Problem::new(status, fault.to_string())
}

/// A caller without the role `admin`.
pub(super) fn no_admin() -> Problem {
    let problem = Problem::new(StatusCode::FORBIDDEN, "this is for internal callers with the role admin");
    problem.because(Reason::CallerRole)
}

/// Either a UAF status code, to be sent in an HTTP 200, or a problem.
pub(super) enum UafFault {
    Code(sidegate_uaf::StatusCode),
    Problem(Problem),
}

impl From<FidoError> for UafFault {
    fn from(error: FidoError) -> Self {
        match error {
            FidoError::Refused(code) => Self::Code(code),
            FidoError::Store(error) => Self::Problem(store(&error)),
        }
    }
}

impl From<NotRedeemed> for UafFault {
    fn from(error: NotRedeemed) -> Self {
        match error {
            NotRedeemed::Refused(code) => Self::Code(code),
            NotRedeemed::Store(error) => Self::Problem(store(&error)),
            NotRedeemed::Crypto(error) => Self::Problem(crypto(&error)),
        }
    }
}

impl From<NotRequested> for UafFault {
    /// A user who does not exist is a result of UAF: there is nothing to hand out.
    fn from(error: NotRequested) -> Self {
        match error {
            NotRequested::Token(TokenFault::NotPermitted(NotPermitted::UnknownUser)) => {
                Self::Code(sidegate_uaf::StatusCode::NOT_FOUND)
            }
            NotRequested::Token(fault) => Self::Problem(token(&fault)),
            NotRequested::Fido(error) => error.into(),
        }
    }
}

impl From<FidoLoginError> for UafFault {
    fn from(error: FidoLoginError) -> Self {
        match error {
            FidoLoginError::Fido(error) => error.into(),
            FidoLoginError::TooMany(wait) => Self::Problem(too_many(wait)),
            FidoLoginError::Login(error) => Self::Problem(login(&error)),
            FidoLoginError::AnotherUser => Self::Problem(internal(&error)),
        }
    }
}

/// Of a login with a password in this domain.
pub(super) fn password(error: &PasswordError, domain: &SessionDomain) -> Problem {
    match error {
        PasswordError::Wrong => Problem::unauthorized(error.to_string(), Challenge::Session(domain).value()),
        PasswordError::TooMany(wait) => too_many(*wait),
        PasswordError::Busy => busy(error.to_string(), 1),
        PasswordError::NotChecked(failed) => {
            tracing::error!(error = %failed, "a password could not be checked");
            Problem::unavailable()
        }
        PasswordError::Login(error) => login(error),
    }
}

/// The credential was good, or a store failed before that was known.
pub(super) fn login(error: &LoginError) -> Problem {
    match error {
        LoginError::Store(error) => store(error),
        LoginError::Crypto(_) | LoginError::Cookie(_) => internal(error),
    }
}

/// The answer to one attempt too many.
pub(super) fn too_many(wait: Duration) -> Problem {
    Problem::too_many("too many attempts failed or are under way; wait before the next one", wait)
}

fn busy(detail: impl Into<String>, seconds: u64) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).with(header::RETRY_AFTER, HeaderValue::from(seconds))
}

fn crypto(error: &CryptoError) -> Problem {
    internal(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_password(error: LoginError) -> Problem {
        password(&PasswordError::Login(error), &SessionDomain::parse("main").unwrap())
    }

    fn by_uaf(error: LoginError) -> Problem {
        let UafFault::Problem(problem) = UafFault::from(FidoLoginError::Login(error)) else { panic!() };
        problem
    }

    #[test]
    fn a_login_that_comes_to_nothing_is_told_alike_in_every_realm() {
        let full = || LoginError::Store(StoreError::Full);
        let down = || LoginError::Store(StoreError::Unavailable("the reason".into()));
        for (status, detail, problems) in [
            (503, "there is no room for this just now", [by_password(full()), by_uaf(full())]),
            (503, "a service that this request needs is unavailable", [by_password(down()), by_uaf(down())]),
        ] {
            for problem in problems {
                assert_eq!(problem.status, status);
                assert!(problem.detail.starts_with(detail), "{}", problem.detail);
            }
        }
    }
}
