//! What a client is told when its request cannot be brought to an end.

use http::StatusCode;
use pingora::{Error, ErrorSource, ErrorType};
use sidegate_filters::Problem;

/// The answer; `None` when there is nobody left to answer. Only the kind of the error is logged: its text may quote what a
/// client or an upstream sent.
pub(super) fn explain(error: &Error, upstream: Option<&str>) -> Option<Problem> {
    let kind = error.etype().as_str();
    let (status, detail) = match error.esource() {
        ErrorSource::Upstream => {
            tracing::warn!(kind, upstream, "an upstream failed");
            upstream_status(error.etype())
        }
        ErrorSource::Downstream => client_status(error)?,
        ErrorSource::Internal | ErrorSource::Unset => match error.etype() {
            ErrorType::HTTPStatus(413) => too_long(),
            _ => {
                tracing::error!(kind, upstream, "the gateway failed");
                let detail = "the gateway failed; the log has the reason under this request id";
                (StatusCode::INTERNAL_SERVER_ERROR, detail)
            }
        },
    };
    Some(Problem::new(status, detail))
}

fn upstream_status(kind: &ErrorType) -> (StatusCode, &'static str) {
    match kind {
        ErrorType::ConnectTimedout
        | ErrorType::TLSHandshakeTimedout
        | ErrorType::ReadTimedout
        | ErrorType::WriteTimedout => {
            (StatusCode::GATEWAY_TIMEOUT, "the server behind the gateway did not answer in time")
        }
        _ => (StatusCode::BAD_GATEWAY, "the server behind the gateway cannot be reached, or answered in a broken way"),
    }
}

/// A client that is gone gets nothing; one that was found standing still is still there.
fn client_status(error: &Error) -> Option<(StatusCode, &'static str)> {
    match error.etype() {
        ErrorType::HTTPStatus(413) => Some(too_long()),
        ErrorType::ReadTimedout => Some(too_slow()),
        ErrorType::ReadError if is_stalled(error) => Some(too_slow()),
        ErrorType::ReadError | ErrorType::WriteError | ErrorType::WriteTimedout | ErrorType::ConnectionClosed => None,
        _ => Some((StatusCode::BAD_REQUEST, "the request is broken")),
    }
}

fn is_stalled(error: &Error) -> bool {
    let cause = error.root_cause().downcast_ref::<std::io::Error>();
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::TimedOut)
}

fn too_slow() -> (StatusCode, &'static str) {
    (StatusCode::REQUEST_TIMEOUT, "the body came too slowly")
}

fn too_long() -> (StatusCode, &'static str) {
    (StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than this route allows")
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
    #[case(ErrorType::HTTPStatus(413), Some(413))]
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
    fn our_own_faults_are_500() {
        assert_eq!(status(Error::new(ErrorType::InternalError).into_in()), Some(500));
    }
}
