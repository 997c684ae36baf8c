//! What the errors of the services are over HTTP: the one place that says so.

use http::{HeaderValue, StatusCode, header};
use sidegate_filters::Problem;
use sidegate_filters::identity_creation::Challenge;
use sidegate_filters::jws::JwkError;

use crate::fido::FidoError;
use crate::jose::CryptoError;
use crate::oob::{NotPermitted, NotRedeemed, NotRequested, TargetFault, TokenFault};
use crate::store::StoreError;

pub(super) fn store(error: &StoreError) -> Problem {
    match error {
        StoreError::Unavailable(_) => {
            tracing::error!(%error, "a store failed");
            Problem::unavailable()
        }
        StoreError::Full => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many operations are under way; try again later")
                .with(header::RETRY_AFTER, HeaderValue::from_static("30"))
        }
        StoreError::Exists => internal(error),
    }
}

pub(super) fn internal(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a service failed");
    Problem::internal()
}

pub(super) fn permission(refusal: &NotPermitted) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        NotPermitted::NoSession { domain } => Problem::unauthorized(detail, Challenge::Session(domain).value()),
        NotPermitted::StepUp { domain, demand } => {
            Problem::unauthorized(detail, Challenge::StepUp(domain, demand).value())
        }
        NotPermitted::OtherUser | NotPermitted::NoRole | NotPermitted::UnknownUser => {
            Problem::new(StatusCode::FORBIDDEN, detail)
        }
        NotPermitted::Unnamed => Problem::bad_request("username: an internal caller has to name the user"),
        NotPermitted::Store(error) => store(error),
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

fn crypto(error: &CryptoError) -> Problem {
    internal(error)
}
