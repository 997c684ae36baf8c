//! What a client is told when its request cannot be brought to an end.

use std::io::ErrorKind;

use http::StatusCode;
use pingora::{Error, ErrorSource, ErrorType};
use sidegate_filters::Problem;

use super::forward::Forward;
use crate::telemetry::access::{Cut, Stage};

/// A body that is passed on turned out longer than its route allows: so many bytes.
#[derive(Debug, thiserror::Error)]
#[error("longer than {0} bytes")]
pub(super) struct TooLong(pub(super) usize);

/// The answer; `None` when there is nobody left to answer. Only the kind of the error is logged: its text may quote what a
/// client or an upstream sent.
pub(super) fn explain(error: &Error, forward: Option<&Forward>) -> Option<Problem> {
    if let Some(TooLong(limit)) = error.root_cause().downcast_ref() {
        return Some(Problem::too_long(*limit));
    }
    let (kind, upstream, server) = told(error, forward);
    match cut_by(error) {
        Cut::Upstream => {
            tracing::warn!(kind, upstream, server, "an upstream failed");
            Some(of_upstream(error.etype()))
        }
        Cut::Client => of_client(error),
        Cut::Gateway => {
            tracing::error!(kind, upstream, server, "the gateway failed");
            Some(Problem::internal())
        }
    }
}

/// Who broke off an answer that had begun: all that is left is to say so in the log.
pub(super) fn broken_off(error: &Error, forward: Option<&Forward>) -> Cut {
    let (kind, upstream, server) = told(error, forward);
    let cut = cut_by(error);
    match cut {
        Cut::Upstream => tracing::warn!(kind, upstream, server, "an upstream broke its answer off"),
        Cut::Client => tracing::debug!(kind, "a client broke its answer off"),
        Cut::Gateway => tracing::error!(kind, upstream, server, "the gateway broke an answer off"),
    }
    cut
}

/// The kind of an error, the upstream, and its server.
fn told<'a>(error: &'a Error, forward: Option<&'a Forward>) -> (&'a str, Option<&'a str>, Option<&'a str>) {
    (error.etype().as_str(), forward.map(Forward::name), forward.and_then(Forward::server))
}

/// Whose failure an error is.
pub(super) fn cut_by(error: &Error) -> Cut {
    match error.esource() {
        ErrorSource::Upstream => Cut::Upstream,
        ErrorSource::Downstream => Cut::Client,
        ErrorSource::Internal | ErrorSource::Unset => Cut::Gateway,
    }
}

/// Where a request failed that was on its way.
pub(super) fn stage(error: &Error) -> Stage {
    match cut_by(error) {
        Cut::Client => Stage::Body,
        Cut::Upstream => Stage::Upstream,
        Cut::Gateway => Stage::Gateway,
    }
}

fn of_upstream(kind: &ErrorType) -> Problem {
    match kind {
        ErrorType::ConnectTimedout
        | ErrorType::TLSHandshakeTimedout
        | ErrorType::ReadTimedout
        | ErrorType::WriteTimedout => {
            Problem::new(StatusCode::GATEWAY_TIMEOUT, "the server behind the gateway did not answer in time")
        }
        _ => {
            let detail = "the server behind the gateway cannot be reached, or answered in a broken way";
            Problem::new(StatusCode::BAD_GATEWAY, detail)
        }
    }
}

/// A client that is gone gets nothing; one that was found standing still, or at fault, is still there.
fn of_client(error: &Error) -> Option<Problem> {
    match error.etype() {
        ErrorType::ReadTimedout => Some(Problem::too_slow()),
        ErrorType::ReadError if of_kind(error, ErrorKind::TimedOut) => Some(Problem::too_slow()),
        ErrorType::ReadError if of_kind(error, ErrorKind::InvalidData) => {
            Some(Problem::bad_request("the body is broken"))
        }
        ErrorType::ReadError | ErrorType::WriteError | ErrorType::WriteTimedout | ErrorType::ConnectionClosed => None,
        _ => Some(Problem::bad_request("the request is broken")),
    }
}

/// Whether reading failed by what [`super::stream`] says of this kind.
fn of_kind(error: &Error, kind: ErrorKind) -> bool {
    error.root_cause().downcast_ref::<std::io::Error>().is_some_and(|cause| cause.kind() == kind)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn status(error: Box<Error>) -> Option<u16> {
        explain(&error, None).map(|problem| problem.status.as_u16())
    }

    #[rstest]
    #[case(ErrorType::ConnectRefused, 502)]
    #[case(ErrorType::InvalidHTTPHeader, 502)]
    #[case(ErrorType::ConnectTimedout, 504)]
    #[case(ErrorType::ReadTimedout, 504)]
    fn upstream_failures(#[case] kind: ErrorType, #[case] expected: u16) {
        assert_eq!(status(Error::new(kind).into_up()), Some(expected));
    }

    #[rstest]
    #[case(ErrorType::ConnectionClosed, None)]
    #[case(ErrorType::ReadTimedout, Some(408))]
    #[case(ErrorType::InvalidHTTPHeader, Some(400))]
    fn client_failures(#[case] kind: ErrorType, #[case] expected: Option<u16>) {
        assert_eq!(status(Error::new(kind).into_down()), expected);
    }

    #[test]
    fn a_client_that_stands_still_is_told_so_and_one_that_broke_off_is_not() {
        let read = |kind| Error::because(ErrorType::ReadError, "reading", std::io::Error::from(kind)).into_down();
        assert_eq!(status(read(std::io::ErrorKind::TimedOut)), Some(408));
        assert_eq!(status(read(std::io::ErrorKind::ConnectionReset)), None);
    }

    #[test]
    fn a_body_that_grew_too_long_is_told_its_limit() {
        let error = Error::because(ErrorType::WriteError, "passing a body on", TooLong(7)).into_down();
        let problem = explain(&error, None).unwrap();
        assert_eq!((problem.status.as_u16(), problem.detail), (413, Problem::too_long(7).detail));
    }

    #[test]
    fn our_own_faults_are_500() {
        assert_eq!(status(Error::new(ErrorType::InternalError).into_in()), Some(500));
    }
}
