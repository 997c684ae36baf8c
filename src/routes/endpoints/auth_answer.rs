//! What the `/auth` endpoints answer alike.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use sidegate_filters::identity_creation::ReturnTarget;
use sidegate_filters::{Exchange, Problem, Reply};

use crate::identity::{LoginPages, same_origin};

/// A browser goes on to `target` with a GET.
pub(super) fn see_other(target: &ReturnTarget) -> Result<Response<Bytes>, http::Error> {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header(header::LOCATION, target.as_str())
        .header(header::CACHE_CONTROL, "no-store")
        .body(Bytes::new())
}

/// The answer to a form post that may come from another site's page.
pub(super) fn cross_site(exchange: &Exchange, pages: &LoginPages, html: bool) -> Option<Reply> {
    let refused = same_origin::check(&exchange.headers, &exchange.client.origin).err()?;
    Some(if html {
        Reply::Response(pages.refused())
    } else {
        Problem::new(StatusCode::FORBIDDEN, refused.to_string()).into()
    })
}

/// The session that the request came with.
pub(super) fn session(exchange: &Exchange) -> Option<&sidegate_filters::AuthenticatedSession> {
    if let sidegate_filters::Caller::User(session) = &exchange.caller { Some(session) } else { None }
}

/// The answer to one attempt too many.
pub(super) fn too_many(wait: Duration) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many attempts failed; wait before the next one")
        .with(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)))
}

/// As `Retry-After` has it: never too early, never at once.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1)
}
