//! Why a modify request is refused, and how that looks to the client: one variant a row of `http-api.md` 1.1.

use std::time::Duration;

use http::{HeaderValue, StatusCode};

use super::BODY_LIMIT;
use super::claims::ClaimsError;
use crate::filter::FilterError;
use crate::jws::{JwsError, SignatureError};
use crate::reason::Reason;
use crate::reply::{Problem, Reply};

/// The end of the checks: an answer, or no decision at all.
pub(super) enum Stop {
    Refused {
        refusal: Refusal,
        /// Whether the path's id is that of a target: before that it is any text that a stranger chose.
        known: bool,
    },
    Failed(FilterError),
}

impl Stop {
    /// The same, of a target that is there.
    pub(super) fn of_known(self) -> Self {
        match self {
            Self::Refused { refusal, .. } => Self::Refused { refusal, known: true },
            failed @ Self::Failed(_) => failed,
        }
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal, known: false }
    }
}

impl From<FilterError> for Stop {
    fn from(error: FilterError) -> Self {
        Self::Failed(error)
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the body must have at most {BODY_LIMIT} bytes")]
    TooLong,
    #[error("{0}")]
    Form(JwsError),
    #[error("{0}")]
    Claims(ClaimsError),
    #[error("{0}")]
    Header(JwsError),
    #[error("dispatchTargetId names another target than the path")]
    OtherTarget,
    #[error("creationTimeInEpochMillis is too far from the time here")]
    Time,
    #[error("there is no such dispatch target")]
    UnknownTarget,
    #[error("{0}")]
    Signature(SignatureError),
    #[error("the key serves several targets: add the claim dispatchTargetId")]
    NoTargetNamed,
    #[error("the target is changed too often")]
    TooMany(Duration),
    #[error("requestId was used before")]
    Replayed,
    #[error("requestId was sent before, and what became of it is not known yet: sign a new one")]
    Sent,
    #[error("nothing to change: give name, target or dispatcher")]
    NothingToChange,
}

impl From<JwsError> for Refusal {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::TooLong(_) => Self::TooLong,
            JwsError::Algorithm | JwsError::RefusedMember(_) => Self::Header(error),
            JwsError::Signature(error) => Self::Signature(error),
            JwsError::Parts | JwsError::Encoding(_) | JwsError::HeaderJson(_) | JwsError::HeaderMember(_) => {
                Self::Form(error)
            }
        }
    }
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Form(_) | Self::Claims(_) | Self::NothingToChange => StatusCode::BAD_REQUEST,
            Self::Header(_)
            | Self::OtherTarget
            | Self::Time
            | Self::Signature(_)
            | Self::NoTargetNamed
            | Self::Replayed
            | Self::Sent => StatusCode::UNAUTHORIZED,
            Self::UnknownTarget => StatusCode::NOT_FOUND,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::TooLong => Reason::TooLong,
            Self::Form(_) | Self::Claims(_) => Reason::Malformed,
            Self::Header(_) => Reason::Algorithm,
            Self::OtherTarget => Reason::OtherTarget,
            Self::Time => Reason::Time,
            Self::UnknownTarget => Reason::NotFound,
            Self::Signature(_) => Reason::Signature,
            Self::NoTargetNamed => Reason::Unnamed,
            Self::TooMany(_) => Reason::TooMany,
            Self::Replayed | Self::Sent => Reason::Replayed,
            Self::NothingToChange => Reason::Unprocessable,
        }
    }

    pub(super) fn answer(&self) -> Reply {
        let problem = match self {
            Self::TooLong => Problem::too_long(BODY_LIMIT),
            Self::TooMany(wait) => Problem::too_many(self.to_string(), *wait),
            // There is no registered scheme for a signed body.
            _ if self.status() == StatusCode::UNAUTHORIZED => {
                Problem::unauthorized(self.to_string(), HeaderValue::from_static("JWS"))
            }
            _ => Problem::new(self.status(), self.to_string()),
        };
        problem.because(self.reason()).into()
    }
}
