//! What goes back to the client: a finished response, or a problem that the gateway renders in one place.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use crate::reason::Reason;

/// An answer of ours.
#[derive(Debug)]
pub enum Reply {
    /// A response as it is to be sent.
    Response(Response<Bytes>),
    /// An error; rendered as `application/problem+json` with the request's id.
    Problem(Problem),
}

impl Reply {
    /// The status the client will see.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Response(response) => response.status(),
            Self::Problem(problem) => problem.status,
        }
    }

    /// A response in place of a problem, such as a page for a browser: it refuses for this reason.
    #[must_use]
    pub fn refusal(mut response: Response<Bytes>, reason: Reason) -> Self {
        response.extensions_mut().insert(reason);
        Self::Response(response)
    }

    /// Why it refuses, if it does.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Problem(problem) => Some(problem.reason),
            Self::Response(response) => response.extensions().get().copied().or_else(|| Reason::of(response.status())),
        }
    }

    /// The response to send; a problem gets `instance` = `request_id`.
    #[must_use]
    pub fn into_response(self, request_id: &str) -> Response<Bytes> {
        match self {
            Self::Response(response) => response,
            Self::Problem(problem) => problem.render(request_id),
        }
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// An error as the client sees it (RFC 9457; `http-api.md` 0.1). `detail` names the member or header at fault and how
/// to mend it; it never echoes a token, key, password or cookie.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// What was wrong, for a person.
    pub detail: String,
    /// Headers that belong to the answer (`Allow`, `WWW-Authenticate`, `Retry-After`, `Set-Cookie`).
    pub headers: HeaderMap,
    /// The same for the log, in a word.
    pub reason: Reason,
}

impl Problem {
    /// A problem with this status and explanation, for the reason that the status tells.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let reason = Reason::of(status).unwrap_or(Reason::Fault);
        Self { status, detail: detail.into(), headers: HeaderMap::new(), reason }
    }

    /// The same for a reason that tells more than its status.
    #[must_use]
    pub fn because(self, reason: Reason) -> Self {
        Self { reason, ..self }
    }

    /// 400: the request can't be read as it is.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 401. What would do has to be said (RFC 9110 15.5.2).
    pub fn unauthorized(detail: impl Into<String>, challenge: HeaderValue) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail).with(header::WWW_AUTHENTICATE, challenge)
    }

    /// 408: the body did not keep the pace.
    #[must_use]
    pub fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "the body came too slowly")
    }

    /// 413: the body has more bytes than this.
    #[must_use]
    pub fn too_long(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body may have {limit} bytes at most"))
    }

    /// 429: it may be sent again after so long, rounded up to seconds: never too early, never at once.
    pub fn too_many(detail: impl Into<String>, wait: Duration) -> Self {
        let seconds = u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail).with(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// 500: our own fault. What it was is for the log alone.
    #[must_use]
    pub fn internal() -> Self {
        let detail = "the gateway failed; the log has the reason under this request id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    /// 503: something is out of reach for now. What it is is for the log alone.
    #[must_use]
    pub fn unavailable() -> Self {
        let detail = "a service that this request needs is unavailable; try again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    fn render(self, request_id: &str) -> Response<Bytes> {
        let body = serde_json::json!({
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "instance": request_id,
        });
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
