//! Answers as endpoints give them. None may be kept by a cache, unless its endpoint says
//! otherwise.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use sidegate_filters::{Problem, Reply};
use tracing::Instrument;

use super::problems::internal;
use crate::routes::Medium;

/// A finished answer, or the problem to send in its place.
pub(super) type Outcome = Result<Response<Bytes>, Problem>;

/// The reply of an endpoint.
pub(super) fn reply(outcome: Outcome) -> Reply {
    outcome.map_or_else(Reply::Problem, Reply::Response)
}

/// `application/json`.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    whole(status, Medium::Json, text(body))
}

/// `application/fido+uaf`, always with status 200: the result of UAF stands inside (`uaf.md` A4).
pub(super) fn fido_uaf(body: &impl Serialize) -> Response<Bytes> {
    whole(StatusCode::OK, Medium::FidoUaf, text(body))
}

/// 204.
pub(super) fn no_content() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Runs work of several steps to its end even if the client goes away meanwhile: a challenge that was taken gets its
/// outcome, a claim its commit.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(work.in_current_span()).await.map_err(|error| internal(&error))
}

/// An answer of this type.
pub(super) fn whole(status: StatusCode, medium: Medium, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(medium.content_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn text(body: &impl Serialize) -> Bytes {
    // Bodies are structures of strings, numbers and lists, which always have a JSON form.
    Bytes::from(serde_json::to_vec(body).unwrap_or_default())
}
